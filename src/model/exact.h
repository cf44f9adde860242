/* What names one thing exactly: pid:812, tcp/127.0.0.1:80-127.0.0.1:40000. */
#ifndef MODEL_EXACT_H
#define MODEL_EXACT_H

#include <stdbool.h>

#include "base/error.h"
#include "model/ip.h"

struct exact {
	int32_t pid; /* else a connection: */
	uint8_t proto;
	bool is_v4;
	struct ip local, peer;
	uint16_t local_port, peer_port;
};

/* 1: it is one; 0: it is none, ask target_parse; -EINVAL with @err told: it begins as one. */
int exact_parse(const char *text, struct exact *ret, struct error *err);

/* The filter language's text for it, at @to. */
void exact_filter_text(const struct exact *exact, char *to, size_t size);

#endif

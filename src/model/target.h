/* A TARGET as people write it: 8080, tcp/53, 127.0.0.1:5432, [::1]:443, https, 8000-8010. */
#ifndef MODEL_TARGET_H
#define MODEL_TARGET_H

#include "base/error.h"
#include "model/filter.h"

struct target {
	uint32_t protos; /* 1 << enum proto */
	bool has_address, is_v4;
	bool is_localhost; /* the name was typed: ::1 is meant beside 127.0.0.1 */
	struct ip address;
	uint16_t first, last; /* ports */
	const char *service;  /* the name that was typed, or NULL; borrowed from the text, to its
				 end */
};

/* 0; -EINVAL with @err told. */
int target_parse(const char *text, const struct services *services, struct target *ret,
		 struct error *err);
/* It looks like a TARGET: a bare `doorward 8080` means show. So does what only begins like one, so
 * that its error is told as a target's. A word is one when it is a service's name: ask for commands
 * first. */
bool target_looks_like(const char *text, const struct services *services);
/* The filter language's text for it, at @to: the port, and an address that also meets the wildcard
 * sockets which take its packets. What is connected there is meant too. */
void target_filter_text(const struct target *target, char *to, size_t size);

#endif

/* Who listens in another network namespace, asked there: for what the snapshot was not asked. */
#ifndef SOURCE_LISTENER_H
#define SOURCE_LISTENER_H

#include "base/vector.h"
#include "model/socket.h"
#include "source/descent.h"

/* The processes of a host with their namespaces, read at the first question. */
struct places {
	struct host *host;
	bool is_read;
	struct vector processes; /* struct place */
};

struct place {
	int32_t pid;
	uint64_t netns;
};

void places_init(struct places *places, struct host *host);
void places_done(struct places *places);

/* The network namespace of a process, or 0. */
uint64_t listener_netns(const struct host *host, int32_t pid);

/* The process in the namespace that has an open socket of @proto on @port; @port 0: on the only
 * port that is open there, or on @likely. @inside, a process there or 0, and its descendants are
 * looked at before all others. 0: nobody, or it may not be looked at. */
int32_t listener_find(struct places *places, struct descent *descent, uint64_t netns,
		      int32_t inside, enum proto proto, uint16_t port, uint16_t likely);

#endif

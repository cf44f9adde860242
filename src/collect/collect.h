/* The engine: one snapshot of a host, from whichever sources are fastest and truthful here. */
#ifndef COLLECT_COLLECT_H
#define COLLECT_COLLECT_H

#include "base/error.h"
#include "base/vector.h"
#include "model/delivery.h"
#include "model/query.h"
#include "model/snapshot.h"
#include "model/stream.h"
#include "source/host.h"

/* From where one looks: what every question of a person has in common. */
struct looking {
	struct host *host;
	const struct services *services; /* for names of ports in targets; may be NULL */
	struct netns_scope scope;
	enum source_choice source;
	uint32_t needs; /* added to those of each question: NEED_NO_NSS */
};

/* A sealed snapshot of what matches @query, freed by the caller. What could not be seen stands in
 * its `missing`. 0, or negative errno with @err told. */
int collect_snapshot(struct host *host, const struct query *query, struct snapshot **ret,
		     struct error *err);

/* The same of one who looks. */
int collect_for(const struct looking *looking, const struct filter *filter, struct bounds bounds,
		uint32_t needs, struct snapshot **ret, struct error *err);

/* As collect_snapshot, as sockets that come one after another, for who forgets each: some 25 bytes
 * of memory for one where a snapshot has 120. NEED_TCP_INFO is not met. Freed by the caller;
 * nothing is asked of the host any more. 0, or negative errno with @err told. */
int collect_stream(struct host *host, const struct query *query, struct stream **ret,
		   struct error *err);

/* To whom a packet goes: the kernel is asked with the full tuple in @netns (index into the
 * snapshot), the candidates come from the snapshot. */
int collect_delivery(struct host *host, const struct snapshot *snapshot, struct delivery *delivery,
		     struct error *err);

/* Facilities of this build and this host: struct facility each. */
int collect_facilities(struct host *host, struct vector *ret, struct error *err);

#endif

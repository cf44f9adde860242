/* To whom packets go, from what a person types to the kernel's choice. */
#ifndef COLLECT_DELIVERIES_H
#define COLLECT_DELIVERIES_H

#include "collect/collect.h"

struct delivery_request {
	const char *to;	  /* "127.0.0.1:8080"; a port alone: to each address of this host */
	const char *from; /* address or address:port; NULL: anywhere */
	enum proto proto;
};

struct deliveries {
	struct snapshot *snapshot;
	struct vector list; /* struct delivery, one for each address */
};

void deliveries_init(struct deliveries *deliveries);
void deliveries_done(struct deliveries *deliveries);

/* In the one namespace of @looking. 0; -EINVAL, other negative errno with @err told. */
int deliveries_find(const struct looking *looking, const struct delivery_request *request,
		    struct deliveries *ret, struct error *err);

static inline const struct delivery *deliveries_at(const struct deliveries *deliveries, uint32_t i)
{
	return vector_at(&deliveries->list, i);
}

bool deliveries_any(const struct deliveries *deliveries); /* somebody gets one */

#endif

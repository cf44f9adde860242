/* A neighbour for as long as a scan takes: a network namespace of its own, joined to this host by a
 * veth pair. It ends with its descriptor, and so does the link: nothing is left behind, however the
 * program ends. */
#ifndef SCAN_STRANGER_H
#define SCAN_STRANGER_H

#include <net/if.h>

#include "base/error.h"
#include "source/netns.h"

struct stranger {
	struct found_netns netns; /* the caller may take its fd */
	char link[IFNAMSIZ];	  /* this host's end */
};

/* Needs CAP_SYS_ADMIN and CAP_NET_ADMIN. 0 or negative errno with @err told. */
int stranger_make(struct stranger *ret, struct error *err);
/* Takes the link away, at once rather than some time after the namespace has ended. */
void stranger_end(const struct stranger *stranger);

#endif

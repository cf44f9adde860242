/* What a source is asked for. */
#ifndef MODEL_QUERY_H
#define MODEL_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/filter.h"

enum netns_choice { NETNS_ALL, NETNS_SELF, NETNS_NAME, NETNS_PID };
enum source_choice { SOURCE_AUTO, SOURCE_BPF, SOURCE_PROC };

struct netns_scope {
	enum netns_choice choice;
	const char *name; /* NETNS_NAME: under /run/netns, a container's, or an inode */
	int32_t pid;	  /* NETNS_PID */
};

struct query {
	const struct filter *filter; /* NULL: everything; evaluated by collect on each socket */
	struct bounds bounds;	     /* what need not be fetched */
	uint32_t needs;		     /* NEED_ bits */
	struct netns_scope scope;
	enum source_choice source;
	/* All sockets of the other namespaces are counted, also those that are not wanted. Inodes
	 * of the two (or one, twice) whose are not; 0: it is done nowhere. */
	uint32_t not_tallied[2];
	uint32_t tcp_told; /* states of TCP that are told in another way: they need not be dumped */
	bool lacks_mptcp;  /* it is known that no MPTCP socket is there: they need not be dumped */
};

#endif

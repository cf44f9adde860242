/* The sockets that descriptors hold, counted for each namespace. Where they are all that the kernel
 * has in use there, its tables need not be walked: they are shared by all namespaces, so a walk
 * costs for each as much as for the fullest. */
#ifndef COLLECT_TALLY_H
#define COLLECT_TALLY_H

#include "base/table.h"
#include "base/vector.h"
#include "model/snapshot.h"
#include "source/netns.h"

struct tally {
	bool is_wanted;
	uint64_t left_out;    /* the inode of a namespace that is not counted */
	struct vector others; /* struct tallied_socket: not in the snapshot */
	struct table by_inode;
	struct vector half_open; /* uint64_t: inodes of the namespaces that have such connections */
	struct vector counts;	 /* struct tally_count, by index of the namespace */
};

void tally_init(struct tally *tally);
void tally_done(struct tally *tally);

/* A socket that is held and not wanted; once for each of its holders. 0 or -ENOMEM. */
int tally_add(struct tally *tally, const struct tallied_socket *socket);
/* A listener of the namespace has connections that nothing holds yet. 0 or -ENOMEM. */
int tally_add_half_open(struct tally *tally, uint64_t netns_inode);

/* Are the TCP sockets of @snapshot that have a holder all that there are in the namespace with this
 * index? False: it cannot be told. Not told of are sockets of the kernel that are only bound. */
bool tally_has_all_tcp(struct tally *tally, struct host *host, const struct snapshot *snapshot,
		       uint32_t netns, const struct found_netns *place);

#endif

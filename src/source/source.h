/* A source reads one facility of a host and puts what it finds into a sink. */
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include "model/facility.h"
#include "model/query.h"
#include "model/snapshot.h"
#include "source/host.h"

/* What is known of the file of a socket (struct socket's sk_socket->file in the kernel). */
enum file_known {
	FILE_UNKNOWN,
	FILE_THERE,
	FILE_KERNEL, /* struct socket without a file: the kernel's own */
	FILE_NOBODY, /* no struct socket */
};

#define NETNS_UNKNOWN UINT64_MAX /* the inode of another namespace, which may not be told */

/* A socket as found: before the join it names its namespace by inode. */
struct found_socket {
	struct socket socket;		  /* netns, holder: not yet set */
	uint64_t netns_inode;		  /* 0: the one being read; or NETNS_UNKNOWN */
	const struct tcp_info_part *info; /* or NULL */
	uint8_t has_file;		  /* enum file_known */
	uint16_t half_open; /* a held listener's connections that are not yet connected */
};

/* A socket with a file, of whatever family, that is only counted. */
struct tallied_socket {
	uint32_t netns_inode, inode;
	bool is_hashed_tcp; /* one that the kernel counts as in use */
};

/* Where a source puts what it finds. Each returns 0, or negative errno to end the reading. */
struct sink {
	int (*socket)(struct sink *, const struct found_socket *);
	/* A descriptor of @pid (thread @tid, for one with a table of its own) is socket @inode. */
	int (*holder)(struct sink *, uint32_t inode, int32_t pid, int32_t fd);
	/* Socket and holder in one record (task_file). */
	int (*held)(struct sink *, const struct found_socket *, int32_t pid, int32_t fd);
	/* Descriptor @fd of @pid is a network namespace. May be NULL. */
	int (*netns)(struct sink *, uint64_t inode, int32_t pid, int32_t fd);
	/* One of a namespace whose sockets are all counted (struct query). May be NULL. */
	int (*tally)(struct sink *, const struct tallied_socket *);
	/* A socket with @inode will come soon. May be NULL. */
	void (*expect)(struct sink *, uint32_t inode);
	/* What cannot be told, and why. May be NULL: it does not matter. */
	int (*missing)(struct sink *, const struct missing *);
};

static inline int sink_tell(struct sink *sink, const struct missing *missing)
{
	return sink->missing ? sink->missing(sink, missing) : 0;
}

#endif

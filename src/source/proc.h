/* The walk over /proc/PID/fd: which process holds which socket, without BPF. */
#ifndef SOURCE_PROC_H
#define SOURCE_PROC_H

#include "base/vector.h"
#include "source/source.h"

/* Every descriptor that is a socket to sink->holder, from the calling thread; what may not be read
 * to sink->missing. Up to @n_threads read side by side. 0 or negative errno with @err told. */
int proc_walk(struct host *host, const struct query *query, unsigned n_threads, struct sink *sink,
	      struct error *err);

/* The files registered with ring @fd of @pid (io_uring), from its fdinfo, to sink->holder with fd
 * -1. */
int proc_read_ring(struct host *host, int32_t pid, int32_t fd, struct sink *sink);

/* The descriptors of one process that are sockets, to sink->holder, as proc_walk does. 0 (also
 * where it has ended), -EACCES, -ENOMEM, or what the sink said. */
int proc_read_process(struct host *host, int32_t pid, struct sink *sink);

/* About how many descriptors there are, counted until @enough. */
uint64_t proc_count_descriptors(struct host *host, uint64_t enough);

/* The pids that /proc lists, ascending: int32_t. 0 or negative errno. */
int proc_pids(struct host *host, struct vector *ret);

/* "socket:[123]": 123; 0: another kind. Pure. */
uint32_t proc_parse_link(const char *text, size_t n);

/* Each `N: socket:[inode]` of an fdinfo's UserFiles to @each. Pure. */
int proc_parse_ring(const char *text, size_t n, int (*each)(void *data, uint32_t inode),
		    void *data);

#endif

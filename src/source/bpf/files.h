/* The pass over all descriptors of all processes (iter/task_file): sockets and their holders of all
 * network namespaces at once. */
#ifndef SOURCE_BPF_FILES_H
#define SOURCE_BPF_FILES_H

#include "base/vector.h"
#include "source/bpf/pass.h"

/* Does it work here; if not, why. Cheap: no program is loaded. Returns ret->works. */
bool files_probe(const struct host *host, struct facility *ret);

/* The same by loading it. */
bool files_try(const struct host *host, struct facility *ret);

/* Every held socket that @query's bounds want, to sink->held; rings of io_uring to @rings (struct
 * found_ring), descriptors that are a namespace to sink->netns. A process whose leader has ended is
 * told of once for each of its threads. 0 or negative errno with @err told. */
int files_read(struct host *host, const struct query *query, enum pass_way way, struct sink *sink,
	       struct vector *rings, struct error *err);

/* The same as bytes (struct bpf_record), for who measures it. */
int files_read_bytes(struct host *host, const struct query *query, enum pass_way way,
		     pass_take *take, void *data, struct error *err);

#endif

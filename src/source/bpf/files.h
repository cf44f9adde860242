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
int files_read(struct host *host, const struct query *query, struct sink *sink,
	       struct vector *rings, struct error *err);

/* The same begun beside other work: a thread loads the program and reads ahead. NULL: no memory, or
 * built without BPF. */
struct files_pass;
struct files_pass *files_start(struct host *host, const struct query *query);
/* As files_read(); the pass is gone in either case. */
int files_finish(struct files_pass *files, struct sink *sink, struct vector *rings,
		 struct error *err);
void files_abandon(struct files_pass *files); /* NULL is allowed */

/* The same as bytes (struct bpf_record), for who measures it. */
int files_read_bytes(struct host *host, const struct query *query, pass_take *take, void *data,
		     struct error *err);

#endif

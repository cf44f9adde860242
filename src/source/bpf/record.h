/* The records of the BPF programs (bpf/record.h) read into nouns. */
#ifndef SOURCE_BPF_RECORD_H
#define SOURCE_BPF_RECORD_H

#include <sys/types.h>

#include "base/vector.h"
#include "source/source.h"

/* A ring of io_uring that the pass met. */
struct found_ring {
	int32_t pid, fd;
};

/* The whole records at the start of @bytes to @sink; rings to @rings (struct found_ring, may be
 * NULL). How many bytes they were; -EBADMSG where a record cannot be one; what the sink said. Pure.
 */
ssize_t record_parse(const void *bytes, size_t n, struct sink *sink, struct vector *rings);

/* The wishes of @query as the programs take them. */
struct bpf_wanted record_wanted(const struct query *query);

#endif

/* A snapshot from a file: our own --json or jsonl, or the dumps that `ss -D` writes. */
#ifndef SOURCE_SAVED_H
#define SOURCE_SAVED_H

#include "base/error.h"
#include "model/snapshot.h"

/* @path "-": standard input. Sealed, freed by the caller. A dump that is cut, or has an error in
 * its end mark, is incomplete and says so in `missing`. 0; -EINVAL: neither of them, or broken,
 * with @err told; negative errno.
 */
int saved_read(const char *path, struct snapshot **ret, struct error *err);

/* The same of bytes in memory. Pure. */
int saved_parse(const char *bytes, size_t n, const char *name, struct snapshot **ret,
		struct error *err);

#endif

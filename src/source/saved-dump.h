/* The netlink dumps that `ss -D FILE` writes, one for each family and protocol, one after another. */
#ifndef SOURCE_SAVED_DUMP_H
#define SOURCE_SAVED_DUMP_H

#include "base/error.h"
#include "model/snapshot.h"

/* Adds the sockets of all dumps; what is cut or has an error in its end mark is told as missing. 0; -EINVAL: it is no such
 * file. Pure. */
int saved_read_dump(struct snapshot *snapshot, const char *bytes, size_t n, const char *name, struct error *err);

#endif

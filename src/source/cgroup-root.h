/* The root of the tree of control groups, version 2: where programs see the sockets of all. */
#ifndef SOURCE_CGROUP_ROOT_H
#define SOURCE_CGROUP_ROOT_H

#include "source/host.h"

/* A descriptor of its directory: of the host's mount, or, where there is none, of one that nobody
 * else sees and that ends with the descriptor (needs CAP_SYS_ADMIN). Negative errno; -EXDEV: what
 * is seen from here is not the root. */
int cgroup_root_open(const struct host *host);

/* The mount point of cgroup2 in a line of mountinfo whose root is the tree's, of *@ret_length
 * bytes, escaped as it stands there; NULL: another. Pure. */
const char *cgroup_root_parse(const char *line, size_t n, size_t *ret_length);

#endif

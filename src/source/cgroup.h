/* Where a process stands in the tree of control groups: its systemd unit and its container. */
#ifndef SOURCE_CGROUP_H
#define SOURCE_CGROUP_H

#include <stddef.h>

#include "model/process.h"

#define CGROUP_NAME_MAX 256

struct cgroup_place {
	char unit[CGROUP_NAME_MAX]; /* "nginx.service"; "" none */
	char id[CGROUP_NAME_MAX];   /* of the container; "" none */
	enum engine engine;
};

/* The text of /proc/PID/cgroup, of cgroup v1, v2 or both. Pure. */
void cgroup_parse(const char *text, size_t n, struct cgroup_place *ret);

#endif

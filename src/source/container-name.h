/* What a container is called, and which processes are in the one that is called so. */
#ifndef SOURCE_CONTAINER_NAME_H
#define SOURCE_CONTAINER_NAME_H

#include "model/process.h"
#include "source/docker.h"

#define CONTAINER_NAME_MAX 128

/* The name of container @id of @engine, in which process @pid is: from Docker's records, or from
 * the arguments of the conmon above the process; with NUL at @ret. False: it has none that is
 * known. */
bool container_name(struct docker *docker, enum engine engine, const char *id, int32_t pid,
		    char ret[CONTAINER_NAME_MAX]);

/* A process of the container that is meant: "docker:web", "web", or 12 digits of its id and more
 * in place of the name. 0: there is none. */
int32_t container_find_process(struct host *host, const char *meant);

#endif

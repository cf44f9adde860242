/* What Docker writes of its containers: DATA-ROOT/containers/ID/config.v2.json. */
#ifndef SOURCE_DOCKER_H
#define SOURCE_DOCKER_H

#include <stdbool.h>

#include "base/vector.h"
#include "model/ip.h"
#include "source/host.h"

#define DOCKER_ROOTS_MAX 8

/* Where the engines of this host keep their data, beneath the host's directory. */
struct docker {
	struct host *host;
	unsigned n_roots;
	bool is_looked_up; /* the usual places were */
	bool is_searched;  /* engines with a place of their own were looked for */
	char roots[DOCKER_ROOTS_MAX][512];
	unsigned n_listed;     /* of these roots every container was read */
	struct vector configs; /* struct docker_container: those that were read */
};

struct docker_container {
	char id[128], name[128];
	int32_t pid; /* of its first process; 0: it does not run */
	unsigned n_addresses;
	struct ip addresses[16];
	unsigned n_ports;
	uint16_t ports[64]; /* of the host, that are published for it */
};

void docker_init(struct docker *docker, struct host *host);
void docker_done(struct docker *docker);

/* Process @pid may be an engine: then its place is looked at too, without a search for others. */
void docker_add_engine(struct docker *docker, int32_t pid);

/* The container with that id. False: there is none, or it may not be read. */
bool docker_find(struct docker *docker, const char *id, struct docker_container *ret);

/* The running one that has the address, and for which the host's @port is published. */
bool docker_find_published(struct docker *docker, const struct ip *ip, uint16_t port,
			   struct docker_container *ret);

/* One config.v2.json. 0 or -EBADMSG. Pure. */
int docker_parse(const char *text, struct docker_container *ret);

#endif

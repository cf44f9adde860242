/* Who holds a published port for somebody, and for whom, as its command line says. */
#ifndef SOURCE_PROXY_H
#define SOURCE_PROXY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/ip.h"
#include "model/socket.h"

enum proxy_kind {
	PROXY_NONE,
	PROXY_DOCKER,	 /* docker-proxy: to an address and a port */
	PROXY_CONMON,	 /* Podman's and CRI-O's monitor: keeps the port from others */
	PROXY_NAMESPACE, /* slirp4netns, pasta: the network of one namespace */
	PROXY_PARENT,	 /* rootlesskit, rootlessport: the network of one of its children */
};

struct proxy {
	enum proxy_kind kind;
	bool has_ip;
	struct ip ip;
	uint16_t port;	 /* where it sends what comes; 0: it does not say */
	int32_t pid;	 /* of a process in the namespace that is served; 0: it does not say */
	char netns[256]; /* a path of that namespace, or "" */
	char id[128], name[128]; /* of the container; "" */
	char bundle[384];	 /* its folder; "" */
};

/* The process called @name with its arguments joined by spaces, that holds @port. False: it is no
 * proxy. Pure. */
bool proxy_parse(const char *name, const char *cmdline, enum proto proto, uint16_t port,
		 struct proxy *ret);

/* May a process of that name be one, by its arguments? Pure. */
bool proxy_may_be(const char *name);

#endif

/* Names of addresses that this host knows without asking anybody: /etc/hosts, and in which order
 * its resolver tries the addresses of a name (RFC 6724, gai.conf(5)). */
#ifndef MODEL_HOSTS_H
#define MODEL_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/netns.h"

struct host_name {
	struct ip ip;
	const char *name; /* the first of its line */
};

struct hosts {
	const struct host_name *names; /* in the order of the file */
	uint32_t n;
	bool localhost_v4, localhost_v6; /* addresses that "localhost" has in the file */
	bool is_v4_first;		 /* gai.conf puts IPv4 before IPv6 */
};

/* NULL: none. @hosts may be NULL. */
const char *hosts_name(const struct hosts *hosts, const struct ip *ip);

/* The addresses of "localhost" in the order in which a client tries them; how many (0 to 2). Where
 * the file does not have it both are assumed, as nss-myhostname(8) and the resolvers do. @netns
 * (may be NULL) drops ::1 where IPv6 is off. */
unsigned hosts_localhost(const struct hosts *hosts, const struct netns *netns, struct ip ret[2]);

#endif

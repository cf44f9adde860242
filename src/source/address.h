/* A socket's end as the system calls take it. */
#ifndef SOURCE_ADDRESS_H
#define SOURCE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "model/ip.h"
#include "model/socket.h"

/* A socket of that protocol and family, closed on exec; @flags as of socket(2). A descriptor;
 * -EPROTONOSUPPORT: none can be made for a trial (raw); negative errno. */
int address_socket(enum proto proto, bool is_v4, int flags);

/* @scope: the interface of a link-local IPv6 address, or 0. The length. */
socklen_t address_fill(const struct ip *ip, bool is_v4, uint16_t port, uint32_t scope,
		       struct sockaddr_storage *ret);

#endif

/* The quiet stand-in: a socket of the same family, address and flags to which nobody comes. It
 * takes the place of one that is to go, so that its number is never empty: a program finds there
 * what it expects, and waits. */
#ifndef ACT_STAND_IN_H
#define ACT_STAND_IN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>

#include "base/error.h"
#include "model/plan.h"

/* What of a socket its program could see. */
struct looks {
	int domain, type, protocol;
	struct sockaddr_storage address;
	socklen_t address_length;
	bool is_listening, is_v6only, has_reuseaddr, has_reuseport, is_nonblocking;
	int backlog;
	struct timeval receive_timeout; /* accept() comes back after it: 0 never */
};

/* As far as the plan knows it. */
void looks_of_target(const struct identity *target, struct looks *ret);

/* As the socket itself says; @fd is a copy of it. */
void looks_of_socket(int fd, struct looks *ret);

/* Such a socket in a network namespace of its own that has nothing in it, and so no traffic. A
 * descriptor, or negative errno where no namespace may be made. */
int stand_in_make(const struct looks *looks, struct error *err);

/* One descriptor over a connected AF_UNIX socket: as SCM_RIGHTS. 0 or a descriptor, or negative
 * errno. */
int descriptor_send(int through, int fd);
int descriptor_receive(int through);

#endif

/* A scan by SYN packets of our own making: fast, and no program sees a connection. Needs
 * CAP_NET_RAW. */
#ifndef SCAN_SYN_H
#define SCAN_SYN_H

#include "scan/job.h"
#include "scan/packet.h"
#include "scan/ring.h"

/* Fills the job's answers as connect_scan does. 0; -EPERM (no right to), other negative errno; with
 * @err told. */
int syn_scan(const struct job *job, struct error *err);

/* The sockets of one thread: they are opened before the thread gives up its rights. */
#define SYN_PORTS 16 /* an aligned run of source ports, one a pass and some for samples */

struct syn_sockets {
	int send;	  /* raw: the kernel chooses route and neighbour */
	int send_frames;  /* packet socket: along a way that is known */
	int ways;	  /* to ask for ways; -1: nothing may go past the kernel's own */
	int receive;	  /* packet socket, filtered to our ports and to ICMP errors */
	struct ring ring; /* what it has received */
	int translated;	  /* own IPv4 addresses where NAT may be: a raw socket behind it; else -1 */
	int held[SYN_PORTS]; /* bound, so that nobody else gets one of our ports */
	uint16_t base;	     /* the first of them */
};

/* @is_own: what answers may be NAT's, by a rule for what this host sends itself. A packet socket
 * sees an answer before it is translated back. */
int syn_open(struct syn_sockets *sockets, bool is_v4, bool is_own);
void syn_close(struct syn_sockets *sockets);

/* The source address that the kernel takes for @target. 0 or negative errno: no way there. */
int syn_source(const struct scan_target *target, struct ip *ret);

#endif

/* A scan of SCTP by INIT chunks of our own making: neither end's kernel needs to know SCTP for it,
 * and no association comes to be. Needs CAP_NET_RAW. */
#ifndef SCAN_SCTP_H
#define SCAN_SCTP_H

#include "scan/job.h"

/* An INIT ACK is open, an ABORT closed, an ICMP error filtered. 0; -EPERM (no right to), other
 * negative errno; with @err told. */
int sctp_scan(const struct job *job, struct error *err);

/* The answer says that the host, not only the port, knows no SCTP (RFC 792; RFC 4443, 3.4). */
bool sctp_is_unknown_there(const struct answer *answer, bool is_v4);

#endif

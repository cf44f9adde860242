/* A connect of our own, to learn what becomes of it. */
#ifndef WHY_PROBE_H
#define WHY_PROBE_H

#include "model/diagnosis.h"

struct probe {
	int error;    /* errno; ETIMEDOUT where no answer came in time */
	bool is_icmp; /* an ICMP message told it; else a TCP answer, or the kernel's own table */
	uint8_t icmp_type, icmp_code;
	bool has_offender; /* who sent the message */
	struct ip offender, from;
	uint16_t from_port;
};

/* Dials the question's address in the namespace that the thread is in and hangs up at once; UDP: an
 * empty datagram. @from_port 0: any. */
void probe_run(const struct question *question, uint16_t from_port, int timeout_ms,
	       struct probe *ret);

#endif

/* All that is done to learn what one port is: which question follows which, on at most two
 * connections at once. Told what came and when; sockets are its connections', the clock is its
 * caller's. */
#ifndef SCAN_IDENTIFY_INQUIRY_H
#define SCAN_IDENTIFY_INQUIRY_H

#include "scan/identify/connection.h"

#define INQUIRY_SLOTS 2

enum phase {
	PHASE_LISTEN,	/* a greeting is waited for */
	PHASE_ASK,	/* question after question, a short wait for each */
	PHASE_PATIENT,	/* those again that were met with silence, with a long wait */
	PHASE_CONVERSE, /* recognised: one connection, one protocol */
	PHASE_DONE,
};

struct inquiry {
	size_t i; /* of the targets */
	const struct identify_target *target;
	struct place place;
	const struct tls_functions *tls; /* NULL: no module */
	enum phase phase;
	struct connection slots[INQUIRY_SLOTS];
	const struct protocol *asked[INQUIRY_SLOTS]; /* what each slot asks */
	const struct protocol *order[PROTOCOLS_MAX];
	unsigned n_order, next;
	uint64_t silent, excluded; /* protocols by place */
	unsigned n_closed, n_silent, n_again;
	bool has_heard; /* something that nobody recognised */
	bool tls_tried, no_alpn, tls_wanted;
	bool is_shut;  /* it ended the first connection before we had said a word */
	uint64_t trip; /* microseconds of the first connect */
	uint64_t ends; /* its own limit */
	int parted;    /* a descriptor on which the peer's end is to be waited for; -1 */
	struct identified result;
};

/* The first connection is begun. */
void inquiry_start(struct inquiry *inquiry, uint64_t now);
/* Slot's socket is ready, or its time is over. True: more may be ready, and others had to wait. */
bool inquiry_ready(struct inquiry *inquiry, struct connection *connection, uint64_t now,
		   int64_t seconds);
void inquiry_late(struct inquiry *inquiry, struct connection *connection, uint64_t now);
/* It is broken off: what is known is kept. */
void inquiry_end(struct inquiry *inquiry, enum identify_outcome outcome);

#endif

/* Why a port cannot be had: the causes that the kernel knows are looked for, then it is tried. */
#ifndef WHY_WHY_H
#define WHY_WHY_H

#include "base/error.h"
#include "model/diagnosis.h"
#include "why/probe.h"
#include "why/subject.h"
#include "why/traced.h"

/* One question under way. */
struct inquiry {
	struct host *host;
	const struct snapshot
		*snapshot; /* sealed; sockets of the port, in the namespace asked about */
	const struct found_netns *place; /* the namespace asked about */
	struct subject subject;		 /* whose attempt it is */
	struct diagnosis *diagnosis;	 /* the question is in it */
	uint32_t own_inode; /* the socket that tries, where there is one: not in its own way */
	bool is_bound;	    /* and it is bound already */
	/* of a connect */
	struct traced traced;
	struct probe probe;   /* what came of our own */
	uint16_t probe_port;  /* its own end; 0 any */
	bool has_traced;      /* it was traced through this host */
	bool is_explained;    /* a family has found the cause: the others need not */
	uint32_t destination; /* namespace where the packet was seen to end; NONE: by its address */
};

/* Fills the diagnosis: tries it where @tries (else the diagnosis's answer is
 * what was seen already), looks for the causes, and holds both against each other. 0 or negative
 * errno with
 * @err told. */
/* The namespace of the snapshot that the question's packets go to, by the address; NONE: none of
 * this host.
 */
uint32_t why_destination(const struct inquiry *inquiry);

int why_find(struct inquiry *inquiry, bool tries, struct error *err);

#endif

/* What is said on one connection, fed in any pieces, and what follows from it: first all protocols
 * look at it until one recognises it, then that one converses. No socket, no clock. */
#ifndef SCAN_IDENTIFY_DIALOGUE_H
#define SCAN_IDENTIFY_DIALOGUE_H

#include "scan/identify/protocol.h"

enum dialogue_state {
	DIALOGUE_OPEN,	  /* more is waited for */
	DIALOGUE_CLAIMED, /* recognised by an answer to another's question: ask anew
			   * (dialogue_renew)
			   */
	DIALOGUE_FRESH,	  /* goes on over a new connection (dialogue_renew) */
	DIALOGUE_AGAIN,	  /* to be asked anew, in a while (dialogue_renew) */
	DIALOGUE_TLS,	  /* goes on inside TLS, over the same connection (dialogue_secured) */
	DIALOGUE_DONE,	  /* all is known */
	DIALOGUE_NOBODY,  /* no protocol recognises it, or no more comes */
};

struct dialogue {
	enum dialogue_state state;
	const struct protocol *asked; /* whose hello went out; NULL: none */
	const struct protocol *claim; /* who recognised it; NULL: none yet */
	uint64_t excluded; /* protocols, by their place in the table, that were wrong before */
	uint64_t alive;
	size_t wants[PROTOCOLS_MAX];  /* of those alive */
	size_t looked[PROTOCOLS_MAX]; /* the longest prefix that each has seen */
	size_t want;		      /* the claim's */
	uint8_t *in;		      /* MESSAGE_MAX bytes of the owner's */
	size_t n;		      /* in @in */
	size_t seen;	/* of @in by the claim: from here on a newline is looked for */
	uint64_t n_all; /* ever fed */
	struct talk talk;
};

/* @in has MESSAGE_MAX bytes and lives as long; so do @place and @seen. */
void dialogue_start(struct dialogue *dialogue, uint8_t *in, const struct place *place,
		    struct identified *seen, uint64_t excluded);

/* The hello of @protocol into dialogue->talk.say, whose answer is then awaited. */
void dialogue_ask(struct dialogue *dialogue, const struct protocol *protocol);

/* How many bytes may be fed now; 0 when it is no longer open. */
size_t dialogue_room(const struct dialogue *dialogue);

/* Bytes of the peer, in any pieces, at most dialogue_room(). What is to be sent stands in talk.say
 * (the owner sends it and sets n_say to 0). */
void dialogue_feed(struct dialogue *dialogue, const void *bytes, size_t n);

/* No more comes: closed, silence, the end of a datagram. */
void dialogue_end(struct dialogue *dialogue);

/* After CLAIMED, FRESH or AGAIN: a new connection, on which talk.say is to be sent. */
void dialogue_renew(struct dialogue *dialogue);

/* After TLS: the handshake is done, talk.say is to be sent inside. What was read before it is
 * forgotten, for nobody has vouched for it. */
void dialogue_secured(struct dialogue *dialogue);

#endif

/* One connection, or one UDP socket, of an inquiry: its bytes through TLS or not, and the dialogue
 * that they feed. */
#ifndef SCAN_IDENTIFY_CONNECTION_H
#define SCAN_IDENTIFY_CONNECTION_H

#include <sys/socket.h>

#include "scan/identify.h"
#include "scan/identify/dialogue.h"
#include "scan/tls/tls.h"

#define OUT_MAX 8192

struct connection {
	int fd; /* -1: none */
	const struct identify_target *target;
	bool is_connected, is_udp;
	bool is_attended;		   /* the owner's: its descriptor is in the loop */
	bool has_ended;			   /* the peer's end came */
	uint64_t opened, connected, heard; /* microseconds; 0 not yet */
	uint64_t until;			   /* what it waits for is waited for so long */

	const struct tls_functions *with; /* of the module, or NULL */
	struct tls *tls;
	bool is_shaken;		 /* the handshake is done */
	bool is_upgraded;	 /* TLS was begun on the way (STARTTLS) */
	size_t n_last;		 /* of the last datagram, which still stands in talk.say */
	unsigned n_repeats;	 /* how often that was sent again */
	bool is_plain_after_all; /* what answered the TLS hello is no TLS */
	bool heard_tls;		 /* a record of TLS came */
	uint8_t out[OUT_MAX];
	size_t n_out;

	struct dialogue dialogue;
	uint8_t in[MESSAGE_MAX];
	struct identified seen;
	void *owner; /* the inquiry */
};

/* Begins to connect. @tls: NULL for a plain one. 0, or negative errno: it cannot even be tried. */
int connection_open(struct connection *connection, const struct identify_target *target,
		    const struct tls_functions *with, struct tls *tls, uint64_t now);

/* TLS begins on it, behind what is said already. */
void connection_secure(struct connection *connection, const struct tls_functions *with,
		       struct tls *tls);

/* Sends the last datagram again: it or its answer may be lost, or its server slow. False: that was
 * done often enough. */
bool connection_repeat(struct connection *connection);

/* Closes at once; fine when it is not open. */
void connection_close(struct connection *connection);

/* Says our end and gives the descriptor, on which the peer's end may be waited for; -1: none. */
int connection_part(struct connection *connection);

enum came {
	CAME_NOTHING,
	CAME_CONNECTED,
	CAME_SHAKEN,
	CAME_BYTES,
	CAME_PART, /* of a record of TLS: more of it may wait */
	CAME_END,
	CAME_FAILED
};

/* One step of what is ready: bytes go into the dialogue. CAME_FAILED: not connectable, or TLS
 * failed (then heard_tls says whether it was any). Call again until CAME_NOTHING. */
enum came connection_step(struct connection *connection, uint64_t now);

/* Sends what the dialogue wants to say and what is left from before. 0 or negative errno. */
int connection_say(struct connection *connection);

#endif

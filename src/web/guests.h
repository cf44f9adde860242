/* The connections that are open: bounded in number and time, whoever they are. */
#ifndef WEB_GUESTS_H
#define WEB_GUESTS_H

#include <stdbool.h>
#include <stdint.h>

#define GUESTS_MAX 256
#define GUEST_PATIENCE_MS 15000 /* from the first byte, or the last answer, to a whole request */

enum guest_state {
	GUEST_NONE,
	GUEST_WAITED_FOR, /* no whole request yet */
	GUEST_SERVED,	  /* its request is being answered */
};

struct guest {
	int fd;
	uint64_t cookie; /* of the socket: the number may be another's by now */
	uint64_t since_ms;
	enum guest_state state;
	bool is_known; /* it had the token once */
};

struct guests {
	struct guest all[GUESTS_MAX];
	uint64_t n_put_out; /* for lack of room or time */
};

/* A new one. Where there is no room one that never had the token is put out: who is waited for
 * longest, else who is served longest. False: all others are known, there is no room. */
bool guests_add(struct guests *guests, int fd, uint64_t now_ms);

/* NULL: it was put out. */
struct guest *guests_find(struct guests *guests, int fd);

/* It has left. False: nobody else is there. */
bool guests_leave(struct guests *guests, int fd);

/* Puts out who took too long. How long until the next may be; UINT64_MAX: nobody is there. */
uint64_t guests_sweep(struct guests *guests, uint64_t now_ms);

#endif

/* To whom a packet goes: the kernel's choice and the candidates that it was made from. */
#ifndef MODEL_DELIVERY_H
#define MODEL_DELIVERY_H

#include "base/vector.h"
#include "model/snapshot.h"

enum candidate_kind {
	CANDIDATE_CONNECTION, /* exact: all four ends */
	CANDIDATE_ADDRESS,    /* bound to this one address */
	CANDIDATE_WILDCARD,   /* 0.0.0.0 or :: of the packet's own family */
	CANDIDATE_DUAL_STACK, /* :: taking an IPv4 packet */
	CANDIDATE_MAX,
};
extern const char *const candidate_words[CANDIDATE_MAX + 1];

struct candidate {
	uint32_t socket; /* index into the snapshot */
	enum candidate_kind kind;
	bool is_chosen, is_reuseport;
	bool takes;	    /* it would take the packet if it were alone */
	uint8_t score;	    /* the kernel's preference among those that take it */
	const char *reason; /* why it was or was not; constant */
};

struct delivery {
	uint8_t proto;
	struct ip to, from;
	bool is_v4, has_from;
	uint16_t to_port, from_port;
	uint32_t netns;
	uint32_t chosen;   /* index, or NONE: nobody */
	bool is_by_kernel; /* the kernel itself was asked; else worked out from the snapshot */
	bool is_outside;   /* the kernel chose a socket that is not in the snapshot */
	bool is_steered;   /* chosen is no candidate by its address: an sk_lookup program */
	bool is_local;	   /* `to` is an address of this host */
	const char *note;  /* in words: what happens where nobody is chosen */
	struct vector candidates; /* struct candidate; of the snapshot's namespace @netns */
};

void delivery_init(struct delivery *delivery);
void delivery_done(struct delivery *delivery);

/* Fills candidates, is_local and note from the snapshot by the kernel's own rules
 * (inet_hashtables.c, udp.c). proto, to, is_v4, to_port, netns, and with has_from from and
 * from_port (0: any), are given. Where is_by_kernel is set, chosen is the kernel's and stays, and
 * the reasons are told around it (is_steered where the addresses would have given another); else
 * chosen is worked out too. 0 or -ENOMEM. */
int delivery_work_out(const struct snapshot *snapshot, struct delivery *delivery);

#endif

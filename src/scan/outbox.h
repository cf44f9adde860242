/* Packets that are sent together: as packets, whose route and neighbour the kernel looks up for
 * each, or as whole frames, which is cheaper by a third and passes no rule on its way out. */
#ifndef SCAN_OUTBOX_H
#define SCAN_OUTBOX_H

#include <linux/if_packet.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "scan/packet.h"
#include "scan/pending.h"
#include "scan/link-way.h"

#define OUTBOX_BATCH 128

union outbox_to {
	union any_address ip;
	struct sockaddr_ll link;
};

struct outbox {
	int fd; /* borrowed: a raw socket or a packet socket */
	bool is_link;
	unsigned n, sent;
	struct mmsghdr messages[OUTBOX_BATCH];
	struct iovec parts[OUTBOX_BATCH];
	union outbox_to to[OUTBOX_BATCH];
	uint32_t probes[OUTBOX_BATCH]; /* the caller's number of each */
	/* room for the link's header before an IP header that is aligned */
	uint8_t bytes[OUTBOX_BATCH][16 + PACKET_SYN_MAX];
};

void outbox_init(struct outbox *outbox, int fd, bool is_link);

/* Where the next packet is written, from its IP header on. Not of a full one. */
static inline uint8_t *outbox_room(struct outbox *outbox)
{
	return outbox->bytes[outbox->n] + 16;
}

/* It is @n bytes of @probe, to an address of a raw socket, or along a way. */
void outbox_add_packet(struct outbox *outbox, uint32_t probe, size_t n, const union any_address *to,
		       socklen_t n_to);
void outbox_add_frame(struct outbox *outbox, uint32_t probe, size_t n, const struct link_way *way);

/* Sends on. 0: all are out, and it is empty; else the errno that the one at outbox->sent met. */
int outbox_send(struct outbox *outbox);

#endif

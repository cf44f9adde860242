/* Packets that are sent together. */
#include <errno.h>
#include <string.h>

#include "scan/outbox.h"

void outbox_init(struct outbox *outbox, int fd, bool is_link)
{
	outbox->fd = fd;
	outbox->is_link = is_link;
	outbox->n = outbox->sent = 0;
	for (unsigned i = 0; i < OUTBOX_BATCH; i++)
		outbox->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &outbox->to[i], .msg_iov = &outbox->parts[i], .msg_iovlen = 1};
}

static void add(struct outbox *outbox, uint32_t probe, void *bytes, size_t n, socklen_t n_to)
{
	outbox->parts[outbox->n] = (struct iovec){bytes, n};
	outbox->messages[outbox->n].msg_hdr.msg_namelen = n_to;
	outbox->probes[outbox->n++] = probe;
}

void outbox_add_packet(struct outbox *outbox, uint32_t probe, size_t n, const union any_address *to,
		       socklen_t n_to)
{
	outbox->to[outbox->n].ip = *to;
	add(outbox, probe, outbox_room(outbox), n, n_to);
}

void outbox_add_frame(struct outbox *outbox, uint32_t probe, size_t n, const struct link_way *way)
{
	uint8_t *head = outbox_room(outbox) - WAY_HEAD;
	packet_seal(outbox_room(outbox));
	memcpy(head, way->head, WAY_HEAD);
	outbox->to[outbox->n].link =
		(struct sockaddr_ll){.sll_family = AF_PACKET, .sll_ifindex = way->interface};
	add(outbox, probe, head, n + WAY_HEAD, sizeof(struct sockaddr_ll));
}

int outbox_send(struct outbox *outbox)
{
	while (outbox->sent < outbox->n) {
		int r = sendmmsg(outbox->fd, outbox->messages + outbox->sent,
				 outbox->n - outbox->sent, 0);
		if (r <= 0)
			return r < 0 ? errno : EAGAIN;
		outbox->sent += (unsigned)r;
	}
	outbox->n = outbox->sent = 0;
	return 0;
}

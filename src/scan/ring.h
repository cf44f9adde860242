/* What a packet socket receives, in memory that it shares with the kernel: no copy, no call for a
 * packet (packet(7), PACKET_RX_RING; Documentation/networking/packet_mmap.rst). */
#ifndef SCAN_RING_H
#define SCAN_RING_H

#include <stddef.h>
#include <stdint.h>

struct ring {
	uint8_t *memory; /* NULL: none */
	size_t size;
	unsigned next; /* the frame that comes next */
};

/* For the packet socket @fd, which receives nothing yet. 0 or negative errno; ring_close() in
 * either case. */
int ring_open(int fd, struct ring *ret);
void ring_close(struct ring *ring);

/* The oldest packet from its IP header on, cut where it is long; NULL: there is none. It stands
 * until ring_free(). */
const uint8_t *ring_packet(const struct ring *ring, size_t *ret_n);
void ring_free(struct ring *ring);

#endif

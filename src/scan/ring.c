/* The receiving ring of a packet socket. */
#include <errno.h>
#include <linux/if_packet.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "scan/ring.h"

/* Room for what comes while the one who reads does not run; more would not stay in the cache (4,096
 * cost a tenth more), and what finds no room is asked again. A frame holds an ICMP error with all
 * that is read of it. */
#define FRAME_BYTES 256
#define FRAMES 1024
#define BLOCK_BYTES 65536

static volatile struct tpacket2_hdr *frame_of(const struct ring *ring)
{
	return (volatile struct tpacket2_hdr *)(ring->memory + (size_t)ring->next * FRAME_BYTES);
}

int ring_open(int fd, struct ring *ret)
{
	const int version = TPACKET_V2;
	const struct tpacket_req wanted = {.tp_block_size = BLOCK_BYTES,
					   .tp_block_nr = FRAMES * FRAME_BYTES / BLOCK_BYTES,
					   .tp_frame_size = FRAME_BYTES,
					   .tp_frame_nr = FRAMES};
	*ret = (struct ring){.size = (size_t)FRAMES * FRAME_BYTES};
	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &wanted, sizeof(wanted)) < 0)
		return -errno;
	void *memory = mmap(NULL, ret->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	ret->memory = memory;
	return 0;
}

void ring_close(struct ring *ring)
{
	if (ring->memory)
		munmap(ring->memory, ring->size);
	*ring = (struct ring){0};
}

const uint8_t *ring_packet(const struct ring *ring, size_t *ret_n)
{
	volatile struct tpacket2_hdr *frame = frame_of(ring);
	if (!(frame->tp_status & TP_STATUS_USER))
		return NULL;
	atomic_thread_fence(memory_order_acquire);
	size_t at = frame->tp_net, n = frame->tp_snaplen;
	if (at > FRAME_BYTES)
		n = at = 0;
	*ret_n = n < FRAME_BYTES - at ? n : FRAME_BYTES - at;
	return ring->memory + (size_t)ring->next * FRAME_BYTES + at;
}

void ring_free(struct ring *ring)
{
	atomic_thread_fence(memory_order_release);
	frame_of(ring)->tp_status = TP_STATUS_KERNEL;
	ring->next = (ring->next + 1) % FRAMES;
}

/* The ring of BPF programs, read. */
#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/bpf/ringbuf.h"

#define BATCH 64 /* records whose room is given back at once */

int ringbuf_open(int map, size_t size, struct ringbuf *ring)
{
	ring->page = (size_t)sysconf(_SC_PAGESIZE);
	ring->size = size;
	void *consumer = mmap(NULL, ring->page, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	ring->consumer = consumer;
	void *producer =
		mmap(NULL, ring->page + 2 * size, PROT_READ, MAP_SHARED, map, (off_t)ring->page);
	if (producer == MAP_FAILED)
		return -errno;
	ring->producer = producer;
	ring->at = *ring->consumer;
	return 0;
}

void ringbuf_done(struct ringbuf *ring)
{
	if (ring->consumer)
		munmap(ring->consumer, ring->page);
	if (ring->producer)
		munmap((void *)(uintptr_t)ring->producer, ring->page + 2 * ring->size);
	*ring = (struct ringbuf){0};
}

uint64_t ringbuf_end(const struct ringbuf *ring)
{
	return __atomic_load_n((const uint64_t *)(const void *)ring->producer, __ATOMIC_ACQUIRE);
}

void ringbuf_acknowledge(struct ringbuf *ring, uint64_t until)
{
	__atomic_store_n(ring->consumer, until < ring->at ? until : ring->at, __ATOMIC_RELEASE);
}

int ringbuf_read(struct ringbuf *ring, uint64_t end, uint32_t limit, bool acknowledges,
		 ringbuf_take *take, void *data)
{
	uint32_t n = 0;
	int r = 0;
	while (r >= 0 && n < limit && ring->at < end) {
		const char *record = ring->producer + ring->page + (ring->at & (ring->size - 1));
		uint32_t head =
			__atomic_load_n((const uint32_t *)(const void *)record, __ATOMIC_ACQUIRE);
		uint32_t size = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		if (head & BPF_RINGBUF_BUSY_BIT || size > ring->size)
			break;
		if (!(head & BPF_RINGBUF_DISCARD_BIT))
			r = take(data, record + BPF_RINGBUF_HDR_SZ, size);
		ring->at += ((uint64_t)size + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
		n++;
		if (acknowledges && n % BATCH == 0)
			ringbuf_acknowledge(ring, ring->at);
	}
	if (acknowledges)
		ringbuf_acknowledge(ring, ring->at);
	return r < 0 ? r : (int)n;
}

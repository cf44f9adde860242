/* The ring through which programs hand records to one reader: BPF_MAP_TYPE_RINGBUF, bpf(2). */
#ifndef SOURCE_BPF_RINGBUF_H
#define SOURCE_BPF_RINGBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ringbuf {
	size_t size, page;
	uint64_t *consumer;   /* a page that we write; NULL: not mapped */
	const char *producer; /* a page that we read, and twice the ring behind it */
	uint64_t at;	      /* how far it was read, in bytes since it was made */
};

/* One record. Negative errno ends the reading. */
typedef int ringbuf_take(void *data, const void *bytes, size_t n);

/* Maps @map of @size bytes; {0} before. 0 or negative errno. */
int ringbuf_open(int map, size_t size, struct ringbuf *ring);
void ringbuf_done(struct ringbuf *ring);

/* Hands on what is whole and begins before @end, at most @limit records; where it @acknowledges
 * their room is given back as it goes. How many; negative: what @take said. */
int ringbuf_read(struct ringbuf *ring, uint64_t end, uint32_t limit, bool acknowledges,
		 ringbuf_take *take, void *data);
/* Gives back the room of what was read, up to @until. */
void ringbuf_acknowledge(struct ringbuf *ring, uint64_t until);
/* How far records were written, or are being. */
uint64_t ringbuf_end(const struct ringbuf *ring);

#endif

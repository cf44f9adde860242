/* Bytes on their way out: one buffer, written in large pieces, to a descriptor or kept in memory.
 */
#ifndef BASE_OUT_H
#define BASE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attributes.h"

struct out {
	char *data;
	size_t n, capacity;
	int fd;	   /* -1: kept in memory, the buffer grows */
	int error; /* negative errno of the first write that failed; later ones are dropped */
};

/* 0 or -ENOMEM. @fd is borrowed. */
int out_init(struct out *out, int fd);
void out_done(struct out *out);

/* Writes what is buffered. 0, or the first error of this output's life. */
int out_flush(struct out *out);

/* Makes room for @n more bytes; where there is none, out->error is set and false comes back. */
bool out_room_slow(struct out *out, size_t n);

static inline bool out_room(struct out *out, size_t n)
{
	return likely(out->capacity - out->n >= n) || out_room_slow(out, n);
}

static inline void out_bytes(struct out *out, const void *bytes, size_t n)
{
	if (!out_room(out, n))
		return;
	memcpy(out->data + out->n, bytes, n);
	out->n += n;
}

static inline void out_char(struct out *out, char c)
{
	if (!out_room(out, 1))
		return;
	out->data[out->n++] = c;
}

static inline void out_string(struct out *out, const char *string)
{
	out_bytes(out, string, strlen(string));
}

void out_u64(struct out *out, uint64_t number);
void out_i64(struct out *out, int64_t number);
void out_spaces(struct out *out, size_t n);
void out_format(struct out *out, const char *format, ...) printf_like(2, 3);

#endif

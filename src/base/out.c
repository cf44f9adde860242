/* Bytes on their way out. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/faults.h"
#include "base/format.h"
#include "base/memory.h"
#include "base/out.h"

#define BUFFER_SIZE 65536

int out_init(struct out *out, int fd)
{
	*out = (struct out){.fd = fd, .data = malloc(BUFFER_SIZE), .capacity = BUFFER_SIZE};
	return out->data ? 0 : -ENOMEM;
}

void out_done(struct out *out)
{
	memory_free(out->data, out->capacity);
	*out = (struct out){.fd = -1};
}

int out_flush(struct out *out)
{
	size_t at = 0;
	while (out->fd >= 0 && at < out->n && !out->error) {
		ssize_t n = -1;
		if (fault_is_due(FAULT_WRITE))
			errno = ENOSPC;
		else
			n = write(out->fd, out->data + at, out->n - at);
		if (n < 0 && errno != EINTR)
			out->error = -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	if (out->fd >= 0)
		out->n = 0;
	return out->error;
}

bool out_room_slow(struct out *out, size_t n)
{
	if (out->fd >= 0)
		out_flush(out);
	if (out->error)
		return false;
	if (out->capacity - out->n >= n)
		return true;

	size_t capacity = out->capacity;
	while (capacity - out->n < n)
		capacity *= 2;
	char *data = memory_resize(out->data, &out->capacity, out->n, capacity);
	if (!data) {
		out->error = -ENOMEM;
		return false;
	}
	out->data = data;
	return true;
}

void out_u64(struct out *out, uint64_t number)
{
	if (out_room(out, FORMAT_NUMBER_MAX))
		out->n += format_u64(out->data + out->n, number);
}

void out_i64(struct out *out, int64_t number)
{
	if (out_room(out, FORMAT_NUMBER_MAX))
		out->n += format_i64(out->data + out->n, number);
}

void out_spaces(struct out *out, size_t n)
{
	if (!out_room(out, n))
		return;
	memset(out->data + out->n, ' ', n);
	out->n += n;
}

void out_format(struct out *out, const char *format, ...)
{
	char text[1024];
	va_list arguments;
	va_start(arguments, format);
	int n = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (n > 0)
		out_bytes(out, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

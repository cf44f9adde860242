/* Standard output that nobody waits for. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/faults.h"
#include "cmd/outlet.h"

/* Told to stop: how long a reader may take nothing, and how long it all may take. */
#define PATIENCE_MS 1000
#define FINISH_MS 5000

int outlet_init(struct outlet *outlet, int fd)
{
	struct stat status = {0};
	char path[32];
	*outlet = (struct outlet){.fd = fd};
	fstat(fd, &status);
	outlet->is_socket = S_ISSOCK(status.st_mode);
	outlet->is_quick = S_ISREG(status.st_mode) || S_ISBLK(status.st_mode) ||
			   (S_ISCHR(status.st_mode) && !isatty(fd));
	/* opened anew, so that O_NONBLOCK is ours alone and not the shell's too */
	if (!outlet->is_quick && !outlet->is_socket) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		outlet->fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		outlet->is_own = outlet->fd >= 0;
		if (!outlet->is_own)
			outlet->fd = fd;
	}
	return out_init(&outlet->out, -1);
}

void outlet_done(struct outlet *outlet)
{
	if (outlet->is_own)
		close(outlet->fd);
	out_done(&outlet->out);
	outlet->is_own = false;
}

/* It would not wait: else so much as a pipe that poll calls writable takes at once. */
static ssize_t put(const struct outlet *outlet, const char *bytes, size_t n)
{
	struct pollfd writable = {.fd = outlet->fd, .events = POLLOUT};
	if (fault_is_due(FAULT_WRITE)) {
		errno = ENOSPC;
		return -1;
	}
	if (outlet->is_socket)
		return send(outlet->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (outlet->is_quick || outlet->is_own)
		return write(outlet->fd, bytes, n);
	if (poll(&writable, 1, 0) <= 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(outlet->fd, bytes, n < PIPE_BUF ? n : PIPE_BUF);
}

int outlet_push(struct outlet *outlet)
{
	struct out *out = &outlet->out;
	while (outlet->at < out->n) {
		ssize_t n = put(outlet, out->data + outlet->at, out->n - outlet->at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
			return -errno;
		if (n <= 0)
			break;
		outlet->at += (size_t)n;
	}
	if (outlet->at == out->n) {
		out->n = outlet->at = 0;
	} else if (outlet->at >= OUTLET_MOST / 2) { /* else each push would move it */
		memmove(out->data, out->data + outlet->at, out->n - outlet->at);
		out->n -= outlet->at;
		outlet->at = 0;
	}
	return out->error;
}

int outlet_finish(struct outlet *outlet, const struct stop *stop)
{
	struct pollfd ready[2] = {{.fd = outlet->fd, .events = POLLOUT},
				  {.fd = stop ? stop->fd : -1, .events = POLLIN}};
	uint64_t stopped_ms = 0;
	int r = outlet_push(outlet);
	while (r >= 0 && !outlet_is_empty(outlet)) {
		bool is_stopped = stop_wanted(stop);
		if (is_stopped && !stopped_ms)
			stopped_ms = clock_ms();
		if (is_stopped && clock_ms() - stopped_ms >= FINISH_MS)
			break;
		int n = poll(ready, is_stopped ? 1 : 2, is_stopped ? PATIENCE_MS : -1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		r = outlet_push(outlet);
	}
	return r;
}

uint64_t outlet_lines_left(const struct outlet *outlet)
{
	uint64_t n = 0;
	for (size_t i = outlet->at; i < outlet->out.n; i++)
		n += outlet->out.data[i] == '\n';
	return n;
}

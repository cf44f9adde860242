/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loops of the echo server. */
#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "server.h"

#define CONNECTIONS 64

static void loop_poll(void)
{
	struct pollfd polled[CONNECTIONS] = {{.fd = listener, .events = POLLIN}};
	nfds_t n = 1;
	int timeout = strcmp(loop_name, "poll-timeout") == 0 ? 3600000 : -1;

	for (;; counters->turns++) {
		if (!is_good(poll(polled, n, timeout)))
			continue;
		for (nfds_t i = 1; i < n; i++) {
			if (!polled[i].revents || echo(polled[i].fd))
				continue;
			close(polled[i].fd);
			polled[i--] = polled[--n];
		}
		if (polled[0].revents && n < CONNECTIONS) {
			int fd = take();
			if (fd >= 0)
				polled[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
		}
	}
}

static void loop_select(void)
{
	int fds[CONNECTIONS] = {listener}, n = 1;

	for (;; counters->turns++) {
		fd_set set;
		int most = 0;
		FD_ZERO(&set);
		for (int i = 0; i < n; i++) {
			FD_SET(fds[i], &set);
			most = most > fds[i] ? most : fds[i];
		}
		if (!is_good(select(most + 1, &set, NULL, NULL, NULL)))
			continue;
		for (int i = 1; i < n; i++) {
			if (!FD_ISSET(fds[i], &set) || echo(fds[i]))
				continue;
			close(fds[i]);
			fds[i--] = fds[--n];
		}
		if (FD_ISSET(listener, &set) && n < CONNECTIONS) {
			fds[n] = take();
			n += fds[n] >= 0;
		}
	}
}

static int wait_epoll(int epoll, struct epoll_event *event)
{
	struct timespec hour = {.tv_sec = 3600};

	if (strcmp(loop_name, "epoll-pwait") == 0)
		return epoll_pwait(epoll, event, 1, -1, NULL);
	if (strcmp(loop_name, "epoll-pwait2") == 0)
		return (int)syscall(SYS_epoll_pwait2, epoll, event, 1, &hour, NULL, 0);
	return epoll_wait(epoll, event, 1, -1);
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		fail("epoll_ctl");
}

static void loop_epoll(void)
{
	int epoll = epoll_create1(0);

	watch(epoll, listener);
	for (;; counters->turns++) {
		struct epoll_event event;
		if (!is_good(wait_epoll(epoll, &event)))
			continue;
		if (event.data.fd != listener) {
			if (!echo(event.data.fd))
				close(event.data.fd);
			continue;
		}
		int fd = take();
		if (fd >= 0)
			watch(epoll, fd);
	}
}

static void loop_accept(void)
{
	struct timeval hour = {.tv_sec = 3600};

	if (strcmp(loop_name, "accept-timeout") == 0)
		setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &hour, sizeof(hour));
	for (;; counters->turns++) {
		int fd = take();
		if (fd >= 0)
			start_thread(serve, (void *)(intptr_t)fd);
	}
}

static void loop_udp(void)
{
	for (;; counters->turns++) {
		char buffer[2048];
		struct sockaddr_storage from;
		socklen_t length = sizeof(from);
		ssize_t n = recvfrom(listener, buffer, sizeof(buffer), 0, (struct sockaddr *)&from,
				     &length);
		if (is_good(n))
			sendto(listener, buffer, (size_t)n, 0, (struct sockaddr *)&from, length);
	}
}

/* ---- io_uring, by its system calls ---- */

#define ENTRIES 64
#define IS_ACCEPT UINT64_MAX

struct ring {
	int fd;
	char *rings;
	struct io_uring_sqe *sqes;
	struct io_uring_params params;
};

static void ring_start(struct ring *ring)
{
	ring->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &ring->params);
	if (ring->fd < 0)
		fail("make an io_uring");
	ring->rings =
		mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	ring->sqes = mmap(NULL, ENTRIES * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
			  MAP_SHARED, ring->fd, IORING_OFF_SQES);
	if (ring->rings == MAP_FAILED || ring->sqes == MAP_FAILED)
		fail("map an io_uring");
}

static void ring_ask(struct ring *ring, const struct io_uring_sqe *wanted)
{
	_Atomic uint32_t *tail = (_Atomic uint32_t *)(ring->rings + ring->params.sq_off.tail);
	uint32_t *array = (uint32_t *)(ring->rings + ring->params.sq_off.array);
	uint32_t at = *tail & (ENTRIES - 1);

	ring->sqes[at] = *wanted;
	array[at] = at;
	*tail += 1;
	is_good(syscall(SYS_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0));
}

static struct io_uring_cqe ring_wait(struct ring *ring)
{
	_Atomic uint32_t *head = (_Atomic uint32_t *)(ring->rings + ring->params.cq_off.head),
			 *tail = (_Atomic uint32_t *)(ring->rings + ring->params.cq_off.tail);
	struct io_uring_cqe *cqes = (struct io_uring_cqe *)(ring->rings + ring->params.cq_off.cqes);

	while (*head == *tail)
		is_good(syscall(SYS_io_uring_enter, ring->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL,
				0));
	struct io_uring_cqe cqe = cqes[*head & (ring->params.cq_entries - 1)];
	*head += 1;
	return cqe;
}

static void loop_uring(void)
{
	struct ring ring = {0};
	struct io_uring_sqe accepting = {
		.opcode = IORING_OP_ACCEPT, .fd = listener, .user_data = IS_ACCEPT};

	ring_start(&ring);
	ring_ask(&ring, &accepting);
	for (;; counters->turns++) {
		struct io_uring_cqe cqe = ring_wait(&ring);
		int fd = cqe.user_data == IS_ACCEPT ? cqe.res : (int)cqe.user_data;
		if (cqe.user_data == IS_ACCEPT) {
			counters->errors += cqe.res < 0;
			counters->accepted += cqe.res >= 0;
			ring_ask(&ring, &accepting);
		} else if (!echo(fd)) {
			close(fd);
			continue;
		}
		struct io_uring_sqe readable = {.opcode = IORING_OP_POLL_ADD,
						.fd = fd,
						.poll32_events = POLLIN,
						.user_data = (uint64_t)fd};
		if (fd >= 0)
			ring_ask(&ring, &readable);
	}
}

const struct loop loops[] = {
	{"poll", loop_poll},
	{"poll-timeout", loop_poll},
	{"select", loop_select},
	{"epoll", loop_epoll},
	{"epoll-pwait", loop_epoll},
	{"epoll-pwait2", loop_epoll},
	{"accept", loop_accept},
	{"accept-timeout", loop_accept},
	{"io-uring", loop_uring},
	{"udp", loop_udp},
	{0},
};

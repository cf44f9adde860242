/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load: many TCP sockets over many processes; processes: many processes with a few listeners each.
 *
 * On 127.77.x.y, one address a process, so that port numbers do not run out; connections close by
 * reset, so that no TIME_WAIT slows who comes after. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sockets.h"
#include "stage.h"

#define PROCESSES_MAX 2000
#define SOCKETS_MAX 1000000
#define FIRST_PORT 1024

static const struct option options[] = {
	{"processes", "P", "100", "how many processes"},
	{"sockets", "N", "50000",
	 "how many sockets, spread evenly; both ends of a connection count"},
	{"kind", "listeners|connections|half", "connections", "half: half of them listeners"},
	{0},
};

/* One process's share, or what came of it. */
struct share {
	struct sockaddr_in door;    /* of the server; its client dials there */
	_Atomic uint64_t *accepted; /* shared by the two: neither runs away from the other */
	uint64_t listeners, connections;
	uint32_t number; /* of the process: gives its address */
	uint16_t port;	 /* one of its listeners' */
	bool is_server;
};

#define AHEAD_MAX                                                                                \
	2000 /* below net.core.somaxconn, whatever is beyond is dropped and comes a second later \
	      */

static void set_limit(uint64_t descriptors)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	errno = EMFILE;
	if (descriptors + 16 > limit.rlim_max)
		fail("%ju descriptors a process", (uintmax_t)descriptors);
}

static struct sockaddr_in own_address(uint32_t number, uint16_t port)
{
	struct sockaddr_in ret = {.sin_family = AF_INET, .sin_port = htons(port)};

	ret.sin_addr.s_addr = htonl(0x7f4d0001U + (number / 250 << 8) + number % 250);
	return ret;
}

/* Numbers one after another, those that are taken left out: to let the kernel search costs the
 * square. */
static void listen_many(struct share *share)
{
	uint32_t port = FIRST_PORT;

	for (uint64_t i = 0; i < share->listeners; i++) {
		int fd = socket_new(AF_INET, SOCK_STREAM, 0);
		struct sockaddr_in address;
		do {
			errno = EADDRNOTAVAIL;
			if (port > 65535)
				fail("no number is left");
			address = own_address(share->number, (uint16_t)port++);
		} while (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0);
		if (listen(fd, 16) < 0)
			fail("listen");
		share->port = ntohs(address.sin_port);
	}
}

static void serve(struct stage *stage, struct share *share)
{
	struct sockaddr_in address = own_address(share->number, 0);
	socklen_t size = sizeof(address);
	int door = socket_new(AF_INET, SOCK_STREAM, 0);

	if (bind(door, (struct sockaddr *)&address, size) < 0 || listen(door, 4096) < 0 ||
	    getsockname(door, (struct sockaddr *)&address, &size) < 0)
		fail("listen");
	socket_reset_on_close(door); /* inherited by what is accepted */
	share->door = address;
	child_ready(stage, share, sizeof(*share));
	for (uint64_t i = 1; i <= share->connections; i++) {
		socket_accept(door);
		*share->accepted = i;
	}
}

static void dial(const struct share *share)
{
	for (uint64_t i = 0; i < share->connections; i++) {
		int fd = socket_new(AF_INET, SOCK_STREAM, 0);
		socket_reset_on_close(fd);
		if (connect(fd, (const struct sockaddr *)&share->door, sizeof(share->door)) < 0)
			fail("connect");
		while (i >= *share->accepted + AHEAD_MAX)
			pause_shortly();
	}
	while (*share->accepted < share->connections)
		pause_shortly();
}

static void take_share(struct stage *stage, void *arg, void *report)
{
	struct share *share = arg;

	close_others(&stage->ready, 1);
	listen_many(share);
	if (share->is_server)
		serve(stage, share);
	else if (share->connections)
		dial(share);
	memcpy(report, share, sizeof(*share));
}

/* The sockets that process @i of @n is to have. */
static uint64_t part(uint64_t all, uint64_t n, uint64_t i)
{
	return all / n + (i < all % n ? 1 : 0);
}

static _Atomic uint64_t *counters_make(size_t n)
{
	void *ret = mmap(NULL, n * sizeof(uint64_t), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (ret == MAP_FAILED)
		fail("memory for the counters");
	return ret;
}

/* Process @i alone, or with the next one: server and client have the same number of connections. */
static uint64_t start_pair(struct stage *stage, struct share *share, uint64_t sockets, pid_t *pids)
{
	struct share client = *share;

	if (stage_is(stage, "kind", "half"))
		share->listeners = sockets / 2;
	share->connections = sockets - share->listeners;
	share->is_server = true;
	pids[0] = child_start(stage, take_share, share, share, sizeof(*share));
	client.number++;
	client.door = share->door;
	client.listeners = share->listeners;
	client.connections = share->connections;
	pids[1] = child_start(stage, take_share, &client, &client, sizeof(client));
	return 1 + 2 * sockets; /* the door */
}

static void run_load(struct stage *stage)
{
	static pid_t pids[PROCESSES_MAX];
	uint64_t n = stage_number(stage, "processes"), sockets = stage_number(stage, "sockets"),
		 made = 0;
	bool listeners_only = stage_is(stage, "kind", "listeners");
	uint16_t port = 0;

	errno = E2BIG;
	if (n < 2 || n > PROCESSES_MAX || sockets > SOCKETS_MAX)
		fail("%ju processes, %ju sockets", (uintmax_t)n, (uintmax_t)sockets);
	n &= ~1ULL; /* server and client */
	set_limit(part(sockets, n, 0) + 1);
	_Atomic uint64_t *counters = counters_make(n);
	for (uint32_t i = 0; i < n; i += listeners_only ? 1 : 2) {
		struct share share = {.number = i, .accepted = &counters[i]};
		if (listeners_only) {
			share.listeners = part(sockets, n, i);
			pids[i] = child_start(stage, take_share, &share, &share, sizeof(share));
			made += share.listeners;
		} else {
			made += start_pair(stage, &share, part(sockets, n, i), pids + i);
		}
		if (i <= n / 2)
			port = share.listeners ? share.port : ntohs(share.door.sin_port);
	}
	json_uint(&stage->keys, "count", made);
	json_uint(&stage->keys, "port", port);
	json_pids(&stage->keys, "pids", pids, n);
}

static const struct option process_options[] = {
	{"count", "N", "1000", "how many processes"},
	{"sockets", "N", "9", "listeners each"},
	{"address", "ADDRESS", "127.0.0.1", "where; the kernel chooses the numbers, all different"},
	{0},
};

static void listen_few(struct stage *stage, void *arg, void *report)
{
	uint64_t n = stage_number(stage, "sockets");
	int fd = -1;

	(void)arg;
	close_others(&stage->ready, 1);
	for (uint64_t i = 0; i < n; i++)
		fd = socket_listen(stage_word(stage, "address"), 0, 16);
	*(uint16_t *)report = socket_port(fd);
}

static void run_processes(struct stage *stage)
{
	static pid_t pids[PROCESSES_MAX];
	uint64_t n = stage_number(stage, "count"), each = stage_number(stage, "sockets");
	uint16_t port = 0, one;

	errno = E2BIG;
	if (n < 1 || n > PROCESSES_MAX || each < 1 || n * each > 20000)
		fail("%ju processes with %ju listeners", (uintmax_t)n, (uintmax_t)each);
	for (uint64_t i = 0; i < n; i++) {
		pids[i] = child_start(stage, listen_few, NULL, &one, sizeof(one));
		if (i <= n / 2)
			port = one;
	}
	json_uint(&stage->keys, "count", n * each);
	json_uint(&stage->keys, "port", port);
	json_uint(&stage->keys, "pid", (uint64_t)pids[n / 2]);
	json_pids(&stage->keys, "pids", pids, n);
}

const struct scene scene_load = {
	.name = "load",
	.summary = "many TCP sockets over many processes",
	.options = options,
	.run = run_load,
};

const struct scene scene_processes = {
	.name = "processes",
	.summary = "many processes with a few listeners each",
	.options = process_options,
	.run = run_processes,
};

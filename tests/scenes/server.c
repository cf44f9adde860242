/* SPDX-License-Identifier: GPL-2.0-or-later */
/* server LOOP [--option VALUE ...]: an echo server as programs are written, with one loop or
 * another.
 *
 * It says {"port": N, "pid": N} and serves until it is ended. What happens to it stands in a file
 * that it shares with whoever looks (struct counters): no signal, no descriptor and no thread is
 * needed to ask it. It is built twice, once without any shared library. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server.h"

#define STACK (64 << 10)

struct counters *counters;
int listener;
const char *loop_name;

_Noreturn void fail(const char *what)
{
	fprintf(stderr, "server: %s: %s\n", what, strerror(errno));
	exit(errno == ENOSYS || errno == EPERM ? 77 : 3);
}

/* Counts what a call gave; true: it is a value. */
int is_good(long result)
{
	if (result >= 0)
		return 1;
	if (errno == EINTR)
		counters->interrupted++;
	else if (errno != EAGAIN)
		counters->errors++;
	return 0;
}

/* Echoes once; 0: the connection is over. */
int echo(int fd)
{
	char buffer[4096];
	ssize_t n = read(fd, buffer, sizeof(buffer));

	if (!is_good(n))
		return errno == EINTR || errno == EAGAIN;
	for (ssize_t sent = 0; sent < n;) {
		ssize_t r = write(fd, buffer + sent, (size_t)(n - sent));
		if (r < 0 && errno != EINTR && errno != EAGAIN)
			return 0;
		sent += r > 0 ? r : 0;
	}
	return n > 0;
}

int take(void)
{
	int fd = accept(listener, NULL, NULL);

	if (is_good(fd))
		counters->accepted++;
	return fd;
}

void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;

	while (echo(fd))
		;
	close(fd);
	return NULL;
}

void start_thread(void *(*run)(void *), void *arg)
{
	pthread_t thread;
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	errno = pthread_create(&thread, &attributes, run, arg);
	if (errno)
		fail("start a thread");
}

static int make_listener(int is_udp, int family, int is_nonblocking, int is_plain, uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
	struct sockaddr *address =
		family == AF_INET ? (struct sockaddr *)&in : (struct sockaddr *)&in6;
	socklen_t length = family == AF_INET ? sizeof(in) : sizeof(in6);
	int on = 1, flags = is_nonblocking ? SOCK_NONBLOCK : 0;
	int fd = socket(family, (is_udp ? SOCK_DGRAM : SOCK_STREAM) | flags, 0);

	if (!is_plain)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, address, length) < 0 || (!is_udp && listen(fd, 77) < 0))
		fail("listen");
	return fd;
}

static void say(void)
{
	struct sockaddr_in6 name;
	socklen_t length = sizeof(name);

	getsockname(listener, (struct sockaddr *)&name, &length);
	printf("{\"port\": %u, \"pid\": %d, \"fd\": %d}\n", ntohs(name.sin6_port), getpid(),
	       listener);
	fflush(stdout);
}

struct wish {
	const char *name;
	const char *value;
};

static const char *wished(struct wish *wishes, const char *name)
{
	for (; wishes->name; wishes++)
		if (strcmp(wishes->name, name) == 0)
			return wishes->value;
	return NULL;
}

static uint64_t number(struct wish *wishes, const char *name)
{
	const char *value = wished(wishes, name);

	return value ? strtoull(value, NULL, 10) : 0;
}

static void set_up(struct wish *wishes)
{
	uint64_t n_ready = 0, n = number(wishes, "--threads");
	int fd = open(wished(wishes, "--counters"), O_RDWR | O_CLOEXEC);

	counters = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (counters == MAP_FAILED)
		fail("share the counters");
	close(fd);
	listener = make_listener(strcmp(loop_name, "udp") == 0,
				 number(wishes, "--family") == 6 ? AF_INET6 : AF_INET,
				 (int)number(wishes, "--nonblock"), (int)number(wishes, "--plain"),
				 (uint16_t)number(wishes, "--port"));
	for (uint64_t i = 0; i < n; i++, n_ready++)
		start_thread(i % 2 ? wait_in_accept : wait_in_epoll, NULL);
	for (uint64_t i = 0; i < number(wishes, "--apart"); i++, n_ready++)
		start_thread(wait_apart, NULL);
	if (number(wishes, "--beat") && ++n_ready)
		start_thread(beat, NULL);
	if (number(wishes, "--handle"))
		signal(SIGUSR1, on_signal);
	if (number(wishes, "--vfork") && ++n_ready)
		start_thread(wait_in_vfork, NULL);
	if (number(wishes, "--fork") && ++n_ready)
		start_thread(fork_often, NULL);
	for (uint64_t i = 0; i < number(wishes, "--dups"); i++)
		if (dup(listener) < 0)
			fail("duplicate the listener");
	if (number(wishes, "--closed"))
		fork_closed();
	while (counters->ready < n_ready)
		sched_yield();
	if (wished(wishes, "--room")) { /* for so many more descriptors */
		rlim_t limit = (rlim_t)dup(listener) + number(wishes, "--room");
		close((int)(limit - number(wishes, "--room")));
		if (setrlimit(RLIMIT_NOFILE, &(struct rlimit){limit, limit}) < 0)
			fail("limit the descriptors");
	}
	if (wished(wishes, "--chroot") &&
	    (chroot(wished(wishes, "--chroot")) < 0 || chdir("/") < 0))
		fail("chroot");
	if (number(wishes, "--uid") && setuid((uid_t)number(wishes, "--uid")) < 0)
		fail("become another user");
}

int main(int argc, char **argv)
{
	struct wish wishes[32] = {0};

	for (int i = 2; i + 1 < argc && i / 2 < 32; i += 2)
		wishes[i / 2 - 1] = (struct wish){argv[i], argv[i + 1]};
	loop_name = argc > 1 ? argv[1] : "";
	for (size_t i = 0; loops[i].name; i++) {
		if (strcmp(loops[i].name, loop_name) != 0)
			continue;
		set_up(wishes);
		say();
		if (number(wishes, "--seccomp"))
			filter_calls();
		loops[i].run();
	}
	fprintf(stderr, "server: which loop?\n");
	return 2;
}

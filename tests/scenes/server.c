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
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 64
#define STACK (64 << 10)

/* As the tests read it: unsigned 64-bit numbers. */
struct counters {
	_Atomic uint64_t interrupted; /* calls that gave EINTR */
	_Atomic uint64_t errors;      /* calls that gave another error */
	_Atomic uint64_t turns;	      /* of the loop */
	_Atomic uint64_t accepted;
	_Atomic uint64_t gap_ns; /* the longest time between two beats of --beat */
	_Atomic uint64_t beats;
	_Atomic uint64_t ready; /* threads that are about to wait */
};

static struct counters *counters;
static int listener;
static const char *loop_name;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "server: %s: %s\n", what, strerror(errno));
	exit(errno == ENOSYS || errno == EPERM ? 77 : 3);
}

/* Counts what a call gave; true: it is a value. */
static int is_good(long result)
{
	if (result >= 0)
		return 1;
	if (errno == EINTR)
		counters->interrupted++;
	else if (errno != EAGAIN)
		counters->errors++;
	return 0;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Echoes once; 0: the connection is over. */
static int echo(int fd)
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

static int take(void)
{
	int fd = accept(listener, NULL, NULL);

	if (is_good(fd))
		counters->accepted++;
	return fd;
}

/* ---- loops ---- */

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

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;

	while (echo(fd))
		;
	close(fd);
	return NULL;
}

static void start_thread(void *(*run)(void *), void *arg)
{
	pthread_t thread;
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	errno = pthread_create(&thread, &attributes, run, arg);
	if (errno)
		fail("start a thread");
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

static const struct {
	const char *name;
	void (*run)(void);
} loops[] = {
	{"poll", loop_poll},	 {"poll-timeout", loop_poll},	  {"select", loop_select},
	{"epoll", loop_epoll},	 {"epoll-pwait", loop_epoll},	  {"epoll-pwait2", loop_epoll},
	{"accept", loop_accept}, {"accept-timeout", loop_accept}, {"io-uring", loop_uring},
	{"udp", loop_udp},
};

/* ---- what else the process has ---- */

static void *wait_in_accept(void *arg)
{
	(void)arg;
	for (counters->ready++;;) {
		int fd = take();
		if (fd >= 0)
			serve((void *)(intptr_t)fd);
	}
	return NULL;
}

static void *wait_in_epoll(void *arg)
{
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(0), own = socket(AF_INET, SOCK_DGRAM, 0);

	(void)arg;
	epoll_ctl(epoll, EPOLL_CTL_ADD, own, &event);
	for (counters->ready++;;)
		is_good(epoll_wait(epoll, &event, 1, -1));
	return NULL;
}

/* With a table of its own, in which the listener stands as well. */
static void *wait_apart(void *arg)
{
	(void)arg;
	if (unshare(CLONE_FILES) < 0)
		fail("leave the table of descriptors");
	return wait_in_accept(NULL);
}

static _Atomic int waiting; /* the thread of wait_closed */

static void *wait_closed(void *arg)
{
	(void)arg;
	waiting = gettid();
	for (is_good(accept(listener, NULL, NULL));;)
		pause();
	return NULL;
}

/* It is in accept(), as /proc shows it. */
static int is_waiting(void)
{
	char path[64];
	long call = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", waiting);
	file = fopen(path, "r");
	if (file && fscanf(file, "%ld", &call) != 1)
		call = -1;
	if (file)
		fclose(file);
	return call == SYS_accept;
}

/* A child in which a thread waits on a descriptor that another has closed. */
static void fork_closed(void)
{
	uint64_t n_ready = counters->ready;
	pid_t child = fork();

	if (child < 0)
		fail("start a child");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		start_thread(wait_closed, NULL);
		while (!waiting || !is_waiting())
			sched_yield();
		close(listener);
		for (counters->ready++;;)
			pause();
	}
	while (counters->ready == n_ready)
		sched_yield();
}

static void *beat(void *arg)
{
	uint64_t last = now_ns();

	(void)arg;
	for (counters->ready++;; counters->beats++) {
		struct timespec ms = {.tv_nsec = 1000000};
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ms, NULL);
		uint64_t now = now_ns();
		if (now - last > counters->gap_ns)
			counters->gap_ns = now - last;
		last = now;
	}
	return NULL;
}

/* Whoever makes one of the calls that are no business of an echo server ends with the process. */
static void filter_calls(void)
{
	static const int forbidden[] = {SYS_dup3,  SYS_socketpair, SYS_recvmsg, SYS_getsockopt,
					SYS_fcntl, SYS_mmap,	   SYS_munmap,	SYS_socket};
	enum { N = sizeof(forbidden) / sizeof(forbidden[0]) };
	struct sock_filter code[N + 3] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
	struct sock_fprog program = {.len = N + 3, .filter = code};

	for (unsigned i = 0; i < N; i++)
		code[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							   (uint32_t)forbidden[i], N - i, 0);
	code[N + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[N + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		fail("filter system calls");
}

static void on_signal(int number)
{
	(void)number;
	counters->beats++;
}

/* A thread that waits for its child to start another program, which it does not. */
static void *wait_in_vfork(void *arg)
{
	(void)arg;
	counters->ready++;
	if (vfork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return NULL;
}

/* A descriptor that is left to the child of a fork, whose copy lives on. */
static void *fork_often(void *arg)
{
	(void)arg;
	for (counters->ready++;;) {
		struct timespec ms = {.tv_nsec = 2000000};
		pid_t child = fork();
		if (child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		nanosleep(&ms, NULL);
		if (counters->beats++ > 200)
			return NULL;
	}
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
	for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
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

/* A scan that needs no right, on own addresses: blocking connects. */
#include <errno.h>
#include <linux/errqueue.h>
#include <poll.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/attributes.h"
#include "scan/connect.h"
#include "scan/icmp.h"
#include "scan/pending.h"

#define CHUNK 256
#define SILENT_ENOUGH 2 /* doors that time out before the other way is taken */
#define BIND_TRIES 8

struct blocking {
	const struct job *job;
	struct pending pending;
	int fd;
	uint16_t own_port;
	unsigned n_silent;
};

int connect_socket(const struct job *job, int flags)
{
	bool is_v4 = job->targets[0].is_v4;
	int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0)
		return -errno;
	icmp_want(fd, is_v4);
	/* a connection that was made is reset: no TIME_WAIT, no FIN that waits for a peer */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
	return fd;
}

/* A connect to an unused port of the ephemeral range can meet itself (RFC 793, simultaneous open).
 */
static bool is_self(int fd)
{
	union any_address own = {0}, peer = {0};
	socklen_t n = sizeof(own), m = sizeof(peer);
	if (getsockname(fd, &own.any, &n) < 0 || getpeername(fd, &peer.any, &m) < 0)
		return false;
	struct ip ip = address_ip(&own);
	return address_port(&own) == address_port(&peer) && address_is(&peer, &ip);
}

static struct answer of(enum door_state state, enum door_reason reason)
{
	return (struct answer){.state = (uint8_t)state, .reason = (uint8_t)reason};
}

bool connect_answer(const struct job *job, int fd, const struct scan_target *target,
		    unused_argument uint16_t port, int error, struct answer *ret)
{
	struct answer told;
	switch (error) {
	case 0:
	case EISCONN:
		*ret = is_self(fd) ? of(DOOR_CLOSED, BECAUSE_SELF_CONNECT)
				   : of(DOOR_OPEN, BECAUSE_SYN_ACK);
		return true;
	case EACCES:
	case EPERM:
		*ret = of(DOOR_FILTERED, BECAUSE_REFUSED_HERE);
		return true;
	default:
		break;
	}
	if (icmp_queue(fd, target->is_v4, job->proto, &told)) {
		*ret = told;
		return told.state != DOOR_UNKNOWN;
	}
	if (error == ECONNREFUSED || error == ECONNRESET) {
		*ret = of(DOOR_CLOSED, BECAUSE_RST);
		return true;
	}
	*ret = of(DOOR_FILTERED, error == EHOSTUNREACH ? BECAUSE_HOST_SILENT : BECAUSE_NO_ROUTE);
	return error == EHOSTUNREACH || error == ENETUNREACH || error == EINVAL;
}

/* A port of our own that stays with the socket through a refusal: only one that was asked for by
 * number does (SOCK_BINDPORT_LOCK). */
static uint16_t bind_again(int fd, bool is_v4, uint16_t port)
{
	union any_address address = {0};
	for (unsigned i = 0; i < BIND_TRIES; i++) {
		if (port && bind(fd, &address.any, address_any(is_v4, port, &address)) == 0)
			return port;
		cleanup(closep) int other =
			socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
		socklen_t n = address_any(is_v4, 0, &address);
		if (other < 0 || bind(other, &address.any, n) < 0 ||
		    getsockname(other, &address.any, &n) < 0)
			return 0;
		port = address_port(&address);
	}
	return 0;
}

static int open_blocking(struct blocking *at)
{
	const struct job *job = at->job;
	const struct timeval wait = {.tv_sec = job->path.timeout_first_us / 1000000,
				     .tv_usec = job->path.timeout_first_us % 1000000};
	at->fd = connect_socket(job, 0);
	if (at->fd < 0)
		return at->fd;
	setsockopt(at->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	at->own_port = bind_again(at->fd, job->targets[0].is_v4, at->own_port);
	return 0;
}

static void shut(struct blocking *at)
{
	closep(&at->fd);
	at->fd = -1;
}

/* One door. @began is when it begins and then when it is through. */
static void ask(struct blocking *at, uint32_t probe, uint64_t *began)
{
	const struct job *job = at->job;
	const struct scan_target *target = probe_target(job, probe);
	union any_address address;
	struct answer answer;
	uint16_t port = probe_port(job, probe);
	int error =
		connect(at->fd, &address.any, address_of(target, port, &address)) < 0 ? errno : 0;
	uint64_t now = clock_us();
	if (connect_answer(job, at->fd, target, port, error, &answer)) {
		answer.rtt_us = (uint32_t)(now - *began) + (now == *began);
		if (answer.reason == BECAUSE_REFUSED_HERE || answer.reason == BECAUSE_NO_ROUTE)
			answer.rtt_us = 0;
		probe_answered(job, probe, &answer);
	}
	/* an ICMP error that comes while connect() is called does not end it: as slow as silence */
	at->n_silent += now - *began > job->path.timeout_first_us / 2;
	/* a link-local address ties the socket to its interface */
	if (error != ECONNREFUSED || target->interface)
		shut(at);
	*began = now;
}

/* How many may be asked now, which are counted as sent; 0: it must end. Waits while the connection
 * tracking has no room. */
static uint32_t next_chunk(const struct job *job, uint32_t n, uint64_t *now)
{
	uint64_t next = *now;
	uint32_t chunk = n < CHUNK ? n : CHUNK, allowed = 0;
	while (!job_must_end(job, *now)) {
		allowed = job->tracking ? tracking_allows(job->tracking,
							  atomic_load(&job->progress->n_sent),
							  chunk, *now, &next)
					: chunk;
		if (allowed)
			break;
		struct pollfd wait = {.fd = job->stop ? job->stop->fd : -1, .events = POLLIN};
		poll(&wait, 1, (int)((next - *now + 999) / 1000));
		*now = clock_us();
	}
	atomic_fetch_add_explicit(&job->progress->n_sent, allowed, memory_order_relaxed);
	return allowed;
}

static int work(void *data)
{
	struct blocking *at = data;
	const struct job *job = at->job;
	uint64_t began = clock_us();
	int r = 0;
	uint32_t chunk = 0; /* that may still be asked before it is looked whether it must end */
	for (uint32_t i = 0; i < at->pending.n && at->n_silent < SILENT_ENOUGH && r >= 0; i++) {
		if (chunk == 0) {
			chunk = next_chunk(job, at->pending.n - i, &began);
			if (!chunk)
				break;
		}
		chunk--;
		if (at->fd < 0)
			r = open_blocking(at);
		if (r >= 0)
			ask(at, at->pending.list[i], &began);
	}
	shut(at);
	return r;
}

int connect_blocking(const struct job *job, unsigned n_threads)
{
	struct blocking *each = calloc(n_threads, sizeof(*each));
	int r = each ? 0 : -ENOMEM;
	for (unsigned i = 0; i < n_threads && r >= 0; i++) {
		each[i] = (struct blocking){.job = job, .fd = -1};
		r = pending_init(&each[i].pending, job, i, n_threads);
	}
	if (r >= 0)
		r = job_run(job, n_threads, work, each, sizeof(*each));
	for (unsigned i = 0; each && i < n_threads; i++)
		pending_done(&each[i].pending);
	free(each);
	return r;
}

static bool is_through(const struct job *job)
{
	for (uint64_t i = 0; i < job_n(job); i++)
		if (job->answers[i].state == DOOR_UNKNOWN)
			return false;
	return true;
}

/* A connect that is given up takes its late answer along: it is given more time than a packet. */
#define PATIENCE_US 200000

int connect_scan(const struct job *all, struct error *err)
{
	struct job patient = *all;
	const struct job *job = &patient;
	unsigned n = job_threads();
	int r = 0;
	if (patient.path.timeout_min_us < PATIENCE_US)
		patient.path.timeout_min_us = PATIENCE_US;
	if (job_n(job) < 512)
		n = 1;
	if (job->is_own)
		r = connect_blocking(job, n);
	if (r >= 0 && !job_must_end(job, clock_us()) && !is_through(job))
		r = connect_many(job, n);
	return r < 0 ? error_set(err, r, "connect to the ports") : 0;
}

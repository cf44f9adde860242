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
#include "scan/syn.h"

#define CHUNK 256
#define REFUSED_MAX 16		 /* doors that are looked at together */
#define RECEIVE_BYTES (64 << 10) /* room for as many errors, whatever this host's default is */
#define SILENT_ENOUGH 2		 /* doors that time out before the other way is taken */
#define BIND_TRIES 8

/* The doors are taken chunk by chunk: a thread that gets less of a processor takes fewer. */
struct doors {
	struct pending pending;
	_Atomic uint32_t next;
};

/* A refusal is a reset or an ICMP error, which connect() tells alike: the error queue knows. Looked
 * at once for several doors: one call for each took an eighth of the whole scan. */
struct refused {
	uint32_t probe, rtt_us;
};

struct blocking {
	const struct job *job;
	struct doors *doors;
	const struct ip *source; /* that the kernel would choose each time anew; NULL: not one */
	int fd;
	uint16_t own_port;
	unsigned n_silent, n_refused;
	struct refused refused[REFUSED_MAX]; /* since the queue was looked at */
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
	union any_address to;
	struct answer told;
	if (error == 0 || error == EISCONN) {
		*ret = is_self(fd) ? of(DOOR_CLOSED, BECAUSE_SELF_CONNECT)
				   : of(DOOR_OPEN, BECAUSE_SYN_ACK);
		return true;
	}
	/* before what a number may mean: an ICMPv6 error of a firewall is EACCES, too */
	if (icmp_queue(fd, target->is_v4, job->proto, &told, &to)) {
		*ret = told;
		return told.state != DOOR_UNKNOWN;
	}
	if (error == EACCES || error == EPERM) {
		*ret = of(DOOR_FILTERED, BECAUSE_REFUSED_HERE);
		return true;
	}
	if (error == ECONNREFUSED || error == ECONNRESET) {
		*ret = of(DOOR_CLOSED, BECAUSE_RST);
		return true;
	}
	*ret = of(DOOR_FILTERED, error == EHOSTUNREACH ? BECAUSE_HOST_SILENT : BECAUSE_NO_ROUTE);
	return error == EHOSTUNREACH || error == ENETUNREACH || error == EINVAL;
}

static socklen_t source_of(const struct blocking *at, uint16_t port, union any_address *ret)
{
	struct scan_target source = {.is_v4 = at->job->targets[0].is_v4};
	if (!at->source)
		return address_any(source.is_v4, port, ret);
	source.ip = *at->source;
	return address_of(&source, port, ret);
}

/* A port of our own that stays with the socket through a refusal: only one that was asked for by
 * number does (SOCK_BINDPORT_LOCK). With an address that was asked for, too, the kernel neither
 * looks for the route twice nor moves the socket to another bucket of its table each time. */
static uint16_t bind_again(const struct blocking *at, uint16_t port)
{
	union any_address address = {0};
	for (unsigned i = 0; i < BIND_TRIES; i++) {
		if (port && bind(at->fd, &address.any, source_of(at, port, &address)) == 0)
			return port;
		socklen_t n = source_of(at, 0, &address);
		cleanup(closep) int other =
			socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
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
	setsockopt(at->fd, SOL_SOCKET, SO_RCVBUF, &(int){RECEIVE_BYTES}, sizeof(int));
	at->own_port = bind_again(at, at->own_port);
	return 0;
}

static void shut(struct blocking *at)
{
	closep(&at->fd);
	at->fd = -1;
}

static bool is_of(const struct job *job, uint32_t probe, const union any_address *to)
{
	return probe_port(job, probe) == address_port(to) &&
	       address_is(to, &probe_target(job, probe)->ip);
}

/* What the queue has is told of its doors, which are among the refused or @last (NONE: none of
 * these); the other refused ones were reset. True: @ret is @last's answer. */
static bool tell_refused(struct blocking *at, uint32_t last, struct answer *ret)
{
	const struct job *job = at->job;
	union any_address to = {0};
	struct answer told;
	bool is_told = false;
	while (icmp_queue(at->fd, job->targets[0].is_v4, job->proto, &told, &to)) {
		if (told.state == DOOR_UNKNOWN)
			continue;
		if (last != NONE && is_of(job, last, &to)) {
			*ret = told;
			is_told = true;
		}
		for (unsigned i = 0; i < at->n_refused; i++) {
			if (!is_of(job, at->refused[i].probe, &to))
				continue;
			told.rtt_us = at->refused[i].rtt_us;
			probe_answered(job, at->refused[i].probe, &told);
		}
	}
	for (unsigned i = 0; i < at->n_refused; i++) {
		struct answer reset = of(DOOR_CLOSED, BECAUSE_RST);
		reset.rtt_us = at->refused[i].rtt_us;
		probe_answered(job, at->refused[i].probe, &reset);
	}
	at->n_refused = 0;
	return is_told;
}

static void keep_refused(struct blocking *at, uint32_t probe, uint32_t rtt_us)
{
	at->refused[at->n_refused++] = (struct refused){probe, rtt_us};
	if (at->n_refused == REFUSED_MAX)
		tell_refused(at, NONE, NULL);
}

/* One door. @began is when it begins and then when it is through. */
static void ask(struct blocking *at, uint32_t probe, uint64_t *began)
{
	const struct job *job = at->job;
	const struct scan_target *target = probe_target(job, probe);
	union any_address address;
	struct answer answer = {0};
	uint16_t port = probe_port(job, probe);
	int error =
		connect(at->fd, &address.any, address_of(target, port, &address)) < 0 ? errno : 0;
	uint64_t now = clock_us(), took = now - *began;
	uint32_t rtt_us = (uint32_t)took + (took == 0);
	*began = now;
	/* a link-local address ties the socket to its interface */
	if (error == ECONNREFUSED && !target->interface) {
		keep_refused(at, probe, rtt_us);
		return;
	}
	if (tell_refused(at, probe, &answer) ||
	    connect_answer(job, at->fd, target, port, error, &answer)) {
		answer.rtt_us = rtt_us;
		if (answer.reason == BECAUSE_REFUSED_HERE || answer.reason == BECAUSE_NO_ROUTE)
			answer.rtt_us = 0;
		probe_answered(job, probe, &answer);
	}
	/* an ICMP error that comes while connect() is called does not end it: as slow as silence;
	 * but who was only not given the processor for so long was answered */
	at->n_silent += answer.state != DOOR_CLOSED && answer.state != DOOR_OPEN &&
			took > job->path.timeout_first_us / 2;
	shut(at);
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

/* One chunk; false: none is left, or it must end. */
static bool ask_chunk(struct blocking *at, uint64_t *began, int *ret)
{
	struct doors *doors = at->doors;
	uint32_t i = atomic_fetch_add(&doors->next, CHUNK);
	uint32_t end =
		i < doors->pending.n && doors->pending.n - i > CHUNK ? i + CHUNK : doors->pending.n;
	while (i < end) {
		uint32_t allowed = next_chunk(at->job, end - i, began);
		if (!allowed)
			return false;
		for (; allowed; allowed--, i++) {
			*ret = at->fd < 0 ? open_blocking(at) : 0;
			if (*ret < 0)
				return false;
			ask(at, doors->pending.list[i], began);
			if (at->n_silent >= SILENT_ENOUGH)
				return false;
		}
	}
	return end < doors->pending.n;
}

static int work(void *data)
{
	struct blocking *at = data;
	uint64_t began = clock_us();
	int r = 0;
	while (ask_chunk(at, &began, &r))
		;
	if (at->fd >= 0)
		tell_refused(at, NONE, NULL);
	shut(at);
	return r;
}

int connect_blocking(const struct job *job, unsigned n_threads)
{
	struct blocking *each = calloc(n_threads, sizeof(*each));
	struct doors doors = {0};
	struct ip source;
	bool has_source = job->n_targets == 1 && !job->targets[0].interface &&
			  syn_source(&job->targets[0], &source) >= 0;
	int r = each ? pending_init(&doors.pending, job, 0, 1) : -ENOMEM;
	for (unsigned i = 0; i < n_threads && r >= 0; i++)
		each[i] = (struct blocking){.job = job,
					    .doors = &doors,
					    .source = has_source ? &source : NULL,
					    .fd = -1};
	if (r >= 0)
		r = job_run(job, n_threads, work, each, sizeof(*each));
	pending_done(&doors.pending);
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
	unsigned n = job_threads(job);
	int r = 0;
	if (patient.path.timeout_min_us < PATIENCE_US)
		patient.path.timeout_min_us = PATIENCE_US;
	if (job_n(job) < 512)
		n = 1;
	patient.path = job_path_share(&patient, n);
	if (job->is_own && !job->path.rate_first) /* blocking connects know no rate */
		r = connect_blocking(job, n);
	if (r >= 0 && !job_must_end(job, clock_us()) && !is_through(job))
		r = connect_many(job, n);
	return r < 0 ? error_set(err, r, "connect to the ports") : 0;
}

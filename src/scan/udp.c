/* A scan of UDP: its sockets, what is asked and what comes. */
#include <errno.h>

#include "base/clock.h"
#include "base/attributes.h"
#include "scan/icmp.h"
#include "scan/udp.h"

#define AT_ONCE \
	64 /* asked before what came is taken: the kernel keeps no more than it has room for */
#define RECEIVE_BYTES (8 << 20)
#define TAKEN_AT_ONCE 4096 /* of what comes, before more is sent */
#define ERRORS 32	   /* that one call takes */
#define SMALL 4096	   /* doors that one thread asks as fast */
#define THREADS_MAX 4

static int open_one(const struct job *job, uint16_t *ret_port)
{
	bool is_v4 = job->targets[0].is_v4;
	const int bytes = RECEIVE_BYTES;
	union any_address any;
	socklen_t n = address_any(is_v4, 0, &any);
	int fd = socket(any.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	icmp_want(fd, is_v4);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (bind(fd, &any.any, n) < 0 || getsockname(fd, &any.any, &n) < 0) {
		int error = errno;
		close(fd);
		return -error;
	}
	*ret_port = address_port(&any);
	return fd;
}

int udp_open(struct udp_channel *channel, const struct job *job)
{
	*channel = (struct udp_channel){
		.job = job, .fd = -1, .elsewhere = -1, .all = channel, .n_all = 1};
	int r = finder_init(&channel->finder, job);
	if (r < 0)
		return r;
	channel->fd = open_one(job, &channel->own[0]);
	if (channel->fd >= 0)
		channel->elsewhere = open_one(job, &channel->own[1]);
	return channel->fd < 0 ? channel->fd : channel->elsewhere < 0 ? channel->elsewhere : 0;
}

void udp_close(struct udp_channel *channel)
{
	closep(&channel->fd);
	closep(&channel->elsewhere);
	finder_done(&channel->finder);
}

static void keep(const struct udp_channel *channel, uint32_t probe, enum door_state state,
		 enum door_reason reason)
{
	const struct answer answer = {.state = (uint8_t)state, .reason = (uint8_t)reason};
	probe_answered(channel->job, probe, &answer);
}

static bool is_ours(const struct udp_channel *channel, uint16_t port)
{
	for (unsigned i = 0; i < channel->n_all; i++)
		if (port == channel->all[i].own[0] || port == channel->all[i].own[1])
			return true;
	return false;
}

bool udp_ask(struct udp_channel *channel, uint32_t probe)
{
	const struct job *job = channel->job;
	const struct scan_target *target = probe_target(job, probe);
	uint16_t port = probe_port(job, probe);
	uint8_t request[UDP_REQUEST_MAX];
	union any_address to;
	size_t n = udp_request(port, request);
	if (job->is_own && is_ours(channel, port)) {
		/* nobody but us is there: it would come back to us */
		keep(channel, probe, DOOR_CLOSED, BECAUSE_SELF_CONNECT);
		return true;
	}
	int fd = udp_answers_elsewhere(port) ? channel->elsewhere : channel->fd;
	socklen_t length = address_of(target, port, &to);
	probe_answer(job, probe)->rtt_us = (uint32_t)clock_us();
	/* the first call may tell the error of a door before, which the queue has, too */
	ssize_t r = sendto(fd, request, n, MSG_DONTWAIT | MSG_NOSIGNAL, &to.any, length);
	if (r < 0)
		r = sendto(fd, request, n, MSG_DONTWAIT | MSG_NOSIGNAL, &to.any, length);
	if (r >= 0) {
		atomic_fetch_add_explicit(&job->progress->n_sent, 1, memory_order_relaxed);
		return true;
	}
	if (errno == EPERM || errno == EACCES)
		keep(channel, probe, DOOR_FILTERED, BECAUSE_REFUSED_HERE);
	else if (errno == ENETUNREACH || errno == EINVAL)
		keep(channel, probe, DOOR_FILTERED, BECAUSE_NO_ROUTE);
	else
		return false; /* one more error of another door, or no room */
	return true;
}

void udp_echo(struct udp_channel *channel)
{
	const uint8_t lo_v4[4] = {127, 0, 0, 1}, lo_v6[16] = {[15] = 1};
	struct scan_target self = {.is_v4 = channel->job->targets[0].is_v4};
	union any_address to;
	self.ip = self.is_v4 ? ip_from_v4(lo_v4) : ip_from_v6(lo_v6);
	socklen_t n = address_of(&self, channel->own[0], &to);
	uint64_t now = clock_us();
	/* where there is no loopback interface it is just not back */
	(void)!sendto(channel->elsewhere, &now, sizeof(now), MSG_DONTWAIT | MSG_NOSIGNAL, &to.any,
		      n);
}

static bool take_echo(struct udp_channel *channel, int fd, uint16_t port, const uint8_t *bytes,
		      size_t n)
{
	uint64_t now = clock_us(), sent;
	if (fd != channel->fd || port != channel->own[1] || n != sizeof(sent))
		return false;
	memcpy(&sent, bytes, sizeof(sent));
	if (sent <= now && sent > channel->echo_sent_us) {
		channel->echo_sent_us = sent;
		channel->echo_took_us = now - sent;
	}
	return true;
}

struct taking {
	void (*tell)(void *data, uint32_t probe, const struct answer *answer);
	void *data;
};

static void take(struct udp_channel *channel, const struct taking *taking, uint32_t probe,
		 struct answer answer)
{
	const struct job *job = channel->job;
	if (probe == NONE || probe_answer(job, probe)->state != DOOR_UNKNOWN)
		return;
	uint32_t now = (uint32_t)clock_us(), sent = probe_answer(job, probe)->rtt_us;
	answer.rtt_us = now - sent + (now == sent);
	taking->tell(taking->data, probe, &answer);
	probe_answered(job, probe, &answer);
}

/* Some of the error queue; how many. */
static unsigned take_errors(struct udp_channel *channel, int fd, const struct taking *taking)
{
	char control[ERRORS][ICMP_CONTROL] __attribute__((aligned(8)));
	union any_address to[ERRORS];
	struct mmsghdr messages[ERRORS];
	struct iovec none = {0};
	struct answer answer;
	bool is_v4 = channel->job->targets[0].is_v4;
	for (unsigned i = 0; i < ERRORS; i++)
		messages[i].msg_hdr = (struct msghdr){.msg_name = &to[i],
						      .msg_namelen = sizeof(to[i]),
						      .msg_iov = &none,
						      .msg_control = control[i],
						      .msg_controllen = ICMP_CONTROL};
	int n = recvmmsg(fd, messages, ERRORS, MSG_ERRQUEUE | MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		struct ip ip = address_ip(&to[i]);
		icmp_read(&messages[i].msg_hdr, is_v4, PROTO_UDP, &answer);
		if (answer.state != DOOR_UNKNOWN)
			take(channel, taking,
			     finder_probe(&channel->finder, &ip, address_port(&to[i])), answer);
	}
	return n < 0 ? 0 : (unsigned)n;
}

/* A datagram; false: there is none. */
static bool take_datagram(struct udp_channel *channel, int fd, const struct taking *taking)
{
	const struct answer answer = {.state = DOOR_OPEN, .reason = BECAUSE_UDP_ANSWER};
	union any_address from = {0};
	socklen_t n = sizeof(from);
	uint8_t bytes[64];
	ssize_t r = recvfrom(fd, bytes, sizeof(bytes), MSG_DONTWAIT, &from.any, &n);
	if (r < 0)
		return errno != EAGAIN &&
		       errno != EWOULDBLOCK; /* an error that was pending is gone */
	uint16_t port = address_port(&from);
	struct ip ip = address_ip(&from);
	if (ip_reach(&ip) == REACH_LOOPBACK && take_echo(channel, fd, port, bytes, (size_t)r))
		return true;
	if (fd == channel->elsewhere)
		port = 69;
	take(channel, taking, finder_probe(&channel->finder, &ip, port), answer);
	return true;
}

void udp_receive(struct udp_channel *channel,
		 void (*tell)(void *data, uint32_t probe, const struct answer *answer), void *data)
{
	const struct taking taking = {tell, data};
	const int fds[] = {channel->fd, channel->elsewhere};
	for (unsigned i = 0; i < 2; i++) {
		unsigned n = 0, more = ERRORS;
		while (n < TAKEN_AT_ONCE && more == ERRORS)
			n += more = take_errors(channel, fds[i], &taking);
		while (n++ < TAKEN_AT_ONCE && take_datagram(channel, fds[i], &taking))
			;
	}
}

void udp_wait(const struct udp_channel *channel, uint64_t now, uint64_t until)
{
	const int fds[] = {channel->fd, channel->elsewhere};
	job_await(channel->job, fds, ARRAY_SIZE(fds), now, until);
}

struct passing {
	struct timing timing;
	uint32_t n_answered;
};

static void tell_pass(void *data, uint32_t probe, const struct answer *answer)
{
	struct passing *passing = data;
	(void)probe;
	timing_answered(&passing->timing, passing->timing.pass, answer->rtt_us, clock_us());
	passing->n_answered++;
}

/* All that are silent once. False: it must end. */
static bool one_pass(struct udp_channel *channel, struct passing *passing, struct pending *pending)
{
	const struct job *job = channel->job;
	uint64_t now = clock_us(), next, until;
	passing->n_answered = 0;
	for (uint32_t i = 0; i < pending->n;) {
		uint32_t n = job_allowance(job, &passing->timing, now, &next), sent = 0;
		while (sent < n && sent < AT_ONCE && i < pending->n) {
			if (!udp_ask(channel, pending->list[i]))
				break;
			sent++;
			i++;
		}
		if (sent)
			timing_sent(&passing->timing, sent, now);
		else if (!n)
			udp_wait(channel, now, next);
		udp_receive(channel, tell_pass, passing);
		now = clock_us();
		if (job_must_end(job, now))
			return false;
	}
	for (;;) {
		uint32_t n_silent = pending->n - passing->n_answered;
		bool is_last = !timing_needs_pass(&passing->timing, n_silent);
		if (timing_pass_is_over(&passing->timing, n_silent, is_last, now, &until))
			return true;
		udp_wait(channel, now, until);
		udp_receive(channel, tell_pass, passing);
		now = clock_us();
		if (job_must_end(job, now))
			return false;
	}
}

int udp_free(struct udp_channel *channel)
{
	const struct job *job = channel->job;
	struct passing passing;
	struct pending pending;
	int r = pending_init(&pending, job, (unsigned)(channel - channel->all), channel->n_all);
	timing_init(&passing.timing, &job->path, clock_us());
	bool goes_on = r >= 0;
	while (goes_on) {
		goes_on = one_pass(channel, &passing, &pending);
		uint32_t n = pending_keep(&pending, job);
		if (goes_on && !timing_needs_pass(&passing.timing, n)) {
			pending_silent(&pending, job,
				       (struct answer){.state = DOOR_OPEN_FILTERED,
						       .reason = BECAUSE_NO_ANSWER});
			break;
		}
		timing_begin_pass(&passing.timing);
	}
	pending_done(&pending);
	return r;
}

static int work(void *data)
{
	struct udp_channel *channel = data;
	return channel->job->is_own ? udp_free(channel) : udp_limited(channel);
}

int udp_scan(const struct job *all, struct error *err)
{
	struct job job = *all;
	struct udp_channel channels[THREADS_MAX];
	unsigned n = 1, n_open = 0;
	int r = 0;
	if (!job.is_own && !job.deadline_us)
		job.deadline_us = clock_us() + UDP_MAX_TIME_MS * 1000;
	if (job.is_own && job_n(&job) >= SMALL)
		n = job_threads(&job);
	if (n > THREADS_MAX)
		n = THREADS_MAX;
	job.path = job_path_share(all, n);
	for (; n_open < n && r >= 0; n_open++)
		r = udp_open(&channels[n_open], &job);
	for (unsigned i = 0; i < n_open; i++) {
		channels[i].all = channels;
		channels[i].n_all = n_open;
	}
	if (r >= 0)
		r = job_run(&job, n, work, channels, sizeof(channels[0]));
	for (unsigned i = 0; i < n_open; i++)
		udp_close(&channels[i]);
	return r < 0 ? error_set(err, r, "send datagrams") : 0;
}

/* A scan of SCTP. As with SYN packets no state is kept for a probe: its initiate tag is a cookie,
 * which an INIT ACK and an ABORT have to carry, and a quoted INIT shows. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/attributes.h"
#include "scan/finder.h"
#include "scan/icmp.h"
#include "scan/packet-sctp.h"
#include "scan/pending.h"
#include "scan/sctp.h"
#include "scan/syn.h"

#define PORTS 16 /* an aligned run of source ports, one a pass */
#define DYNAMIC 49152
#define RECEIVED_MAX 192
#define AT_ONCE 32
#define RECEIVE_BYTES (8 << 20)

/* What a target has said in all. */
struct heard {
	uint32_t n_sctp, n_unknown, n_errors; /* SCTP's own; "no SCTP here"; other errors */
};

struct sctp {
	const struct job *job;
	uint64_t key[PACKET_KEY];
	struct ip *from;
	struct heard *heard;
	struct finder finder;
	struct pending pending;
	struct timing timing;
	int send;    /* raw, with headers of our own: it gets nothing */
	int receive; /* packet socket */
	int quiet;   /* keeps our kernel from telling others that it has no SCTP; -1 */
	uint16_t base;
	uint32_t n_answered; /* in this pass */
};

bool sctp_is_unknown_there(const struct answer *answer, bool is_v4)
{
	if (answer->reason != BECAUSE_ICMP)
		return false;
	return is_v4 ? answer->icmp_type == ICMP_DEST_UNREACH &&
			       answer->icmp_code == ICMP_PROT_UNREACH
		     : answer->icmp_type == ICMPV6_PARAMPROB &&
			       answer->icmp_code == ICMPV6_UNK_NEXTHDR;
}

/* False: nothing can be sent now. */
static bool ask(struct sctp *sctp, uint32_t probe)
{
	const struct job *job = sctp->job;
	const struct scan_target *target = probe_target(job, probe);
	const struct packet_ends ends = {.to = target->ip,
					 .from = sctp->from[probe % job->n_targets],
					 .to_port = probe_port(job, probe),
					 .from_port = (uint16_t)(sctp->base + sctp->timing.pass)};
	uint8_t packet[PACKET_INIT_MAX];
	union any_address to;
	size_t n = packet_init(target->is_v4, &ends, packet_cookie(sctp->key, &ends), packet);
	socklen_t length = address_of(target, 0, &to);
	struct answer *answer = probe_answer(job, probe);
	answer->rtt_us = (uint32_t)clock_us();
	if (sendto(sctp->send, packet, n, MSG_DONTWAIT, &to.any, length) >= 0)
		return true;
	if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR)
		return false;
	answer->reason =
		errno == EPERM || errno == EACCES ? BECAUSE_REFUSED_HERE : BECAUSE_NO_ROUTE;
	return true;
}

static bool answer_from(const struct packet *packet, bool is_v4, struct answer *ret)
{
	*ret = (struct answer){.state = DOOR_OPEN, .reason = BECAUSE_INIT_ACK};
	if (packet->kind == PACKET_SYN_ACK)
		return true;
	*ret = (struct answer){.state = DOOR_CLOSED, .reason = BECAUSE_ABORT};
	if (packet->kind == PACKET_RST)
		return true;
	*ret = (struct answer){.state = DOOR_FILTERED,
			       .reason = BECAUSE_ICMP,
			       .icmp_type = packet->icmp_type,
			       .icmp_code = packet->icmp_code};
	return sctp_is_unknown_there(ret, is_v4) ||
	       icmp_state(is_v4, PROTO_SCTP, packet->icmp_type, packet->icmp_code) != DOOR_UNKNOWN;
}

/* Whose probe it answers; NONE: nobody's, or one that its sender never saw. */
static uint32_t probe_of(const struct sctp *sctp, const struct packet *packet)
{
	uint32_t probe = finder_probe(&sctp->finder, &packet->ends.to, packet->ends.to_port);
	if (probe == NONE ||
	    !ip_equal(&packet->ends.from, &sctp->from[probe % sctp->job->n_targets]))
		return NONE;
	unsigned pass = packet->ends.from_port & (PORTS - 1);
	bool is_ours = packet->ends.from_port - pass == sctp->base && pass <= sctp->timing.pass;
	return is_ours && packet_cookie(sctp->key, &packet->ends) == packet->cookie ? probe : NONE;
}

static void take(struct sctp *sctp, const uint8_t *bytes, size_t n, uint64_t now)
{
	const struct job *job = sctp->job;
	bool is_v4 = job->targets[0].is_v4;
	struct packet packet;
	struct answer answer;
	if (!packet_sctp_parse(bytes, n, is_v4, &packet))
		return;
	uint32_t probe = probe_of(sctp, &packet);
	if (probe == NONE || !answer_from(&packet, is_v4, &answer))
		return;
	const struct answer *before = probe_answer(job, probe);
	if (before->state != DOOR_UNKNOWN)
		return;
	unsigned pass = packet.ends.from_port & (PORTS - 1);
	if (pass == sctp->timing.pass)
		answer.rtt_us = (uint32_t)now - before->rtt_us + ((uint32_t)now == before->rtt_us);
	timing_answered(&sctp->timing, pass, answer.rtt_us, now);
	struct heard *heard = &sctp->heard[probe % job->n_targets];
	heard->n_sctp += packet.kind != PACKET_ERROR;
	heard->n_unknown +=
		sctp_is_unknown_there(&answer, is_v4) && ip_equal(&packet.sender, &packet.ends.to);
	heard->n_errors += packet.kind == PACKET_ERROR;
	probe_answered(job, probe, &answer);
	sctp->n_answered++;
}

static void receive(struct sctp *sctp)
{
	uint8_t bytes[RECEIVED_MAX];
	ssize_t n;
	while ((n = recv(sctp->receive, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		take(sctp, bytes, (size_t)n, clock_us());
}

/* All that are silent are asked once. False: it must end. */
static bool ask_all(struct sctp *sctp)
{
	const struct job *job = sctp->job;
	uint64_t now = clock_us(), next;
	for (uint32_t i = 0; i < sctp->pending.n;) {
		uint32_t n = job_allowance(job, &sctp->timing, now, &next), sent = 0;
		while (sent < n && sent < AT_ONCE && i < sctp->pending.n) {
			if (!ask(sctp, sctp->pending.list[i]))
				break;
			sent++;
			i++;
		}
		if (sent)
			timing_sent(&sctp->timing, sent, now);
		else
			job_await(job, &sctp->receive, 1, now, n ? now + 1000 : next);
		atomic_fetch_add_explicit(&job->progress->n_sent, sent, memory_order_relaxed);
		receive(sctp);
		now = clock_us();
		if (job_must_end(job, now))
			return false;
	}
	return true;
}

static bool one_pass(struct sctp *sctp)
{
	uint64_t until;
	sctp->n_answered = 0;
	if (!ask_all(sctp))
		return false;
	for (;;) {
		receive(sctp);
		uint64_t now = clock_us();
		uint32_t n_silent = sctp->pending.n - sctp->n_answered;
		bool is_last = !timing_needs_pass(&sctp->timing, n_silent);
		if (timing_pass_is_over(&sctp->timing, n_silent, is_last, now, &until))
			return true;
		if (job_must_end(sctp->job, now))
			return false;
		job_await(sctp->job, &sctp->receive, 1, now, until);
	}
}

/* A host without SCTP may say so only now and then: it is true of all its ports. */
static void tell_silent(struct sctp *sctp)
{
	const struct job *job = sctp->job;
	const struct answer limited = {.state = DOOR_FILTERED, .reason = BECAUSE_ICMP_LIMITED};
	for (uint32_t i = 0; i < sctp->pending.n; i++) {
		const struct heard *heard = &sctp->heard[sctp->pending.list[i] % job->n_targets];
		if (heard->n_unknown && !heard->n_sctp)
			probe_answered(job, sctp->pending.list[i], &limited);
	}
	pending_silent(&sctp->pending, job,
		       (struct answer){.state = DOOR_FILTERED, .reason = BECAUSE_TIME_OUT});
}

static int work(void *data)
{
	struct sctp *sctp = data;
	timing_init(&sctp->timing, &sctp->job->path, clock_us());
	for (;;) {
		if (!one_pass(sctp))
			return 0;
		uint32_t n = pending_keep(&sctp->pending, sctp->job);
		if (!timing_needs_pass(&sctp->timing, n))
			break;
		timing_begin_pass(&sctp->timing);
	}
	tell_silent(sctp);
	return 0;
}

static int attach(int fd, const struct sock_filter *code, unsigned n)
{
	const struct sock_fprog program = {.len = (unsigned short)n,
					   .filter = (struct sock_filter *)(uintptr_t)code};
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
											   : 0;
}

/* SCTP and ICMP, of IPv4 at byte 9, of IPv6 at byte 6, or behind an extension header. */
static int open_receive(bool is_v4)
{
	const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, is_v4 ? 9 : 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_SCTP, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, is_v4 ? IPPROTO_SCTP : IPPROTO_HOPOPTS, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, is_v4 ? IPPROTO_SCTP : IPPROTO_DSTOPTS, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, RECEIVED_MAX),
	};
	const struct sockaddr_ll any = {.sll_family = AF_PACKET,
					.sll_protocol = htons(is_v4 ? ETH_P_IP : ETH_P_IPV6)};
	const int bytes = RECEIVE_BYTES;
	/* no protocol yet: nothing comes before the filter is there */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	int r = attach(fd, code, ARRAY_SIZE(code));
	if (r >= 0 && bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0)
		r = -errno;
	if (r >= 0)
		return fd;
	close(fd);
	return r;
}

/* Where our own kernel has no SCTP, it would answer an INIT ACK with "protocol unreachable", but
 * not while a raw socket wants SCTP. On own addresses that would silence the very answer that is
 * scanned for. */
static int open_quiet(bool is_v4)
{
	static const struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_SCTP);
	if (fd >= 0)
		attach(fd, nothing, 1);
	return fd;
}

static int sctp_open(struct sctp *sctp, const struct job *job)
{
	bool is_v4 = job->targets[0].is_v4;
	uint16_t number;
	*sctp = (struct sctp){.job = job, .send = -1, .receive = -1, .quiet = -1};
	sctp->from = calloc(job->n_targets, sizeof(*sctp->from));
	sctp->heard = calloc(job->n_targets, sizeof(*sctp->heard));
	int r = finder_init(&sctp->finder, job);
	if (r < 0 || !sctp->from || !sctp->heard)
		return -ENOMEM;
	if (getrandom(sctp->key, sizeof(sctp->key), 0) < 0 ||
	    getrandom(&number, sizeof(number), 0) < 0)
		return -errno;
	sctp->base = (uint16_t)(DYNAMIC + number % (65536 - DYNAMIC)) & (uint16_t) ~(PORTS - 1);
	sctp->send = socket(is_v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (sctp->send < 0)
		return -errno;
	r = sctp->receive = open_receive(is_v4);
	if (r >= 0 && !job->is_own)
		sctp->quiet = open_quiet(is_v4);
	return r < 0 ? r : 0;
}

static void sctp_close(struct sctp *sctp)
{
	closep(&sctp->send);
	closep(&sctp->receive);
	closep(&sctp->quiet);
	free(sctp->from);
	free(sctp->heard);
	finder_done(&sctp->finder);
	pending_done(&sctp->pending);
}

/* Where no way leads nothing is sent. */
static void find_sources(struct sctp *sctp)
{
	const struct job *job = sctp->job;
	const struct answer none = {.state = DOOR_FILTERED, .reason = BECAUSE_NO_ROUTE};
	for (uint32_t t = 0; t < job->n_targets; t++)
		for (uint32_t p = 0, is_lost = syn_source(&job->targets[t], &sctp->from[t]) < 0;
		     is_lost && p < job->n_ports; p++)
			probe_answered(job, p * job->n_targets + t, &none);
}

int sctp_scan(const struct job *job, struct error *err)
{
	struct sctp sctp;
	int r = sctp_open(&sctp, job);
	if (r >= 0) {
		find_sources(&sctp);
		r = pending_init(&sctp.pending, job, 0, 1);
	}
	if (r >= 0)
		r = job_run(job, 1, work, &sctp, sizeof(sctp));
	sctp_close(&sctp);
	if (r < 0)
		error_set(err, r, "send SCTP packets of our own");
	if (r == -EPERM)
		error_hint(err, "it needs CAP_NET_RAW: run it with sudo");
	return r;
}

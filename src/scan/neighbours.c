/* Who is there on the links of the place that is scanned from. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdlib.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "base/numbers.h"
#include "base/privilege.h"
#include "scan/finder.h"
#include "scan/neighbours.h"
#include "scan/packet-neighbour.h"
#include "scan/pending.h"
#include "scan/syn.h"

#define AT_ONCE 32
#define ROOM_DEFAULT 1024 /* gc_thresh3 where nobody has changed it (arp(7)) */
#define RECEIVE_BYTES (4 << 20)

struct asking {
	const struct job *job;
	struct neighbours *found;
	struct ip *from;
	struct finder finder;
	struct timing timing;
	int send, receive;
	uint32_t n_answered; /* in this pass */
};

/* Three times in 600 ms, or as often as loss asks for. */
static struct timing_path path_of(const struct job *job)
{
	struct timing_path path = job->path;
	path.window_first = 0;
	path.timeout_first_us = 400000;
	path.timeout_min_us = 500000;
	path.passes_min = 3;
	path.has_samples = false;
	return path;
}

static void take(struct asking *asking, const uint8_t *bytes, size_t n, int interface, uint64_t now)
{
	struct neighbours *found = asking->found;
	struct neighbour_answer answer;
	if (!packet_neighbour_parse(bytes, n, asking->job->targets[0].is_v4, &answer))
		return;
	uint32_t target = finder_target(&asking->finder, &answer.ip);
	if (target == NONE || found->states[target] != NEIGHBOUR_ASKED ||
	    found->ways[target].interface != interface)
		return;
	memcpy(found->ways[target].head, answer.mac, NEIGHBOUR_MAC);
	found->states[target] = NEIGHBOUR_PRESENT;
	timing_answered(&asking->timing, asking->timing.pass, now - asking->timing.last_sent + 1,
			now);
	asking->n_answered++;
}

static void receive(struct asking *asking)
{
	uint8_t bytes[256];
	struct sockaddr_ll from = {0};
	socklen_t size = sizeof(from);
	ssize_t n;
	while ((n = recvfrom(asking->receive, bytes, sizeof(bytes), MSG_DONTWAIT,
			     (struct sockaddr *)&from, &size)) > 0) {
		if (from.sll_pkttype != PACKET_OUTGOING)
			take(asking, bytes, (size_t)n, from.sll_ifindex, clock_us());
		size = sizeof(from);
	}
}

static void ask(const struct asking *asking, uint32_t target)
{
	const struct job *job = asking->job;
	const struct link_way *way = &asking->found->ways[target];
	const struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = way->interface};
	uint8_t frame[NEIGHBOUR_FRAME_MAX];
	size_t n = packet_neighbour_ask(job->targets[0].is_v4, way->head + NEIGHBOUR_MAC,
					&asking->from[target], &job->targets[target].ip, frame);
	struct pollfd wait = {.fd = asking->send, .events = POLLOUT};
	/* what does not get out is asked again in the next pass */
	if (sendto(asking->send, frame, n, 0, (const struct sockaddr *)&to, sizeof(to)) < 0 &&
	    (errno == ENOBUFS || errno == EAGAIN))
		poll(&wait, 1, 1);
}

/* Those that have not answered, once. False: it must end. */
static bool ask_all(struct asking *asking)
{
	const struct job *job = asking->job;
	uint64_t now = clock_us(), next;
	for (uint32_t t = 0; t < job->n_targets;) {
		uint32_t n = timing_allowance(&asking->timing, now, &next), sent = 0;
		for (; t < job->n_targets && sent < n && sent < AT_ONCE; t++) {
			if (asking->found->states[t] != NEIGHBOUR_ASKED)
				continue;
			ask(asking, t);
			sent++;
		}
		if (sent)
			timing_sent(&asking->timing, sent, now);
		else if (!n)
			job_await(job, &asking->receive, 1, now, next);
		receive(asking);
		now = clock_us();
		if (job_must_end(job, now))
			return false;
	}
	return true;
}

static bool one_pass(struct asking *asking, uint32_t n_silent)
{
	uint64_t until;
	asking->n_answered = 0;
	if (!ask_all(asking))
		return false;
	for (;;) {
		receive(asking);
		uint64_t now = clock_us();
		uint32_t n = n_silent - asking->n_answered;
		bool is_last = !timing_needs_pass(&asking->timing, n);
		if (timing_pass_is_over(&asking->timing, n, is_last, now, &until))
			return true;
		if (job_must_end(asking->job, now))
			return false;
		job_await(asking->job, &asking->receive, 1, now, until);
	}
}

static uint32_t count(const struct asking *asking, enum neighbour_state state)
{
	uint32_t n = 0;
	for (uint32_t t = 0; t < asking->job->n_targets; t++)
		n += asking->found->states[t] == state;
	return n;
}

static int work(void *data)
{
	struct asking *asking = data;
	const struct timing_path path = path_of(asking->job);
	uint32_t n = count(asking, NEIGHBOUR_ASKED);
	timing_init(&asking->timing, &path, clock_us());
	while (n) {
		if (!one_pass(asking, n))
			return 0;
		n = count(asking, NEIGHBOUR_ASKED);
		if (!timing_needs_pass(&asking->timing, n))
			break;
		timing_begin_pass(&asking->timing);
	}
	for (uint32_t t = 0; t < asking->job->n_targets; t++)
		if (asking->found->states[t] == NEIGHBOUR_ASKED)
			asking->found->states[t] = NEIGHBOUR_ABSENT;
	return 0;
}

/* ARP, or advertisements in IPv6. */
static int open_receive(bool is_v4)
{
	const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 40),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 136, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 256),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = {.len = ARRAY_SIZE(code),
					   .filter = (struct sock_filter *)(uintptr_t)code};
	const struct sockaddr_ll any = {.sll_family = AF_PACKET,
					.sll_protocol = htons(is_v4 ? ETH_P_ARP : ETH_P_IPV6)};
	const int bytes = RECEIVE_BYTES;
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	int r = is_v4 ? 0 : setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
	if (r >= 0)
		r = bind(fd, (const struct sockaddr *)&any, sizeof(any));
	if (r >= 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

/* Which targets are on a link, and which of them the kernel is sure of already. */
static void look(struct asking *asking, int ways, bool may_ask)
{
	const struct job *job = asking->job;
	struct neighbours *found = asking->found;
	for (uint32_t t = 0; t < job->n_targets; t++) {
		struct ip next;
		const struct scan_target *target = &job->targets[t];
		if (target->is_own || syn_source(target, &asking->from[t]) < 0 ||
		    link_way_begin(ways, target, &asking->from[t], &found->ways[t], &next) < 0 ||
		    !ip_equal(&next, &target->ip))
			continue;
		found->n_on_link++;
		if (!may_ask)
			continue;
		struct link_way way;
		bool is_sure = link_way_find(ways, target, &asking->from[t], false, &way) >= 0;
		if (is_sure)
			found->ways[t] = way;
		found->states[t] = is_sure ? NEIGHBOUR_PRESENT : NEIGHBOUR_ASKED;
	}
}

static void tell(struct asking *asking)
{
	const struct job *job = asking->job;
	const struct answer absent = {.state = DOOR_FILTERED, .reason = BECAUSE_HOST_SILENT};
	asking->found->n_present = count(asking, NEIGHBOUR_PRESENT);
	asking->found->n_absent = count(asking, NEIGHBOUR_ABSENT);
	for (uint32_t t = 0; t < job->n_targets; t++) {
		if (asking->found->states[t] != NEIGHBOUR_PRESENT)
			asking->found->ways[t].interface = 0;
		for (uint32_t p = 0;
		     asking->found->states[t] == NEIGHBOUR_ABSENT && p < job->n_ports; p++)
			probe_answered(job, p * job->n_targets + t, &absent);
	}
}

static int find(struct asking *asking, int ways)
{
	const struct job *job = asking->job;
	bool may_ask = privilege_has(CAP_NET_RAW);
	look(asking, ways, may_ask);
	if (!may_ask || !count(asking, NEIGHBOUR_ASKED))
		return 0;
	asking->send = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (asking->send < 0)
		return -errno;
	asking->receive = open_receive(job->targets[0].is_v4);
	if (asking->receive < 0)
		return asking->receive;
	int r = finder_init(&asking->finder, job);
	return r < 0 ? r : job_run(job, 1, work, asking, sizeof(*asking));
}

int neighbours_find(const struct job *job, struct neighbours *ret, struct error *err)
{
	struct asking asking = {.job = job, .found = ret, .send = -1, .receive = -1};
	*ret = (struct neighbours){0};
	cleanup(closep) int ways = job->is_own ? -1 : link_way_open();
	if (ways < 0) /* own ones have no link; and where frames may not pass, none is sent */
		return 0;
	ret->ways = calloc(job->n_targets, sizeof(*ret->ways));
	ret->states = calloc(job->n_targets, 1);
	asking.from = calloc(job->n_targets, sizeof(*asking.from));
	int r = ret->ways && ret->states && asking.from ? find(&asking, ways) : -ENOMEM;
	if (r >= 0)
		tell(&asking);
	free(asking.from);
	finder_done(&asking.finder);
	closep(&asking.send);
	closep(&asking.receive);
	return r < 0 ? error_set(err, r, "look who is there on the link") : 0;
}

void neighbours_done(struct neighbours *neighbours)
{
	free(neighbours->ways);
	free(neighbours->states);
	*neighbours = (struct neighbours){0};
}

static bool read_number(const char *path, unsigned base, uint64_t *ret)
{
	char text[64];
	cleanup(fclosep) FILE *file = fopen(path, "re");
	if (!file || !fgets(text, sizeof(text), file))
		return false;
	const char *at = text;
	return number_scan(&at, text + strlen(text), base, ret) >= 0;
}

/* The entries are told in the second line, in hexadecimal, once for each processor. */
static uint64_t entries_of(const char *path)
{
	char text[256];
	uint64_t entries = 0;
	cleanup(fclosep) FILE *file = fopen(path, "re");
	const char *at = text;
	if (file && fgets(text, sizeof(text), file) && fgets(text, sizeof(text), file))
		number_scan(&at, text + strlen(text), 16, &entries);
	return entries;
}

/* The table is one for all namespaces; its limit and its use are to be seen in the host's only. */
uint32_t neighbours_room(bool is_v4)
{
	uint64_t limit = ROOM_DEFAULT;
	read_number(is_v4 ? "/proc/sys/net/ipv4/neigh/default/gc_thresh3"
			  : "/proc/sys/net/ipv6/neigh/default/gc_thresh3",
		    10, &limit);
	uint64_t entries =
		entries_of(is_v4 ? "/proc/1/net/stat/arp_cache" : "/proc/1/net/stat/ndisc_cache");
	uint64_t room = limit > entries ? limit - entries : 0;
	return room < UINT32_MAX ? (uint32_t)room : UINT32_MAX;
}

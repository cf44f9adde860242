/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events without a kernel, into the real module: connections that come and go, so many open at any
 * time. Prints what was reached as JSON; with --acknowledge a line for each turn after which a
 * reader sees all: "N CLOSED OPEN", how many ended, the cookies of the last that did and of the
 * last that was opened.
 *
 * usage: history-feed FILE [--rows N] [--open N] [--seed N] [--step NS] [--boot ID]
 *        [--start NS] [--now NS] [--retain-size BYTES] [--retain NS] [--acknowledge] [--pause US]
 *        [--power FILE]   what the disk is told (power.h)
 *        [--leave]   ends without a word, as if killed */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/faults.h"
#include "base/module.h"
#include "history/history.h"
#include "power.h"

#ifdef MODULES_BUILTIN
extern const struct module module_history;
#define doorward_module module_history
#else
extern const struct module doorward_module; /* its sources are compiled in */
#endif

#define SERVERS 50
#define CLIENTS 200
#define PEERS 5000

struct slot {
	struct socket socket;
	uint64_t opened_ns;
	uint32_t process;
	bool is_open;
};

struct feed {
	const struct history *history;
	struct recorder *recorder;
	struct event_sink *sink;
	struct snapshot *snapshot; /* of one socket, which is changed from event to event */
	struct slot *slots;
	uint64_t rows, n_open, seed, step, uptime, ahead, pause, retain_size, retain, cookie;
	uint64_t n_closed, last_closed, last_opened, n_events;
	const char *path, *boot;
	bool acknowledges, leaves;
};

static uint64_t next(struct feed *feed)
{
	feed->seed ^= feed->seed << 13;
	feed->seed ^= feed->seed >> 7;
	return feed->seed ^= feed->seed << 17;
}

static void fail(const char *what)
{
	fprintf(stderr, "history-feed: %s\n", what);
	exit(1);
}

/* ---- what is held against what ---- */

static void make_snapshot(struct feed *feed)
{
	struct snapshot *snapshot = snapshot_new();
	if (!snapshot)
		fail("no memory");
	*(struct netns *)vector_add(&snapshot->netns) = (struct netns){.inode = 4026531840u,
								       .is_self = true,
								       .is_initial = true,
								       .ephemeral = {32768, 60999}};
	*(struct user *)vector_add(&snapshot->users) = (struct user){.uid = 33, .name = "www-data"};
	for (unsigned i = 0; i < SERVERS + CLIENTS; i++) {
		char name[32], exe[64], cmdline[96];
		snprintf(name, sizeof(name), i < SERVERS ? "server-%u" : "client-%u", i % 40);
		snprintf(exe, sizeof(exe), "/usr/bin/%s", name);
		snprintf(cmdline, sizeof(cmdline), "%s --config /etc/%s.conf --worker %u", exe,
			 name, i);
		*(struct process *)vector_add(&snapshot->processes) = (struct process){
			.pid = 1000 + (int)i,
			.ppid = 1,
			.start_ticks = 100 + i,
			.start_time = 1790000000.5 + i,
			.uid = 33,
			.known = KNOWN_STAT | KNOWN_EXE | KNOWN_CMDLINE | KNOWN_UID,
			.name = arena_intern_string(&snapshot->arena, name),
			.exe = arena_intern_string(&snapshot->arena, exe),
			.cmdline = arena_intern_string(&snapshot->arena, cmdline),
			.cwd = "/",
			.unit = "web.service",
			.container = NONE,
			.parent = NONE,
			.netns = 0};
	}
	struct socket socket = {.holder = NONE, .tcp_info = NONE};
	snapshot_add_socket(snapshot, &socket);
	snapshot_add_holder(snapshot, 0, 0, 7);
	if (snapshot_seal(snapshot) < 0)
		fail("no memory");
	feed->snapshot = snapshot;
}

static void hand(struct feed *feed, enum event_kind kind, const struct slot *slot)
{
	struct event event = {.time_ns = feed->uptime + feed->ahead,
			      .uptime_ns = feed->uptime,
			      .duration_ns = EVENT_UNKNOWN,
			      .bytes_sent = EVENT_UNKNOWN,
			      .bytes_received = EVENT_UNKNOWN,
			      .kind = (uint8_t)kind,
			      .sure = SURE_EXACT,
			      .snapshot = feed->snapshot,
			      .socket = slot ? 0 : NONE,
			      .by = NONE,
			      .in_the_way = NONE};
	if (slot) {
		struct socket *socket = vector_at(&feed->snapshot->sockets, 0);
		struct holder *holder = vector_at(&feed->snapshot->holders, 0);
		*socket = slot->socket;
		socket->holder = 0;
		holder->process = slot->process;
		event.opened_ns = slot->opened_ns;
	}
	if (kind == EVENT_ENDED) {
		event.duration_ns = feed->uptime - slot->opened_ns;
		event.bytes_sent = next(feed) % 20000;
		event.bytes_received = next(feed) % 2000;
		event.how = HOW_CLOSED;
	}
	feed->n_events++;
	power_at(feed->uptime);
	int r = feed->sink->event(feed->sink, &event);
	if (r < 0)
		fail(r == -ENOMEM ? "out of memory" : "the sink refused");
}

static struct ip address(uint32_t number)
{
	const uint8_t bytes[4] = {10, (uint8_t)(number >> 16), (uint8_t)(number >> 8),
				  (uint8_t)number};
	return ip_from_v4(bytes);
}

static void open_one(struct feed *feed, struct slot *slot)
{
	bool is_accepted = next(feed) % 10 < 7;
	uint32_t server = (uint32_t)(next(feed) % SERVERS);
	uint16_t high = (uint16_t)(32768 + next(feed) % 28000), low = (uint16_t)(8000 + server);
	*slot = (struct slot){.socket = {.cookie = ++feed->cookie,
					 .local = address(1),
					 .peer = address(256 + (uint32_t)(next(feed) % PEERS)),
					 .local_port = is_accepted ? low : high,
					 .peer_port = is_accepted ? high : 443,
					 .inode = (uint32_t)(100000 + feed->cookie % 4000000),
					 .uid = 33,
					 .tcp_info = NONE,
					 .state = STATE_ESTABLISHED,
					 .flags = SOCKET_UID_KNOWN,
					 .held_by = HELD_PROCESS,
					 .role = is_accepted ? ROLE_ACCEPTED : ROLE_DIALLED},
			      .process = is_accepted ? server
						     : SERVERS + (uint32_t)(next(feed) % CLIENTS),
			      .opened_ns = feed->uptime,
			      .is_open = true};
	feed->last_opened = feed->cookie;
	hand(feed, EVENT_ESTABLISHED, slot);
}

static void listen_all(struct feed *feed)
{
	for (unsigned i = 0; i < SERVERS; i++) {
		struct slot slot = {.socket = {.cookie = 1000000000000 + i,
					       .local = address(1),
					       .peer = ip_from_v4((const uint8_t[4]){0}),
					       .local_port = (uint16_t)(8000 + i),
					       .inode = 5000 + i,
					       .uid = 33,
					       .send_queue = 128,
					       .tcp_info = NONE,
					       .state = STATE_LISTEN,
					       .flags = SOCKET_UID_KNOWN | SOCKET_QUEUES_KNOWN,
					       .held_by = HELD_PROCESS},
				    .process = i,
				    .opened_ns = feed->uptime};
		hand(feed, EVENT_STANDING, &slot);
	}
	hand(feed, EVENT_STARTED, NULL);
}

static void turn(struct feed *feed)
{
	power_at(feed->uptime);
	struct error err = {.code = 0};
	struct recorder_state state;
	int r = feed->history->turn(feed->recorder, feed->uptime + feed->ahead, feed->uptime, &err);
	if (r < 0)
		fprintf(stderr, "history-feed: %s\n", err.what);
	feed->history->state(feed->recorder, &state);
	if (!feed->acknowledges || r < 0 || state.lag_ns)
		return;
	printf("%llu %llu %llu\n", (unsigned long long)feed->n_closed,
	       (unsigned long long)feed->last_closed, (unsigned long long)feed->last_opened);
	fflush(stdout);
}

static void run(struct feed *feed)
{
	uint64_t last_turn = feed->uptime;
	while (feed->n_closed < feed->rows) {
		uint64_t r = next(feed), at = r % feed->n_open;
		if (r >> 60) /* most that end are of a few: some stay for long */
			at = at * at / feed->n_open;
		struct slot *slot = &feed->slots[at];
		feed->uptime += feed->step;
		if (slot->is_open) {
			hand(feed, EVENT_ENDED, slot);
			feed->last_closed = slot->socket.cookie;
			feed->n_closed++;
			feed->uptime += feed->step;
		}
		open_one(feed, slot);
		if (feed->pause) {
			struct timespec pause = {.tv_nsec = (long)feed->pause * 1000};
			nanosleep(&pause, NULL);
		}
		if (feed->uptime - last_turn >= 50000000) {
			turn(feed);
			last_turn = feed->uptime;
		}
	}
}

static void tell(const struct feed *feed, uint64_t took)
{
	struct recorder_state state;
	feed->history->state(feed->recorder, &state);
	printf("{\"rows\":%llu,\"events\":%llu,\"seconds\":%.3f,\"rows_per_second\":%.0f,"
	       "\"events_per_second\":%.0f,\"size\":%llu,\"bytes_per_row\":%.1f,"
	       "\"bytes_per_event\":%.1f,\"open\":%llu,\"dropped\":%llu,\"pruned\":%llu,"
	       "\"uptime\":%llu,\"time\":%llu}\n",
	       (unsigned long long)feed->n_closed, (unsigned long long)feed->n_events,
	       (double)took / 1e9, (double)feed->n_closed * 1e9 / (double)took,
	       (double)feed->n_events * 1e9 / (double)took, (unsigned long long)state.size,
	       (double)state.size / (double)feed->n_closed,
	       (double)state.size / (double)feed->n_events, (unsigned long long)state.n_open,
	       (unsigned long long)state.n_dropped, (unsigned long long)state.n_pruned,
	       (unsigned long long)feed->uptime, (unsigned long long)(feed->uptime + feed->ahead));
}

static void parse(struct feed *feed, int n, char **words)
{
	const struct {
		const char *name;
		uint64_t *to;
	} numbers[] = {{"--rows", &feed->rows},	    {"--open", &feed->n_open},
		       {"--seed", &feed->seed},	    {"--step", &feed->step},
		       {"--start", &feed->uptime},  {"--now", &feed->ahead},
		       {"--pause", &feed->pause},   {"--retain-size", &feed->retain_size},
		       {"--retain", &feed->retain}, {"--cookie", &feed->cookie}};
	for (int i = 1; i < n; i++) {
		bool is_known = false;
		for (size_t k = 0; k < ARRAY_SIZE(numbers) && i + 1 < n; k++)
			if (strcmp(words[i], numbers[k].name) == 0) {
				*numbers[k].to = strtoull(words[++i], NULL, 10);
				is_known = true;
				break;
			}
		if (is_known)
			continue;
		if (strcmp(words[i], "--acknowledge") == 0)
			feed->acknowledges = true;
		else if (strcmp(words[i], "--leave") == 0)
			feed->leaves = true;
		else if (strcmp(words[i], "--boot") == 0 && i + 1 < n)
			feed->boot = words[++i];
		else if (strcmp(words[i], "--power") == 0 && i + 1 < n)
			power_start(words[++i]);
		else if (words[i][0] != '-')
			feed->path = words[i];
		else
			fail("what is that word");
	}
	if (!feed->path || !feed->n_open || !feed->seed)
		fail("name a file");
	feed->ahead -= feed->uptime;
}

int main(int n, char **words)
{
	struct feed feed = {.rows = 100000,
			    .n_open = 1000,
			    .seed = 88172645463325252u,
			    .step = 20000,
			    .uptime = 3600000000000u,
			    .ahead = 1790000000000000000u,
			    .boot = "11111111-2222-3333-4444-555555555555"};
	struct error err = {.code = 0};
	faults_start();
	parse(&feed, n, words);
	feed.history = doorward_module.functions;
	feed.slots = calloc(feed.n_open, sizeof(*feed.slots));
	if (!feed.slots)
		fail("no memory");
	make_snapshot(&feed);
	const struct recorder_wish wish = {.path = feed.path,
					   .boot_id = feed.boot,
					   .time_ns = feed.uptime + feed.ahead,
					   .uptime_ns = feed.uptime,
					   .retain_ns = feed.retain,
					   .retain_size = feed.retain_size,
					   .group = (gid_t)-1};
	if (feed.history->record(&wish, &feed.recorder, &err) < 0)
		fail(err.what);
	feed.sink = feed.history->sink(feed.recorder);
	uint64_t began = clock_ns();
	listen_all(&feed);
	run(&feed);
	feed.uptime += 1000000000;
	turn(&feed);
	if (feed.leaves)
		_exit(0);
	tell(&feed, clock_ns() - began);
	if (feed.history->stop(feed.recorder, feed.uptime + feed.ahead, feed.uptime, &err) < 0)
		fail(err.what);
	snapshot_free(feed.snapshot);
	free(feed.slots);
	return 0;
}

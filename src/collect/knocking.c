/* Knocks as a stream of events. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/table.h"
#include "collect/knocking.h"
#include "source/bpf/knocks.h"
#include "source/drop-reason.h"

#define LOOK_NS 50000000     /* between two looks: as late as a first try may be told */
#define TELL_NS 1000000000u  /* between two lines of the same */
#define AGAIN_NS 5000000000u /* between two looks for the namespaces */
#define WAYS 4
#define SETS 1024 /* a power of two */
#define WORDS 256 /* reasons whose word is kept */

/* One who tries one door, for one reason. */
struct knocker {
	struct knock knock; /* its count: all so far */
	uint64_t told_ns, n_told;
};

struct knocking {
	struct host *host;
	struct netns_scope scope;
	struct event_sink *sink;
	struct knocks *knocks;
	struct snapshot *places; /* of the namespaces */
	struct snapshot *shown;	 /* one socket, for each event anew */
	uint64_t places_ns;	 /* when they were looked for */
	uint64_t own_netns;
	int timer;
	bool has_waiting;
	struct drop_reasons reasons;
	char words[WORDS][DROP_REASON_MAX];
	struct knocker knockers[SETS][WAYS]; /* the one that was told longest ago gives way */
};

static uint64_t clock_now(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- namespaces ---- */

static int look_for_places(struct knocking *knocking, struct error *err)
{
	struct snapshot *places;
	struct query query = {.bounds = BOUNDS_ALL,
			      .needs = NEED_ADDRESSES | NEED_NETNS_NAMES,
			      .scope = knocking->scope,
			      .source = SOURCE_PROC};
	query.bounds.port_last = 0; /* no socket is asked for */
	query.bounds.states = 1u << STATE_LISTEN;
	knocking->places_ns = clock_now(CLOCK_BOOTTIME);
	int r = collect_snapshot(knocking->host, &query, &places, err);
	if (r < 0)
		return r;
	struct vector *shown = &knocking->shown->netns;
	r = vector_reserve(shown, places->netns.n);
	if (r < 0) {
		snapshot_free(places);
		return error_set(err, r, "keep the namespaces");
	}
	snapshot_free(knocking->places);
	knocking->places = places;
	shown->n = places->netns.n;
	if (shown->n)
		memcpy(shown->data, places->netns.data, (size_t)shown->n * shown->size);
	knocking->shown->host = places->host;
	knocking->shown->boot_id = places->boot_id;
	return 0;
}

static uint32_t find_place(const struct knocking *knocking, uint64_t inode)
{
	for (uint32_t i = 0; i < knocking->shown->netns.n; i++)
		if (snapshot_netns(knocking->shown, i)->inode == inode)
			return i;
	return NONE;
}

/* NONE: it is none that was asked for, or is not known yet. */
static uint32_t place_of(struct knocking *knocking, uint64_t inode)
{
	uint32_t index = find_place(knocking, inode);
	if (index != NONE || knocking->scope.choice != NETNS_ALL ||
	    clock_now(CLOCK_BOOTTIME) - knocking->places_ns < AGAIN_NS)
		return index;
	look_for_places(knocking, NULL); /* the old ones stay where it fails */
	return find_place(knocking, inode);
}

/* A door of this host: no packet on its way through, and none to many. */
static bool is_ours(struct knocking *knocking, const struct knock *knock, uint32_t *ret_netns)
{
	*ret_netns = place_of(knocking, knock->netns);
	const struct netns *netns = snapshot_netns(knocking->shown, *ret_netns);
	if (!netns)
		return knocking->scope.choice == NETNS_ALL &&
		       ip_reach(&knock->to) < REACH_MULTICAST;
	return !netns->is_detailed || netns_has_address(netns, &knock->to);
}

/* ---- events ---- */

static const char *word_of(struct knocking *knocking, uint32_t reason)
{
	static const char *const unknown = "dropped";
	if (reason >= WORDS)
		return unknown;
	char *word = knocking->words[reason];
	if (!word[0])
		drop_reason_word(&knocking->reasons, reason, word);
	return word[0] ? word : unknown;
}

static struct event blank(const struct knocking *knocking, enum event_kind kind)
{
	return (struct event){.time_ns = clock_now(CLOCK_REALTIME),
			      .uptime_ns = clock_now(CLOCK_BOOTTIME),
			      .duration_ns = EVENT_UNKNOWN,
			      .bytes_sent = EVENT_UNKNOWN,
			      .bytes_received = EVENT_UNKNOWN,
			      .kind = (uint8_t)kind,
			      .told_by = TOLD_BY_BPF,
			      .snapshot = knocking->shown,
			      .socket = NONE,
			      .by = NONE,
			      .in_the_way = NONE};
}

static int tell(struct knocking *knocking, struct knocker *knocker, uint32_t netns)
{
	const struct knock *knock = &knocker->knock;
	struct event event = blank(knocking, EVENT_KNOCK);
	struct socket *socket = vector_at(&knocking->shown->sockets, 0);
	*socket = (struct socket){.local = knock->to,
				  .peer = knock->from,
				  .local_port = knock->to_port,
				  .peer_port = knock->from_port,
				  .netns = netns,
				  .holder = NONE,
				  .tcp_info = NONE,
				  .proto = knock->proto,
				  .family = knock->is_v4 ? FAMILY_IPV4 : FAMILY_IPV6};
	event.time_ns -= event.uptime_ns - knock->last_ns;
	event.uptime_ns = knock->last_ns;
	event.count = knock->count - knocker->n_told;
	event.why = word_of(knocking, knock->reason);
	event.socket = 0;
	knocker->told_ns = clock_now(CLOCK_BOOTTIME);
	knocker->n_told = knock->count;
	return knocking->sink->event(knocking->sink, &event);
}

static bool is_same(const struct knock *a, const struct knock *b)
{
	return a->count && ip_equal(&a->from, &b->from) && ip_equal(&a->to, &b->to) &&
	       a->to_port == b->to_port && a->proto == b->proto && a->reason == b->reason &&
	       a->netns == b->netns;
}

static uint64_t hash_of(const struct knock *knock)
{
	uint64_t parts[4], hash = knock->netns ^ (uint64_t)knock->reason << 40;
	memcpy(parts, &knock->from, 16);
	memcpy(parts + 2, &knock->to, 16);
	for (unsigned i = 0; i < 4; i++)
		hash = table_mix(hash ^ parts[i]);
	return table_mix(hash ^ ((uint64_t)knock->to_port << 8 | knock->proto));
}

static int take(void *data, const struct knock *knock)
{
	struct knocking *knocking = data;
	struct knocker *set = knocking->knockers[hash_of(knock) % SETS], *oldest = set;
	uint32_t netns;
	if (!is_ours(knocking, knock, &netns))
		return 0;
	for (unsigned i = 0; i < WAYS; i++) {
		if (is_same(&set[i].knock, knock)) {
			set[i].knock.count += knock->count;
			set[i].knock.last_ns = knock->last_ns;
			set[i].knock.from_port = knock->from_port;
			knocking->has_waiting = true;
			return 0;
		}
		if (set[i].told_ns < oldest->told_ns)
			oldest = &set[i];
	}
	*oldest = (struct knocker){.knock = *knock};
	return tell(knocking, oldest, netns);
}

/* What was tried again, where its last line is long enough ago. */
static int tell_waiting(struct knocking *knocking, bool is_last)
{
	uint64_t now = clock_now(CLOCK_BOOTTIME);
	bool has_waiting = false;
	int r = 0;
	for (unsigned i = 0; r >= 0 && i < SETS * WAYS; i++) {
		struct knocker *knocker = &knocking->knockers[i / WAYS][i % WAYS];
		if (knocker->n_told == knocker->knock.count)
			continue;
		if (is_last || now - knocker->told_ns >= TELL_NS)
			r = tell(knocking, knocker, find_place(knocking, knocker->knock.netns));
		else
			has_waiting = true;
	}
	knocking->has_waiting = has_waiting;
	return r;
}

int knocking_turn(struct knocking *knocking, bool is_last, struct error *err)
{
	uint64_t n_lost = 0, n_times;
	if (read(knocking->timer, &n_times, sizeof(n_times)) < 0 && errno != EAGAIN)
		return error_set(err, -errno, "wait for the next look");
	int r = knocks_read(knocking->knocks, take, knocking, &n_lost);
	if (r >= 0 && n_lost) {
		struct event event = blank(knocking, EVENT_LOST);
		event.count = n_lost;
		event.why = "too many different ones at once";
		r = knocking->sink->event(knocking->sink, &event);
	}
	if (r >= 0 && (knocking->has_waiting || is_last))
		r = tell_waiting(knocking, is_last);
	return r;
}

int knocking_fd(const struct knocking *knocking)
{
	return knocking->timer;
}

/* ---- beginning and end ---- */

static int begin(struct knocking *knocking, struct error *err)
{
	const struct itimerspec each = {{0, LOOK_NS}, {0, LOOK_NS}};
	knocking->shown = snapshot_new();
	if (!knocking->shown || !vector_add(&knocking->shown->sockets))
		return error_set(err, -ENOMEM, "watch who knocks");
	knocking->shown->is_sealed = true;
	int r = look_for_places(knocking, err);
	if (r < 0)
		return r;
	drop_reasons_open(knocking->host, &knocking->reasons);
	knocking->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (knocking->timer < 0 || timerfd_settime(knocking->timer, 0, &each, NULL) < 0)
		return error_set(err, -errno, "watch who knocks");
	return knocks_start(knocking->host, &knocking->knocks, err);
}

int knocking_start(struct host *host, const struct netns_scope *scope, struct event_sink *sink,
		   struct knocking **ret, struct error *err)
{
	struct knocking *knocking = calloc(1, sizeof(*knocking));
	if (!knocking)
		return error_set(err, -ENOMEM, "watch who knocks");
	knocking->host = host;
	knocking->scope = *scope;
	knocking->sink = sink;
	knocking->timer = -1;
	int r = begin(knocking, err);
	if (r >= 0) {
		struct event event = blank(knocking, EVENT_STARTED);
		r = sink->event(sink, &event);
	}
	if (r < 0) {
		knocking_free(knocking);
		return r;
	}
	*ret = knocking;
	return 0;
}

void knocking_free(struct knocking *knocking)
{
	if (!knocking)
		return;
	knocks_free(knocking->knocks);
	closep(&knocking->timer);
	drop_reasons_close(&knocking->reasons);
	snapshot_free(knocking->shown);
	snapshot_free(knocking->places);
	free(knocking);
}

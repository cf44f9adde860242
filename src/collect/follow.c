/* The engine of events. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>

#include "base/privilege.h"
#include "collect/following.h"

#define LOOK_MS 20    /* between two looks while something happens: at most so late is an event */
#define EMPTY_TURNS 3 /* then the next record is to wake us */
#define RECORDS_OF_TURN 65536
#define RESYNC_NS 1000000000u

static uint64_t clock_of(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t follow_uptime(void)
{
	return clock_of(CLOCK_BOOTTIME);
}

static void read_clocks(struct follow *follow)
{
	follow->now_ns = follow_uptime();
	follow->offset_ns = (int64_t)(clock_of(CLOCK_REALTIME) - follow->now_ns);
}

bool follow_wants_place(const struct follow *follow, uint64_t netns)
{
	for (uint32_t i = 0; i < follow->places.n; i++)
		if (*(uint64_t *)vector_at(&follow->places, i) == netns)
			return true;
	return !follow->places.n;
}

/* ---- the ring ---- */

static int take_event(struct event_reader *reader, const struct found_event *found)
{
	struct follow *follow = (struct follow *)reader;
	follow->has_come = true;
	if (!follow->early)
		return follow_event(follow, found);
	struct early_event *kept = vector_add(follow->early);
	if (!kept)
		return -ENOMEM;
	*kept = (struct early_event){*found, events_position(follow->events)};
	return 0;
}

void follow_read_early(struct follow *follow, struct vector *early)
{
	vector_init(early, sizeof(struct early_event));
	follow->early = early;
	follow->is_behind = true;
	follow->told_until = follow->events ? events_position(follow->events) : 0;
}

int follow_tell_early(struct follow *follow, const struct vector *early)
{
	int r = 0;
	follow->early = NULL;
	for (uint32_t i = 0; r >= 0 && i < early->n; i++) {
		const struct early_event *one = vector_at(early, i);
		follow->told_until = one->position;
		r = follow_event(follow, &one->found);
	}
	return r;
}

uint64_t follow_position(const struct follow *follow)
{
	if (!follow->events)
		return 0;
	return follow->is_behind ? follow->told_until : events_position(follow->events);
}

static int take_process(struct event_reader *reader, const struct found_process *found)
{
	return actors_learn(((struct follow *)reader)->actors, found);
}

static uint32_t deeds_of(uint32_t kinds)
{
	/* who listens where is needed for the rest */
	uint32_t deeds = 1u << DEED_BOUND | 1u << DEED_LISTENING | 1u << DEED_CLOSED;
	if (kinds & (1u << EVENT_OPENED | 1u << EVENT_CLOSED))
		deeds |= 1u << DEED_CREATED;
	if (kinds & 1u << EVENT_REFUSED)
		deeds |= 1u << DEED_TRIED;
	if (kinds & 1u << EVENT_ESTABLISHED)
		deeds |= 1u << DEED_ESTABLISHED;
	if (kinds & 1u << EVENT_ENDED)
		deeds |= 1u << DEED_ENDED;
	if (kinds & 1u << EVENT_CONNECT_FAILED)
		deeds |= 1u << DEED_CONNECT_FAILED;
	return deeds;
}

static int read_ring(struct follow *follow)
{
	if (!follow->events)
		return 0;
	return events_read(follow->events, RECORDS_OF_TURN, &follow->reader);
}

int follow_drain(struct follow *follow)
{
	int n = read_ring(follow);
	uint64_t lost = n < 0 || !follow->events ? 0 : events_take_lost(follow->events);
	if (!lost)
		return n;
	follow->wants_resync = true;
	int r = follow_tell_bare(follow, EVENT_LOST, lost,
				 "the kernel's ring was full, or a call was nested too deep");
	return r < 0 ? r : n + 1;
}

int follow_add_missing(struct follow *follow, const struct missing *missing)
{
	struct missing *added = vector_add(&follow->missing);
	if (!added)
		return -ENOMEM;
	*added = *missing;
	if (missing->hint)
		added->hint = arena_intern_string(&follow->texts, missing->hint);
	return 0;
}

/* Mended soon, but not all the time. */
static int mend(struct follow *follow)
{
	if (!follow->wants_resync || follow->now_ns < follow->resync_ns + RESYNC_NS)
		return 0;
	follow->wants_resync = false;
	follow->resync_ns = follow->now_ns;
	return follow_resync(follow, TOLD_BY_RESYNC);
}

static int handle(struct follow *follow)
{
	if (!follow->events)
		return follow_turn_netlink(follow);
	int r = follow_drain(follow);
	if (r >= 0)
		r = follow_decide(follow);
	if (r >= 0)
		r = follow_look(follow);
	return r < 0 ? r : mend(follow);
}

/* ---- turns ---- */

static void set_timer(const struct follow *follow, uint64_t ms)
{
	struct itimerspec when = {.it_value = {.tv_sec = (time_t)(ms / 1000),
					       .tv_nsec = (long)(ms % 1000) * 1000000}};
	timerfd_settime(follow->timer, 0, &when, NULL);
}

/* Something came, or not: whether we look again soon, or wait to be woken. What processes begin
 * does not keep us awake. */
static void arrange(struct follow *follow)
{
	if (!follow->events) {
		uint64_t now = follow_uptime(), next = follow->look_again_ns;
		set_timer(follow, next > now + 1000000 ? (next - now) / 1000000 : 1);
		return;
	}
	bool has_work = follow->has_come || follow->wants_resync || follow->trials.n ||
			follow_has_nameless(follow);
	follow->n_empty = has_work ? 0 : follow->n_empty + 1;
	follow->has_come = false;
	if (follow->n_empty >= EMPTY_TURNS && events_sleep(follow->events)) {
		follow->is_awake = false;
		return;
	}
	follow->is_awake = true;
	set_timer(follow, LOOK_MS);
}

int follow_turn(struct follow *follow, int timeout_ms, const struct stop *stop, struct error *err)
{
	struct epoll_event events[4];
	bool watches_stop = stop && stop->fd >= 0;
	follow->err = err;
	if (watches_stop && !follow->watches_stop) {
		struct epoll_event wanted = {.events = EPOLLIN};
		epoll_ctl(follow->epoll, EPOLL_CTL_ADD, stop->fd, &wanted);
		follow->watches_stop = true;
	}
	int n = epoll_wait(follow->epoll, events, ARRAY_SIZE(events), timeout_ms);
	if (n < 0 && errno != EINTR)
		return error_set(err, -errno, "wait for events");
	uint64_t expired;
	if (read(follow->timer, &expired, sizeof(expired)) < 0 && errno != EAGAIN)
		return error_set(err, -errno, "wait for events");
	read_clocks(follow);
	int r = handle(follow);
	if (r < 0)
		return err && err->code ? r : error_set(err, r, "follow the events");
	arrange(follow);
	return 0;
}

int follow_fd(const struct follow *follow)
{
	return follow->epoll;
}

/* ---- start and end ---- */

static int open_waiting(struct follow *follow)
{
	follow->epoll = epoll_create1(EPOLL_CLOEXEC);
	follow->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (follow->epoll < 0 || follow->timer < 0)
		return -errno;
	struct epoll_event timer = {.events = EPOLLIN};
	struct epoll_event ring = {.events = EPOLLIN | EPOLLET};
	int brief = follow->events ? events_short_fd(follow->events) : -1;
	if (epoll_ctl(follow->epoll, EPOLL_CTL_ADD, follow->timer, &timer) < 0 ||
	    (follow->events &&
	     epoll_ctl(follow->epoll, EPOLL_CTL_ADD, events_fd(follow->events), &ring) < 0) ||
	    (brief >= 0 && epoll_ctl(follow->epoll, EPOLL_CTL_ADD, brief, &ring) < 0))
		return -errno;
	set_timer(follow, LOOK_MS);
	return 0;
}

static struct follow *new_follow(struct host *host, const struct follow_wish *wish,
				 struct event_sink *sink)
{
	struct follow *follow = calloc(1, sizeof(*follow));
	if (!follow)
		return NULL;
	*follow = (struct follow){.reader = {take_event, take_process},
				  .host = host,
				  .wish = *wish,
				  .told_by = TOLD_BY_BPF,
				  .sink = sink,
				  .epoll = -1,
				  .timer = -1,
				  .is_awake = true};
	if (wish->kinds & 1u << EVENT_REFUSED)
		follow->wish.needs |= NEED_ADDRESSES; /* an address that is not there */
	vector_init(&follow->places, sizeof(uint64_t));
	vector_init(&follow->missing, sizeof(struct missing));
	follow->view = snapshot_new();
	follow->actors = follow->view ? actors_new(host, wish->needs, follow->view) : NULL;
	doors_init(&follow->doors, follow->actors);
	arena_init(&follow->texts);
	follow_trials_init(follow);
	follow_ears_init(follow);
	follow_nameless_init(follow);
	if (follow->actors)
		return follow;
	follow_free(follow);
	return NULL;
}

/* Nobody read: the ring kept what happened, and was full from its last record on where something
 * was lost. */
static int tell_gap(struct follow *follow, uint64_t lost, const struct vector *early)
{
	uint64_t last = 0;
	for (uint32_t i = 0; lost && i < early->n; i++)
		last = ((const struct early_event *)vector_at(early, i))->found.time_ns;
	follow->gap_ns = last && last < follow->now_ns ? follow->now_ns - last : EVENT_UNKNOWN;
	return follow_tell_bare(follow, EVENT_GAP, lost,
				lost ? "the kernel's ring was full while nobody read it"
				     : "nobody recorded; the kernel kept what happened");
}

/* What came while the first listing was made follows it. Of a ring that was pinned it is what came
 * while nobody read: that is told before, so that who records knows of each end. */
static int begin(struct follow *follow, struct error *err)
{
	cleanup(vector_done) struct vector early;
	follow_read_early(follow, &early);
	follow->view->is_privileged = privilege_sees_others();
	int r = actors_read_all(follow->actors);
	if (r >= 0)
		r = read_ring(follow);
	bool was_pinned = follow->events && events_was_pinned(follow->events);
	uint64_t lost = was_pinned ? events_take_lost(follow->events) : 0;
	if (r >= 0)
		r = follow_list_standing(follow);
	read_clocks(follow);
	if (r >= 0 && was_pinned)
		r = tell_gap(follow, lost, &early);
	if (r >= 0 && was_pinned)
		r = follow_tell_early(follow, &early);
	if (r >= 0)
		r = follow_tell_bare(follow, EVENT_STARTED, 0, NULL);
	if (r >= 0 && !was_pinned)
		r = follow_tell_early(follow, &early);
	follow->early = NULL;
	follow->is_behind = false;
	return r < 0 && !(err && err->code) ? error_set(err, r, "follow the events") : r;
}

/* By BPF where that works; else, unless it was asked for, without, which is told. */
static int attach(struct follow *follow, const struct events_wish *wish, struct error *err)
{
	struct facility facility;
	struct error refused = {0};
	int r = -EPERM;
	if (follow->wish.source == SOURCE_PROC) {
		follow->told_by = TOLD_BY_NETLINK;
		return 0;
	}
	if (events_probe(follow->host, &facility))
		r = events_open(follow->host, wish, &follow->events, &refused);
	else
		error_text(&refused, r, "BPF cannot be used (%s)", facility.reason);
	const char *blindness = r >= 0 ? events_blindness(follow->events) : "";
	if (blindness[0])
		r = follow_add_missing(follow, &(struct missing){.what = WHAT_SOCKETS,
								 .why = WHY_UNSUPPORTED,
								 .hint = blindness});
	if (r >= 0)
		return 0;
	if (follow->wish.source == SOURCE_BPF || wish->pin_path || r == -EBUSY) {
		if (err)
			*err = refused;
		return r;
	}
	follow->told_by = TOLD_BY_NETLINK;
	return follow_add_missing(follow, &(struct missing){.what = WHAT_SOCKETS,
							    .why = WHY_UNSUPPORTED,
							    .hint = refused.what});
}

int follow_start(struct host *host, const struct follow_wish *wish, struct event_sink *sink,
		 struct follow **ret, struct error *err)
{
	struct follow *follow = new_follow(host, wish, sink);
	if (!follow)
		return error_set(err, -ENOMEM, "follow the events");
	const struct events_wish events_wish = {.deeds = deeds_of(wish->kinds),
						.ring_size = wish->ring_size,
						.pin_path = wish->pin_path,
						.acknowledges = wish->acknowledges};
	follow->err = err;
	read_clocks(follow);
	int r = attach(follow, &events_wish, err);
	if (r >= 0 && follow->events && wish->mark.ring == events_ring(follow->events))
		events_skip(follow->events, wish->mark.position, wish->mark.undecided);
	if (r >= 0)
		r = open_waiting(follow);
	if (r >= 0 && !follow->events)
		r = follow_start_netlink(follow);
	*ret = follow;
	if (r >= 0)
		r = begin(follow, err);
	if (r >= 0)
		return 0;
	*ret = NULL;
	follow_free(follow);
	return err && err->code ? r : error_set(err, r, "follow the events");
}

void follow_free(struct follow *follow)
{
	if (!follow)
		return;
	events_close(follow->events);
	follow_ears_done(follow);
	doors_done(&follow->doors);
	actors_free(follow->actors);
	snapshot_free(follow->view);
	vector_done(&follow->places);
	vector_done(&follow->missing);
	vector_done(&follow->trials);
	vector_done(&follow->nameless);
	arena_done(&follow->texts);
	closep(&follow->epoll);
	closep(&follow->timer);
	free(follow);
}

struct follow_mark follow_mark(const struct follow *follow)
{
	if (!follow || !follow->events)
		return (struct follow_mark){0};
	return (struct follow_mark){events_ring(follow->events), follow_position(follow),
				    follow_undecided(follow)};
}

void follow_acknowledge(struct follow *follow)
{
	if (follow->events)
		events_acknowledge(follow->events, follow_undecided(follow));
}

const struct vector *follow_missing(const struct follow *follow)
{
	return &follow->missing;
}

enum told_by follow_way(const struct follow *follow)
{
	return follow->events ? TOLD_BY_BPF : TOLD_BY_NETLINK;
}

/* A snapshot each interval, in a thread of its own. */
#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/background.h"
#include "base/clock.h"
#include "base/privilege.h"
#include "collect/lean.h"
#include "collect/refresh.h"
#include "model/difference.h"
#include "source/protocols.h"

#define RATE_MS_LEAST 250

struct refresh {
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t change;
	struct query query;
	unsigned query_number, interval_ms;
	bool is_paused, is_hurried, is_ended, wants_room;
	uint32_t spare_from; /* 0: never */
	const struct snapshot *latest;
	unsigned latest_number;
	struct error error; /* of the last attempt */
	uint64_t cost_ns;

	struct stop stop; /* breaks off a collection */
	struct host host; /* of the thread alone */
	int fd;
};

static void tell(const struct refresh *refresh)
{
	uint64_t one = 1;
	if (write(refresh->fd, &one, sizeof(one)) < 0)
		return; /* it is readable already */
}

static void wake(struct refresh *refresh)
{
	pthread_cond_signal(&refresh->change);
}

/* Until the next beat, or until there is another reason; the lock is held. False: it is the end. */
static bool wait_for_turn(struct refresh *refresh, uint64_t beat_ns)
{
	while (!refresh->is_ended && !refresh->is_hurried) {
		if (refresh->is_paused) {
			pthread_cond_wait(&refresh->change, &refresh->lock);
			continue;
		}
		struct timespec until = {.tv_sec = (time_t)(beat_ns / 1000000000u),
					 .tv_nsec = (long)(beat_ns % 1000000000u)};
		if (clock_ns() >= beat_ns ||
		    pthread_cond_timedwait(&refresh->change, &refresh->lock, &until) == ETIMEDOUT)
			break;
	}
	return !refresh->is_ended;
}

/* The beat does not drift: what took longer than an interval leaves out the beats that it missed.
 */
static uint64_t next_beat(const struct refresh *refresh, uint64_t beat_ns, bool is_new_beat)
{
	uint64_t now = clock_ns(), interval = (uint64_t)refresh->interval_ms * 1000000u;
	if (is_new_beat || !beat_ns)
		return now + interval;
	beat_ns += interval;
	return beat_ns > now ? beat_ns : beat_ns + (now - beat_ns + interval) / interval * interval;
}

static void keep(struct refresh *refresh, struct snapshot *snapshot, unsigned number, int r,
		 uint64_t cost_ns, const struct error *err)
{
	const struct snapshot *old = NULL;
	pthread_mutex_lock(&refresh->lock);
	refresh->cost_ns = cost_ns;
	refresh->error = r < 0 ? *err : (struct error){0};
	if (r >= 0) {
		old = refresh->latest;
		refresh->latest = snapshot;
		refresh->latest_number = number;
	}
	pthread_mutex_unlock(&refresh->lock);
	snapshot_release(old);
	tell(refresh);
}

/* Who asks for more than there is gets a look at once, some milliseconds behind the last. What came
 * meanwhile is a burst or nothing, and no rate. */
static double least_seconds(const struct refresh *refresh)
{
	unsigned quarter = refresh->interval_ms / 4;
	return (quarter < RATE_MS_LEAST ? quarter : RATE_MS_LEAST) / 1000.0;
}

/* Only this thread changes what is the latest. Who shows it need not compare them again. */
static int keep_rates(const struct refresh *refresh, struct snapshot *snapshot, struct error *err)
{
	const struct snapshot *older = refresh->latest;
	if (!older || snapshot->flows || !(older->collected & snapshot->collected & NEED_RATE))
		return 0;
	struct difference *difference = calloc(1, sizeof(*difference));
	if (!difference)
		return error_set(err, -ENOMEM, "work out the rates");
	snapshot->difference = difference;
	int r = difference_find(older, snapshot, difference);
	if (r >= 0)
		r = difference_keep_rates(difference, least_seconds(refresh), snapshot);
	return r < 0 ? error_set(err, r, "work out the rates") : 0;
}

/* The older goes, here and where it is shown. */
static void make_room(void *data)
{
	struct refresh *refresh = data;
	pthread_mutex_lock(&refresh->lock);
	const struct snapshot *old = TAKE_POINTER(refresh->latest);
	refresh->wants_room = old != NULL;
	pthread_mutex_unlock(&refresh->lock);
	if (!old)
		return;
	snapshot_release(old);
	tell(refresh);
	pthread_mutex_lock(&refresh->lock);
	while (refresh->wants_room && !refresh->is_ended)
		pthread_cond_wait(&refresh->change, &refresh->lock);
	pthread_mutex_unlock(&refresh->lock);
}

/* As many as the last time; at first as many as the kernel has in use here. */
static bool is_spared(struct refresh *refresh, const struct query *query)
{
	pthread_mutex_lock(&refresh->lock);
	uint32_t from = refresh->spare_from;
	pthread_mutex_unlock(&refresh->lock);
	if (!from || query->needs & NEED_TCP_INFO)
		return false;
	if (refresh->latest)
		return refresh->latest->sockets.n >= from;
	uint64_t n = 0;
	struct protocols protocols;
	protocols_read(&refresh->host, &(struct found_netns){.fd = -1, .is_self = true},
		       &protocols);
	for (enum proto proto = 0; proto < PROTO_MAX; proto++)
		n += protocols.n[proto];
	return n >= from;
}

static int collect(struct refresh *refresh, const struct query *query, struct snapshot **ret,
		   struct error *err)
{
	const struct lean lean = {refresh->latest, least_seconds(refresh), make_room, refresh};
	return is_spared(refresh, query) ? collect_lean(&refresh->host, query, &lean, ret, err)
					 : collect_snapshot(&refresh->host, query, ret, err);
}

static void take_one(struct refresh *refresh, const struct query *query, unsigned number)
{
	struct snapshot *snapshot = NULL;
	struct error err = {0};
	uint64_t begun = clock_ns();
	int r = collect(refresh, query, &snapshot, &err);
	if (r < 0 && !err.code)
		error_set(&err, r, "collect the sockets");
	if (r >= 0)
		r = keep_rates(refresh, snapshot, &err);
	uint64_t cost = clock_ns() - begun;
	if (r < 0 || stop_wanted(&refresh->stop)) { /* half of one is none */
		snapshot_free(snapshot);
		snapshot = NULL;
	}
	if (!stop_wanted(&refresh->stop))
		keep(refresh, snapshot, number, r, cost, &err);
}

static void *run(void *data)
{
	struct refresh *refresh = data;
	uint64_t beat_ns = 0;
	pthread_setname_np(pthread_self(), "doorward-look");
	privilege_keep(CAPS_SEE);
	background_thread();
	pthread_mutex_lock(&refresh->lock);
	while (wait_for_turn(refresh, beat_ns)) {
		struct query query = refresh->query;
		unsigned number = refresh->query_number;
		beat_ns = next_beat(refresh, beat_ns, refresh->is_hurried);
		refresh->is_hurried = false;
		pthread_mutex_unlock(&refresh->lock);
		take_one(refresh, &query, number);
		pthread_mutex_lock(&refresh->lock);
	}
	pthread_mutex_unlock(&refresh->lock);
	return NULL;
}

/* Signals are for who started it. */
static int init(struct refresh *refresh, struct error *err)
{
	pthread_condattr_t attributes;
	refresh->stop.fd = -1;
	refresh->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (refresh->fd < 0)
		return error_set(err, -errno, "make an eventfd");
	int r = host_open(NULL, &refresh->host, err);
	if (r < 0) {
		close(refresh->fd);
		return r;
	}
	refresh->host.stop = &refresh->stop;
	refresh->host.keeps_programs = true;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&refresh->lock, NULL);
	pthread_cond_init(&refresh->change, &attributes);
	pthread_condattr_destroy(&attributes);
	return 0;
}

static void done(struct refresh *refresh)
{
	snapshot_release(refresh->latest);
	pthread_cond_destroy(&refresh->change);
	pthread_mutex_destroy(&refresh->lock);
	host_close(&refresh->host);
	close(refresh->fd);
	free(refresh);
}

int refresh_start(const struct query *query, unsigned interval_ms, bool is_paused,
		  struct refresh **ret, struct error *err)
{
	struct refresh *refresh = calloc(1, sizeof(*refresh));
	if (!refresh)
		return error_set(err, -ENOMEM, "start looking");
	refresh->query = *query;
	refresh->is_paused = is_paused;
	refresh->interval_ms =
		interval_ms < REFRESH_INTERVAL_MIN_MS ? REFRESH_INTERVAL_MIN_MS : interval_ms;
	int r = init(refresh, err);
	if (r < 0) {
		free(refresh);
		return r;
	}
	r = background_start(&refresh->thread, run, refresh);
	if (r < 0) {
		done(refresh);
		return error_set(err, r, "start a thread");
	}
	*ret = refresh;
	return 0;
}

void refresh_free(struct refresh *refresh)
{
	if (!refresh)
		return;
	pthread_mutex_lock(&refresh->lock);
	refresh->is_ended = true;
	refresh->stop.wanted = SIGTERM;
	wake(refresh);
	pthread_mutex_unlock(&refresh->lock);
	pthread_join(refresh->thread, NULL);
	done(refresh);
}

int refresh_fd(const struct refresh *refresh)
{
	return refresh->fd;
}

const struct snapshot *refresh_take(struct refresh *refresh, unsigned *ret_query)
{
	uint64_t count;
	const struct snapshot *latest = NULL;
	if (read(refresh->fd, &count, sizeof(count)) < 0)
		count = 0; /* none is newer */
	pthread_mutex_lock(&refresh->lock);
	if (refresh->latest)
		latest = snapshot_hold(refresh->latest);
	if (ret_query)
		*ret_query = refresh->latest_number;
	pthread_mutex_unlock(&refresh->lock);
	return latest;
}

int refresh_error(struct refresh *refresh, struct error *err)
{
	pthread_mutex_lock(&refresh->lock);
	int r = refresh->error.code;
	if (r < 0 && err)
		*err = refresh->error;
	pthread_mutex_unlock(&refresh->lock);
	return r;
}

unsigned refresh_ask(struct refresh *refresh, const struct query *query)
{
	pthread_mutex_lock(&refresh->lock);
	refresh->query = *query;
	unsigned number = ++refresh->query_number;
	refresh->is_hurried = true;
	wake(refresh);
	pthread_mutex_unlock(&refresh->lock);
	return number;
}

void refresh_pause(struct refresh *refresh, bool is_paused)
{
	pthread_mutex_lock(&refresh->lock);
	refresh->is_paused = is_paused;
	wake(refresh);
	pthread_mutex_unlock(&refresh->lock);
}

void refresh_hurry(struct refresh *refresh)
{
	pthread_mutex_lock(&refresh->lock);
	refresh->is_hurried = true;
	wake(refresh);
	pthread_mutex_unlock(&refresh->lock);
}

void refresh_spare(struct refresh *refresh, uint32_t n_sockets)
{
	pthread_mutex_lock(&refresh->lock);
	refresh->spare_from = n_sockets;
	pthread_mutex_unlock(&refresh->lock);
}

bool refresh_wants_room(struct refresh *refresh)
{
	pthread_mutex_lock(&refresh->lock);
	bool wants = refresh->wants_room;
	pthread_mutex_unlock(&refresh->lock);
	return wants;
}

void refresh_give_room(struct refresh *refresh)
{
	pthread_mutex_lock(&refresh->lock);
	refresh->wants_room = false;
	wake(refresh);
	pthread_mutex_unlock(&refresh->lock);
}

uint64_t refresh_cost_ns(struct refresh *refresh)
{
	pthread_mutex_lock(&refresh->lock);
	uint64_t cost = refresh->cost_ns;
	pthread_mutex_unlock(&refresh->lock);
	return cost;
}

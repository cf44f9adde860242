/* What happens, kept for who shows it. */
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/background.h"
#include "base/clock.h"
#include "base/privilege.h"
#include "collect/follow.h"
#include "journal/journal.h"
#include "model/events.h"

#define TELL_MS 100	     /* between two lists */
#define TEXTS_MAX (32 << 20) /* bytes of strings, then half of the events go */

struct journal {
	struct event_sink sink; /* first: it is the journal */
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	const struct snapshot *latest;
	struct journal_state state;
	bool is_watched, is_ended;

	struct stop stop;
	int wake, fd; /* eventfds: something is wanted; there is something to take */
	/* the rest is the thread's */
	struct looking looking;
	struct host host;
	const char *record;
	bool wants_record, rests;
	uint64_t since_ns;
	uint32_t n_most;
	struct snapshot *kept, *early; /* early: what came before the record was told; NULL: none */
	struct event started;
	bool is_dirty;
	uint64_t told_ms, n_dropped, number;
};

/* ---- what is kept ---- */

/* The oldest go: all beyond what is kept, a quarter of it at once. */
static int keep_bounds(struct journal *journal)
{
	const struct snapshot *kept = journal->kept;
	uint32_t n = kept->events.n, most = journal->n_most;
	bool is_long = arena_size(&kept->arena) > TEXTS_MAX;
	if (n < most + most / 4 && !(is_long && n > 1))
		return 0;
	uint32_t first = is_long ? n / 2 : n - most, dropped = 0;
	for (uint32_t i = 0; i < first; i++)
		dropped += events_at(kept, i)->kind != EVENT_STANDING;
	struct snapshot *renewed = events_renew(kept, first);
	if (!renewed)
		return -ENOMEM;
	snapshot_free(journal->kept);
	journal->kept = renewed;
	journal->n_dropped += dropped;
	return 0;
}

static int keep(struct journal *journal, const struct event *event)
{
	int r = events_add(journal->kept, event, ++journal->number);
	journal->is_dirty = true;
	return r < 0 ? r : keep_bounds(journal);
}

static int take_event(struct event_sink *sink, const struct event *event)
{
	struct journal *journal = (struct journal *)sink;
	if (event->kind == EVENT_STANDING)
		return 0;
	if (event->kind == EVENT_LOST) {
		pthread_mutex_lock(&journal->lock);
		journal->state.n_lost += event->count;
		pthread_mutex_unlock(&journal->lock);
	}
	if (event->kind == EVENT_STARTED) {
		journal->started = *event;
		journal->started.snapshot = NULL;
	}
	return journal->early ? events_add(journal->early, event, 0) : keep(journal, event);
}

/* ---- what is told ---- */

static void wake(int fd)
{
	uint64_t one = 1;
	if (write(fd, &one, sizeof(one)) < 0)
		return; /* it is readable already */
}

static void tell(struct journal *journal)
{
	const struct snapshot *kept = journal->kept;
	uint32_t first = kept->events.n > journal->n_most ? kept->events.n - journal->n_most : 0;
	uint64_t dropped = journal->n_dropped;
	while (first && first < kept->events.n && events_at(kept, first)->kind == EVENT_STANDING)
		first++; /* with what it stood in the way of */
	for (uint32_t i = 0; i < first; i++)
		dropped += events_at(kept, i)->kind != EVENT_STANDING;
	struct snapshot *view = events_view(journal->kept, first);
	if (!view)
		return;
	view->time = (double)time(NULL);
	journal->is_dirty = false;
	journal->told_ms = clock_ms();
	pthread_mutex_lock(&journal->lock);
	const struct snapshot *was = journal->latest;
	journal->latest = view;
	journal->state.n_events = journal->number;
	journal->state.n_dropped = dropped;
	pthread_mutex_unlock(&journal->lock);
	snapshot_release(was);
	wake(journal->fd);
}

static void fail(struct journal *journal, const struct error *err, bool is_end)
{
	pthread_mutex_lock(&journal->lock);
	journal->state.error = *err;
	journal->state.is_failed = is_end;
	journal->state.n_errors++;
	pthread_mutex_unlock(&journal->lock);
	wake(journal->fd);
}

/* ---- beginning ---- */

static uint32_t needs_of_all(const struct looking *looking)
{
	uint32_t needs = NEED_HOLDERS | NEED_STAT | NEED_EXE | NEED_RUNS | NEED_NETNS_NAMES |
			 NEED_ROLE | NEED_PARENTS | looking->needs;
	const struct field *field;
	for (unsigned i = 0; (field = field_at(i)); i++)
		needs |= field->flags & FIELD_JSON ? field->needs : 0;
	return needs;
}

static int tell_missing(struct journal *journal, const struct follow *follow)
{
	const struct vector *list = follow_missing(follow);
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < list->n; i++) {
		struct missing missing = *(const struct missing *)vector_at(list, i);
		if (missing.hint)
			missing.hint = arena_intern_string(&journal->kept->arena, missing.hint);
		r = snapshot_add_missing(journal->kept, &missing);
	}
	journal->kept->is_complete = !list->n;
	return r;
}

/* What the record has of before, then what came meanwhile. */
static int tell_before(struct journal *journal, struct replay_wish *wish, struct error *err)
{
	struct snapshot *early = TAKE_POINTER(journal->early);
	struct error why = {0};
	int r = 0;
	wish->started = &journal->started;
	if (wish->of.history) {
		uint64_t now = journal->started.time_ns;
		wish->since_ns = journal->since_ns	  ? journal->since_ns
				 : now > JOURNAL_SINCE_NS ? now - JOURNAL_SINCE_NS
							  : 1;
		wish->since_ns = replay_since(&wish->of, wish->since_ns, now, JOURNAL_RECORDED_MAX);
		if (replay_before(wish, &journal->sink, &why) < 0)
			fail(journal, &why, false);
	}
	for (uint32_t i = 0; r >= 0 && i < early->events.n; i++) {
		const struct event *event = events_at(early, i);
		if (event->kind != EVENT_STANDING && !replay_tells(wish, event))
			r = keep(journal, event);
	}
	snapshot_free(early);
	return r < 0 ? error_set(err, r, "keep the events") : 0;
}

static void tell_host(struct journal *journal)
{
	struct snapshot *kept = journal->kept;
	char text[256] = "";
	kept->is_privileged = privilege_sees_others();
	if (gethostname(text, sizeof(text) - 1) == 0)
		kept->host = arena_intern_string(&kept->arena, text);
	ssize_t n = host_read(&journal->host, text, sizeof(text), "proc/sys/kernel/random/boot_id");
	if (n > 0)
		kept->boot_id =
			arena_intern(&kept->arena, text, (size_t)n - (text[n - 1] == '\n' ? 1 : 0));
}

static int begin(struct journal *journal, struct follow **ret, struct error *err)
{
	const struct follow_wish follow_wish = {
		.scope = journal->looking.scope,
		.source = journal->looking.source,
		.needs = needs_of_all(&journal->looking),
		.kinds = ((1u << EVENT_MAX) - 1) & ~(1u << EVENT_STANDING | 1u << EVENT_KNOCK)};
	struct replay_wish wish = {.stop = &journal->stop};
	struct error why = {0};
	if (record_open_as_caller(journal->record, &wish.of, &why) < 0 &&
	    (journal->wants_record || why.code != -ENOENT))
		fail(journal, &why, false);
	wish.is_recorded = replay_is_recorded(&wish.of);
	tell_host(journal);
	journal->early = snapshot_new();
	int r = journal->early
			? follow_start(&journal->host, &follow_wish, &journal->sink, ret, err)
			: error_set(err, -ENOMEM, "keep the events");
	if (r >= 0)
		r = tell_missing(journal, *ret);
	if (r >= 0)
		r = tell_before(journal, &wish, err);
	record_close(&wish.of);
	snapshot_free(journal->early);
	journal->early = NULL;
	return r;
}

/* ---- the thread ---- */

static void look(struct journal *journal, bool *is_watched, bool *is_ended)
{
	uint64_t count;
	if (read(journal->wake, &count, sizeof(count)) < 0)
		count = 0; /* nothing new is wanted */
	pthread_mutex_lock(&journal->lock);
	*is_watched = journal->is_watched;
	*is_ended = journal->is_ended;
	pthread_mutex_unlock(&journal->lock);
}

/* Milliseconds until something is due; -1: nothing is. */
static int due(const struct journal *journal, bool is_watched)
{
	if (!is_watched || !journal->is_dirty)
		return -1;
	uint64_t gone = clock_ms() - journal->told_ms;
	return gone >= TELL_MS ? 0 : (int)(TELL_MS - gone);
}

static int follow_on(struct journal *journal, struct follow *follow, struct error *err)
{
	bool is_watched = false, is_ended = false;
	int r = 0;
	for (look(journal, &is_watched, &is_ended);
	     r >= 0 && !is_ended && (is_watched || !journal->rests);
	     look(journal, &is_watched, &is_ended)) {
		struct pollfd fds[] = {{.fd = journal->wake, .events = POLLIN},
				       {.fd = follow_fd(follow), .events = POLLIN}};
		poll(fds, 2, due(journal, is_watched));
		if (fds[1].revents)
			r = follow_turn(follow, 0, NULL, err);
		if (due(journal, is_watched) == 0)
			tell(journal);
	}
	return r;
}

static void started(struct journal *journal, const struct follow *follow)
{
	pthread_mutex_lock(&journal->lock);
	journal->state.is_started = true;
	journal->state.is_failed = false;
	journal->state.way = follow_way(follow);
	pthread_mutex_unlock(&journal->lock);
	tell(journal);
}

/* Nobody looks any more: as it was at the start. 0 or -ENOMEM. */
static int forget(struct journal *journal)
{
	struct snapshot *kept = snapshot_new();
	if (!kept)
		return -ENOMEM;
	kept->services = journal->kept->services;
	snapshot_free(journal->kept);
	journal->kept = kept;
	journal->is_dirty = false;
	pthread_mutex_lock(&journal->lock);
	const struct snapshot *was = TAKE_POINTER(journal->latest);
	journal->state.is_started = false;
	pthread_mutex_unlock(&journal->lock);
	snapshot_release(was);
	return 0;
}

/* From when somebody looks until the end, or until nobody does. 0 or negative errno with @err told.
 */
static int follow_once(struct journal *journal, struct error *err)
{
	struct follow *follow = NULL;
	int r = begin(journal, &follow, err);
	if (r >= 0) {
		started(journal, follow);
		r = follow_on(journal, follow, err);
	}
	follow_free(follow);
	return r < 0 ? r : forget(journal);
}

/* Until somebody looks, or nobody does; false: it is the end. */
static bool wait_for(struct journal *journal, bool wanted)
{
	bool is_watched = false, is_ended = false;
	for (look(journal, &is_watched, &is_ended); is_watched != wanted && !is_ended;
	     look(journal, &is_watched, &is_ended)) {
		struct pollfd fd = {.fd = journal->wake, .events = POLLIN};
		poll(&fd, 1, -1);
	}
	return !is_ended;
}

static void tell_failure(struct journal *journal, int r, struct error *err)
{
	if (stop_wanted(&journal->stop))
		return;
	if (!err->code)
		error_set(err, r, "follow the events");
	if ((r == -EPERM || r == -EACCES) && !err->hint[0] && privilege_hint())
		error_hint(err, "%s", privilege_hint());
	fail(journal, err, true);
}

static void *run(void *data)
{
	struct journal *journal = data;
	bool goes_on = true;
	pthread_setname_np(pthread_self(), "doorward-events");
	privilege_keep(CAPS_SEE);
	background_thread();
	while (goes_on && wait_for(journal, true)) {
		struct error err = {0};
		int r = follow_once(journal, &err);
		if (r < 0)
			tell_failure(journal, r, &err);
		goes_on = r >= 0 || (journal->rests && wait_for(journal, false));
	}
	return NULL;
}

/* ---- start and end ---- */

static void done(struct journal *journal)
{
	snapshot_release(journal->latest);
	snapshot_free(journal->kept);
	snapshot_free(journal->early);
	host_close(&journal->host);
	pthread_mutex_destroy(&journal->lock);
	closep(&journal->wake);
	closep(&journal->fd);
	free(journal);
}

static struct journal *new_journal(const struct journal_wish *wish)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	if (!journal)
		return NULL;
	*journal = (struct journal){.sink = {take_event},
				    .stop = {.fd = -1},
				    .looking = *wish->looking,
				    .record = wish->record,
				    .wants_record = wish->wants_record,
				    .rests = wish->rests,
				    .since_ns = wish->since_ns,
				    .n_most = wish->n_most ? wish->n_most : JOURNAL_EVENTS,
				    .wake = -1,
				    .fd = -1};
	pthread_mutex_init(&journal->lock, NULL);
	journal->kept = snapshot_new();
	if (journal->kept)
		return journal;
	free(journal);
	return NULL;
}

int journal_start(const struct journal_wish *wish, struct journal **ret, struct error *err)
{
	struct journal *journal = new_journal(wish);
	if (!journal)
		return error_set(err, -ENOMEM, "keep the events");
	int r = host_open(NULL, &journal->host, err);
	if (r < 0) {
		snapshot_free(journal->kept);
		free(journal);
		return r;
	}
	journal->host.stop = &journal->stop;
	journal->looking.host = &journal->host;
	journal->kept->services = wish->looking->services;
	journal->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	journal->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = journal->wake < 0 || journal->fd < 0 ? -errno
						 : background_start(&journal->thread, run, journal);
	if (r < 0) {
		done(journal);
		return error_set(err, r, "start a thread");
	}
	*ret = journal;
	return 0;
}

void journal_free(struct journal *journal)
{
	if (!journal)
		return;
	pthread_mutex_lock(&journal->lock);
	journal->is_ended = true;
	journal->stop.wanted = SIGTERM;
	pthread_mutex_unlock(&journal->lock);
	wake(journal->wake);
	pthread_join(journal->thread, NULL);
	done(journal);
}

void journal_watch(struct journal *journal, bool is_watched)
{
	pthread_mutex_lock(&journal->lock);
	bool is_same = journal->is_watched == is_watched;
	journal->is_watched = is_watched;
	pthread_mutex_unlock(&journal->lock);
	if (!is_same)
		wake(journal->wake);
}

int journal_fd(const struct journal *journal)
{
	return journal->fd;
}

const struct snapshot *journal_take(struct journal *journal)
{
	uint64_t count;
	if (read(journal->fd, &count, sizeof(count)) < 0)
		count = 0; /* none is newer */
	pthread_mutex_lock(&journal->lock);
	const struct snapshot *latest = journal->latest ? snapshot_hold(journal->latest) : NULL;
	pthread_mutex_unlock(&journal->lock);
	return latest;
}

void journal_state(struct journal *journal, struct journal_state *ret)
{
	pthread_mutex_lock(&journal->lock);
	*ret = journal->state;
	pthread_mutex_unlock(&journal->lock);
}

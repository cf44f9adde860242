/* Questions to the record, in a thread of their own. */
#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/background.h"
#include "base/privilege.h"
#include "journal/recorded.h"
#include "model/difference.h"
#include "model/interval.h"
#include "serve/past.h"
#include "serve/request.h"
#include "view/json.h"

#define GAPS_TOLD 200
#define NS_PER_MS 1000000u

struct past {
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t change;
	struct past_question question;
	bool is_asked, is_answered, is_ended;
	struct past_answer answer;
	const char *path;
	const struct services *services;
	int fd;
};

/* ---- what is recorded ---- */

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void put_seconds(struct out *out, const char *key, uint64_t ns)
{
	if (ns)
		out_format(out, "\"%s\":%.3f,", key, (double)ns / 1e9);
	else
		out_format(out, "\"%s\":null,", key);
}

static void put_gap(struct out *out, const struct gap *gap)
{
	out_char(out, '{');
	put_seconds(out, "from", gap->from_ns);
	put_seconds(out, "to", gap->to_ns);
	if (gap->lost == EVENT_UNKNOWN)
		out_string(out, "\"lost\":null,\"why\":");
	else
		out_format(out, "\"lost\":%" PRIu64 ",\"why\":", gap->lost);
	json_text(out, gap->why);
	out_char(out, '}');
}

static int put_gaps(const struct history *history, struct archive *archive, struct out *out,
		    struct error *err)
{
	cleanup(remembered_done) struct remembered remembered;
	const struct recall recall = {.limit = 1, .now_ns = now_ns()};
	remembered_init(&remembered);
	int r = history->intervals(archive, &recall, &remembered, err);
	if (r < 0)
		return r;
	uint32_t n = remembered.gaps.n < GAPS_TOLD ? remembered.gaps.n : GAPS_TOLD;
	out_format(out, "\"n_gaps\":%u,\"gaps\":[", remembered.gaps.n);
	for (uint32_t i = 0; i < n; i++) {
		out_string(out, i ? "," : "");
		put_gap(out, vector_at(&remembered.gaps, i));
	}
	out_string(out, "]}\n");
	return 0;
}

static int tell_span(const struct history *history, struct archive *archive, const char *path,
		     struct out *out, struct error *err)
{
	struct history_status status;
	int r = history->status(archive, &status, err);
	if (r < 0)
		return r;
	uint64_t now = now_ns(),
		 newest = status.alive_ns > status.newest_ns ? status.alive_ns : status.newest_ns;
	out_string(out, "{\"recorded\":true,\"path\":");
	json_text(out, path);
	out_char(out, ',');
	put_seconds(out, "oldest", status.oldest_ns);
	put_seconds(out, "newest", status.recorder || newest > now ? now : newest);
	out_format(out, "\"recording\":%s,", status.recorder ? "true" : "false");
	return put_gaps(history, archive, out, err);
}

/* ---- a step ---- */

_Static_assert((int)STEP_EARLIER == (int)RECORDED_EARLIER && (int)STEP_LATER == (int)RECORDED_LATER,
	       "the same steps in the same order");

/* Where there is no further one, why. */
static int tell_step(const struct record_of *of, const struct recorded_wish *wish, struct out *out,
		     struct error *err)
{
	struct recorded_answer found;
	int r = recorded_step(of, wish, &found);
	if (r < 0 && r != -ENOENT) {
		*err = found.error;
		return r;
	}
	out_string(out, "{\"moment\":");
	if (r < 0)
		out_string(out, "null,\"why\":");
	else
		out_format(out, "%" PRIu64 ",\"why\":", found.time_ns / NS_PER_MS);
	json_text(out, r < 0 ? found.error.what : NULL);
	out_string(out, "}\n");
	return 0;
}

/* ---- a moment ---- */

/* What became of each socket in the millisecond before; what cannot be told is no fault. */
static uint8_t *find_change(const struct record_of *of, const struct recorded_wish *wish,
			    const struct snapshot *snapshot)
{
	struct recorded_wish before = *wish;
	const struct snapshot *older = NULL;
	struct difference difference = {.older = NULL};
	uint8_t *change = NULL;
	before.time_ns -= NS_PER_MS;
	if (recorded_listing(of, &before, &older, NULL) >= 0 &&
	    difference_find(older, snapshot, &difference) >= 0)
		change = TAKE_POINTER(difference.change);
	difference_done(&difference);
	snapshot_release(older);
	return change;
}

static int list(const struct record_of *of, const struct recorded_wish *wish,
		struct past_answer *ret)
{
	int r = recorded_listing(of, wish, &ret->snapshot, &ret->error);
	if (r >= 0)
		ret->change = find_change(of, wish, ret->snapshot);
	return r;
}

/* ---- the thread ---- */

static int ask(const struct past *past, const struct record_of *of, struct past_answer *ret)
{
	const struct past_question *question = &ret->question;
	uint64_t now = now_ns();
	const struct recorded_wish wish = {
		.time_ns = question->moment_ms ? question->moment_ms * NS_PER_MS : now,
		.now_ns = now,
		.step = (enum recorded_step)question->step,
		.services = past->services};
	int r = out_init(&ret->text, -1);
	if (r < 0)
		return r;
	switch (question->what) {
	case PAST_LISTING:
		return list(of, &wish, ret);
	case PAST_EVENTS:
		return recorded_events(of, &wish, &ret->snapshot, &ret->error);
	case PAST_STEP:
		return tell_step(of, &wish, &ret->text, &ret->error);
	case PAST_SPAN:
		break;
	}
	return tell_span(of->history, of->archive, past->path, &ret->text, &ret->error);
}

static void answer(const struct past *past, const struct past_question *question,
		   struct past_answer *ret)
{
	struct record_of of;
	*ret = (struct past_answer){.question = *question, .text = {.fd = -1}};
	ret->r = record_open_as_caller(past->path, &of, &ret->error);
	if (ret->r >= 0)
		ret->r = ask(past, &of, ret);
	record_close(&of);
	if (ret->r < 0 && !ret->error.code)
		error_set(&ret->error, ret->r, "read %.150s", past->path);
}

static void *run(void *data)
{
	struct past *past = data;
	pthread_setname_np(pthread_self(), "doorward-past");
	privilege_keep(CAP(DAC_READ_SEARCH)); /* the folder may be another's */
	background_thread();
	pthread_mutex_lock(&past->lock);
	while (!past->is_ended) {
		if (!past->is_asked || past->is_answered) {
			pthread_cond_wait(&past->change, &past->lock);
			continue;
		}
		struct past_answer made;
		struct past_question question = past->question;
		uint64_t one = 1;
		pthread_mutex_unlock(&past->lock);
		answer(past, &question, &made);
		pthread_mutex_lock(&past->lock);
		past->answer = made;
		past->is_answered = true;
		if (write(past->fd, &one, sizeof(one)) < 0)
			continue; /* it is readable already */
	}
	pthread_mutex_unlock(&past->lock);
	return NULL;
}

int past_start(const char *path, const struct services *services, struct past **ret,
	       struct error *err)
{
	struct past *past = calloc(1, sizeof(*past));
	if (!past)
		return error_set(err, -ENOMEM, "read the record");
	past->path = path;
	past->services = services;
	past->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int r = past->fd < 0 ? -errno : 0;
	pthread_mutex_init(&past->lock, NULL);
	pthread_cond_init(&past->change, NULL);
	if (r >= 0)
		r = background_start(&past->thread, run, past);
	if (r >= 0) {
		*ret = past;
		return 0;
	}
	closep(&past->fd);
	free(past);
	return error_set(err, r, "start a thread");
}

void past_free(struct past *past)
{
	struct past_answer left;
	if (!past)
		return;
	pthread_mutex_lock(&past->lock);
	past->is_ended = true;
	pthread_cond_signal(&past->change);
	pthread_mutex_unlock(&past->lock);
	pthread_join(past->thread, NULL);
	if (past_take(past, &left))
		past_answer_done(&left);
	pthread_cond_destroy(&past->change);
	pthread_mutex_destroy(&past->lock);
	close(past->fd);
	free(past);
}

int past_fd(const struct past *past)
{
	return past->fd;
}

bool past_ask(struct past *past, const struct past_question *question)
{
	pthread_mutex_lock(&past->lock);
	bool is_free = !past->is_asked;
	if (is_free) {
		past->question = *question;
		past->is_asked = true;
		pthread_cond_signal(&past->change);
	}
	pthread_mutex_unlock(&past->lock);
	return is_free;
}

bool past_take(struct past *past, struct past_answer *ret)
{
	uint64_t count;
	pthread_mutex_lock(&past->lock);
	bool is_there = past->is_answered;
	if (is_there) {
		*ret = past->answer;
		past->is_asked = past->is_answered = false;
		if (read(past->fd, &count, sizeof(count)) < 0)
			count = 0; /* it was taken before it was told */
	}
	pthread_mutex_unlock(&past->lock);
	return is_there;
}

void past_answer_done(struct past_answer *answer)
{
	snapshot_release(answer->snapshot);
	free(answer->change);
	out_done(&answer->text);
}

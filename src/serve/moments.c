/* Moments of the past that pages look at: a few are kept, shared by all who look at the same, and
 * asked of the record one after another. A page that goes on to another moment before its answer is
 * there waits for that one alone. */
#include <errno.h>
#include <stdlib.h>

#include "journal/recorded.h"
#include "serve/state.h"

static bool is_same(const struct past_question *a, const struct past_question *b)
{
	return a->what == b->what && a->moment_ms == b->moment_ms && a->step == b->step;
}

static struct past_question question_of(const struct viewer *viewer)
{
	return (struct past_question){.what = viewer_shows_events(viewer) ? PAST_EVENTS
									  : PAST_LISTING,
				      .moment_ms = viewer->is_open ? viewer->wish.moment_ms : 0};
}

static struct moment_kept *find(struct desk *desk, const struct past_question *question)
{
	for (unsigned i = 0; i < MOMENTS_MAX; i++)
		if (is_same(&desk->moments[i].of, question))
			return &desk->moments[i];
	return NULL;
}

static const struct snapshot *use(struct desk *desk, const struct past_question *question)
{
	struct moment_kept *kept = find(desk, question);
	if (!kept)
		return NULL;
	kept->wanted = ++desk->n_chosen;
	return kept->snapshot;
}

const struct snapshot *moment_snapshot(struct desk *desk, uint64_t moment_ms)
{
	const struct past_question question = {PAST_LISTING, moment_ms, RECORDED_AT};
	return moment_ms ? use(desk, &question) : desk->snapshot;
}

const uint8_t *moment_change(struct desk *desk, uint64_t moment_ms)
{
	const struct past_question question = {PAST_LISTING, moment_ms, RECORDED_AT};
	const struct moment_kept *kept = moment_ms ? find(desk, &question) : NULL;
	return kept ? kept->change : moment_ms ? NULL : desk->change;
}

const struct snapshot *viewer_snapshot(struct desk *desk, const struct viewer *viewer)
{
	const struct past_question question = question_of(viewer);
	if (question.moment_ms)
		return use(desk, &question);
	return viewer_shows_events(viewer) ? desk->happened : desk->snapshot;
}

const struct door_map *moment_map(struct desk *desk, uint64_t moment_ms)
{
	if (!moment_ms)
		return desk->is_map_made ? &desk->map : NULL;
	const struct past_question question = {PAST_LISTING, moment_ms, RECORDED_AT};
	struct moment_kept *kept = find(desk, &question);
	if (!kept || kept->map)
		return kept ? kept->map : NULL;
	kept->map = calloc(1, sizeof(*kept->map));
	if (kept->map)
		door_map_make(kept->snapshot, NULL, NULL, kept->map);
	return kept->map;
}

static bool looks_at(const struct viewer *viewer, const struct past_question *question)
{
	const struct past_question its = question_of(viewer);
	return viewer->is_open && is_same(&its, question);
}

/* Who looks at it is shown it anew once it asks for something. */
static void forget(struct desk *desk, struct moment_kept *kept)
{
	if (!kept->of.moment_ms)
		return;
	for (unsigned i = 0; i < DESK_STREAMS_MAX; i++)
		if (looks_at(&desk->streams[i], &kept->of))
			viewer_forget_rows(&desk->streams[i]);
	snapshot_release(kept->snapshot);
	free(kept->map);
	free(kept->change);
	*kept = (struct moment_kept){.snapshot = NULL};
}

static bool is_looked_at(const struct desk *desk, const struct past_question *question)
{
	for (unsigned i = 0; i < DESK_STREAMS_MAX; i++)
		if (looks_at(&desk->streams[i], question))
			return true;
	return false;
}

/* A place for one of so many sockets: what is not looked at goes first, then what was wanted
 * longest ago. All together have no more than MANY_SOCKETS, but one that has more itself. */
static struct moment_kept *make_room(struct desk *desk, uint32_t n_sockets)
{
	for (;;) {
		struct moment_kept *oldest = NULL, *room = NULL;
		uint64_t n = n_sockets;
		for (unsigned i = 0; i < MOMENTS_MAX; i++) {
			struct moment_kept *kept = &desk->moments[i];
			if (!kept->of.moment_ms) {
				room = kept;
				continue;
			}
			n += kept->snapshot->sockets.n;
			if (!oldest || kept->wanted < oldest->wanted)
				oldest = kept;
		}
		if (!oldest || (room && n <= MANY_SOCKETS))
			return room;
		forget(desk, oldest);
	}
}

/* The stream's next window waits for the record. */
static bool waits(struct desk *desk, const struct viewer *viewer)
{
	const struct past_question question = question_of(viewer);
	return question.moment_ms && viewer->wants_window && !viewer->has_no_moment &&
	       !find(desk, &question);
}

static bool ask_for_asker(struct desk *desk)
{
	return desk->n_past_askers && past_ask(desk->past, &desk->past_askers[0].question);
}

/* Whoever asks more often than the others does not keep them waiting. */
static bool ask_for_stream(struct desk *desk)
{
	for (unsigned i = 0; i < DESK_STREAMS_MAX; i++) {
		unsigned next = (desk->next_moment + i) % DESK_STREAMS_MAX;
		const struct past_question question = question_of(&desk->streams[next]);
		if (!waits(desk, &desk->streams[next]))
			continue;
		desk->next_moment = next + 1;
		return past_ask(desk->past, &question);
	}
	return false;
}

void moments_ask(struct desk *desk)
{
	if (desk->is_asking_past)
		return;
	for (unsigned i = 0; i < MOMENTS_MAX; i++)
		if (!is_looked_at(desk, &desk->moments[i].of))
			forget(desk, &desk->moments[i]);
	/* by turns */
	bool is_for_stream = !desk->was_stream_asked_for && ask_for_stream(desk);
	desk->is_asking_past = is_for_stream || ask_for_asker(desk);
	if (!desk->is_asking_past)
		desk->is_asking_past = is_for_stream = ask_for_stream(desk);
	desk->was_stream_asked_for = is_for_stream;
}

/* All who asked the same. */
static void answer_askers(struct desk *desk, const struct past_answer *answer)
{
	unsigned n_left = 0;
	for (unsigned i = 0; i < desk->n_past_askers; i++) {
		const struct past_asker asker = desk->past_askers[i];
		if (!is_same(&asker.question, &answer->question)) {
			desk->past_askers[n_left++] = asker;
			continue;
		}
		size_t began = reply_begin(desk, asker.id, REPLY_JSON, 200);
		if (answer->r >= 0) {
			out_bytes(&desk->out, answer->text.data, answer->text.n);
		} else {
			out_string(&desk->out, "{\"recorded\":false,\"error\":");
			reply_error_json(&desk->out, &answer->error);
			out_string(&desk->out, "}\n");
		}
		reply_end(desk, began, true);
	}
	desk->n_past_askers = n_left;
}

static void keep(struct desk *desk, struct past_answer *answer)
{
	struct moment_kept *kept = make_room(desk, answer->snapshot->sockets.n);
	const struct snapshot *snapshot = TAKE_POINTER(answer->snapshot);
	uint8_t *change = TAKE_POINTER(answer->change);
	*kept = (struct moment_kept){.of = answer->question,
				     .snapshot = snapshot,
				     .change = change,
				     .wanted = ++desk->n_chosen};
}

void moments_take(struct desk *desk)
{
	struct past_answer answer;
	if (!past_take(desk->past, &answer))
		return;
	const struct past_question *question = &answer.question;
	desk->is_asking_past = false;
	if (question->what == PAST_SPAN || question->what == PAST_STEP)
		answer_askers(desk, &answer);
	else if (answer.r >= 0 && is_looked_at(desk, question))
		keep(desk, &answer);
	for (unsigned i = 0; question->moment_ms && i < DESK_STREAMS_MAX; i++) {
		struct viewer *viewer = &desk->streams[i];
		if (!looks_at(viewer, question))
			continue;
		if (answer.r >= 0) {
			viewer->is_due = true;
		} else {
			viewer->has_no_moment = true;
			viewer_fail(desk, viewer, &answer.error);
		}
	}
	past_answer_done(&answer);
	moments_ask(desk);
}

void answer_past(struct desk *desk, const struct request *request)
{
	struct past_asker asker = {.id = request->id, .question = {.what = PAST_SPAN}};
	if (desk->n_past_askers == PAST_ASKERS_MAX) {
		reply_error(desk, request->id, 429,
			    &(struct error){.what = "too much is asked at once"});
		return;
	}
	if (request->step != STEP_NONE)
		asker.question =
			(struct past_question){PAST_STEP, request->wish.moment_ms, request->step};
	desk->past_askers[desk->n_past_askers++] = asker;
	moments_ask(desk);
}

void moments_done(struct desk *desk)
{
	past_free(desk->past);
	for (unsigned i = 0; i < MOMENTS_MAX; i++)
		forget(desk, &desk->moments[i]);
}

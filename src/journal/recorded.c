/* The walk through the record. */
#include <errno.h>

#include "journal/recorded.h"
#include "model/events.h"

#define NS_OF_MS UINT64_C(1000000)

/* ---- which moment ---- */

/* What happens within a millisecond is one step, at its end. */
static uint64_t end_of_ms(uint64_t ns)
{
	return (ns + NS_OF_MS - 1) / NS_OF_MS * NS_OF_MS;
}

/* Looked for near first: where much happens it is found among few. */
static int take_step(const struct record_of *of, const struct recorded_wish *wish, uint64_t *at,
		     struct error *err)
{
	static const uint64_t spans[] = {RECORDED_STEP_NS / 600, RECORDED_STEP_NS / 10,
					 RECORDED_STEP_NS};
	bool is_later = wish->step == RECORDED_LATER;
	uint64_t time = wish->time_ns, far = time;
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		far = is_later ? time + spans[i] : time > spans[i] ? time - spans[i] : 1;
		const struct change_wish change = {.since_ns = is_later ? time : far,
						   .until_ns = is_later ? far : time,
						   .grain_ns = NS_OF_MS,
						   .is_first = is_later};
		uint64_t found;
		int r = of->history->change(of->archive, &change, &found, err);
		if (r < 0)
			return r;
		if (found) {
			*at = found;
			return 0;
		}
	}
	*at = far;
	return 0;
}

int recorded_step(const struct record_of *of, const struct recorded_wish *wish,
		  struct recorded_answer *ret)
{
	struct history_status status;
	*ret = (struct recorded_answer){.time_ns = wish->time_ns, .number = wish->number};
	int r = of->history->status(of->archive, &status, &ret->error);
	if (r < 0)
		return r;
	uint64_t known = status.alive_ns > status.newest_ns ? status.alive_ns : status.newest_ns;
	ret->oldest_ns = status.oldest_ns;
	ret->newest_ns = status.recorder || known > wish->now_ns ? wish->now_ns : known;
	if (wish->step == RECORDED_AT)
		return 0;
	if (wish->step == RECORDED_EARLIER && ret->time_ns <= end_of_ms(ret->oldest_ns))
		return error_text(&ret->error, -ENOENT, "nothing earlier is recorded");
	if (wish->step == RECORDED_EARLIER && ret->newest_ns && ret->time_ns > ret->newest_ns) {
		ret->time_ns = ret->newest_ns; /* over what nobody recorded */
		return 0;
	}
	r = take_step(of, wish, &ret->time_ns, &ret->error);
	if (r >= 0 && ret->time_ns < ret->oldest_ns)
		ret->time_ns = end_of_ms(ret->oldest_ns);
	if (r >= 0 && wish->step == RECORDED_LATER && ret->time_ns >= ret->newest_ns)
		return error_text(&ret->error, -ENOENT, "nothing later is recorded");
	return r;
}

/* ---- what there is to show ---- */

struct collecting {
	struct event_sink sink; /* first */
	struct snapshot *list;
	uint64_t number;
};

static int collect(struct event_sink *sink, const struct event *event)
{
	struct collecting *collecting = (struct collecting *)sink;
	return events_add(collecting->list, event, ++collecting->number);
}

int recorded_events(const struct record_of *of, const struct recorded_wish *wish,
		    const struct snapshot **ret, struct error *err)
{
	struct collecting collecting = {.sink = {collect}, .list = snapshot_new()};
	uint64_t time = wish->time_ns,
		 since = time > RECORDED_EVENTS_NS ? time - RECORDED_EVENTS_NS : 1;
	struct recall recall = {.until_ns = time, .now_ns = wish->now_ns, .is_all_states = true};
	if (!collecting.list)
		return error_set(err, -ENOMEM, "read the record");
	recall.since_ns = replay_since(of, since, time, RECORDED_EVENTS_MAX);
	int r = of->history->replay(of->archive, &recall, UINT64_MAX, &collecting.sink, err);
	collecting.list->origin = ORIGIN_HISTORY;
	collecting.list->is_complete = true;
	collecting.list->time = (double)time / 1e9;
	collecting.list->services = wish->services;
	if (r >= 0)
		*ret = events_view(collecting.list, 0);
	snapshot_free(collecting.list);
	return r < 0 || *ret ? r : error_set(err, -ENOMEM, "read the record");
}

int recorded_listing(const struct record_of *of, const struct recorded_wish *wish,
		     const struct snapshot **ret, struct error *err)
{
	struct snapshot *at = NULL;
	const struct recall recall = {.now_ns = wish->now_ns, .is_all_states = true};
	int r = of->history->snapshot_at(of->archive, wish->time_ns, &recall, &at, err);
	if (r < 0)
		return r;
	at->services = wish->services;
	*ret = at;
	return 0;
}

static int find_snapshots(const struct record_of *of, struct recorded_wish *wish,
			  struct recorded_answer *ret)
{
	int r = recorded_listing(of, wish, &ret->snapshot, &ret->error);
	wish->time_ns -= NS_OF_MS;
	if (r >= 0 && recorded_listing(of, wish, &ret->older, NULL) < 0)
		ret->older = NULL;
	wish->time_ns = ret->time_ns;
	return r;
}

void recorded_find(const struct record_of *of, const struct recorded_wish *wish,
		   struct recorded_answer *ret)
{
	int r = recorded_step(of, wish, ret);
	struct recorded_wish there = *wish;
	there.time_ns = ret->time_ns;
	if (r >= 0)
		r = find_snapshots(of, &there, ret);
	if (r >= 0 && wish->wants_events)
		r = recorded_events(of, &there, &ret->events, &ret->error);
	ret->result = r;
	if (r < 0 && !ret->error.code)
		error_set(&ret->error, r, "read the record");
}

void recorded_done(struct recorded_answer *answer)
{
	snapshot_release(answer->snapshot);
	snapshot_release(answer->older);
	snapshot_release(answer->events);
	answer->snapshot = answer->older = answer->events = NULL;
}

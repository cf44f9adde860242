/* The walk through time: the looks of the last minutes, and before them the record. */
#include <errno.h>

#include "source/zone.h"
#include "top/open.h"
#include "top/state.h"

static uint64_t time_of(const struct snapshot *snapshot)
{
	return (uint64_t)(snapshot->time * 1e9);
}

static void leave_record(struct top *top)
{
	recorded_done(&top->walk.recalled);
	top->walk.recalled = (struct recorded_answer){0};
}

static void walk_to(struct top *top, const struct snapshot *snapshot)
{
	if (snapshot)
		snapshot_hold(snapshot);
	snapshot_release(top->walked);
	top->walked = snapshot;
	top->is_fresh = !snapshot; /* what lies between is no news */
	top->status[0] = '\0';	   /* that there was nothing to go to is so no more */
	if (tabs[top->tab].is_events)
		top_list(top)->id = ID_NONE;
	top_rearrange(top);
}

static void ask(struct top *top, enum recorded_step step, uint64_t time_ns)
{
	struct walk *walk = &top->walk;
	const struct recorded_wish wish = {
		.time_ns = time_ns,
		.now_ns = zone_now_ns(),
		.step = step,
		.wants_events = tabs[top->tab].is_events,
		.services = top->options->looking.services,
		.number = ++walk->number,
	};
	walk->is_asked = true;
	recorded_ask(top->recorded, &wish);
	top_say(top, false, "looking into the record...");
}

static void ask_earlier(struct top *top, uint64_t time_ns)
{
	if (top->recorded)
		ask(top, RECORDED_EARLIER, time_ns);
	else
		top_say(top, true, "nothing earlier is kept");
}

void walk_now(struct top *top)
{
	struct walk *walk = &top->walk;
	walk->number++; /* what was asked is not waited for */
	walk->is_asked = false;
	walk->steps = 0;
	leave_record(top);
	if (top->walked)
		walk_to(top, NULL);
}

/* Which of what is kept in memory is shown; the last, where it is now. -1: it is older than all,
 * for the memory has gone on while it was looked at. */
static int64_t place(const struct top *top)
{
	int64_t at = (int64_t)top->past.list.n - 1;
	while (top->walked && at >= 0 && past_at(&top->past, (uint32_t)at) != top->walked)
		at--;
	return at;
}

static void walk_in_memory(struct top *top, int by)
{
	int64_t n = top->past.list.n, at = place(top);
	const struct snapshot *from = top->walked ? top->walked : top->latest;
	if (by > 0 && !top->walked)
		top_say(top, false, "this is now");
	else if (by > 0 && at + 1 >= n - 1)
		walk_now(top);
	else if (by < 0 && at <= 0)
		ask_earlier(top, from ? time_of(from) : zone_now_ns());
	else
		walk_to(top, past_at(&top->past, (uint32_t)(at + by)));
}

void top_walk(struct top *top, int by)
{
	struct walk *walk = &top->walk;
	if (by == 0)
		walk_now(top);
	else if (walk->is_asked)
		walk->steps += by; /* taken once the answer is there */
	else if (walk->recalled.snapshot)
		ask(top, by < 0 ? RECORDED_EARLIER : RECORDED_LATER, walk->recalled.time_ns);
	else
		walk_in_memory(top, by);
}

void walk_at(struct top *top, uint64_t time_ns)
{
	uint32_t n = top->past.list.n, at = n;
	while (at && time_of(past_at(&top->past, at - 1)) > time_ns)
		at--;
	walk_now(top);
	if (at && at < n)
		walk_to(top, past_at(&top->past, at - 1));
	else if (!at && top->recorded)
		ask(top, RECORDED_AT, time_ns);
	else if (!at)
		top_say(top, true, "nothing earlier is kept");
}

void walk_want_events(struct top *top)
{
	const struct walk *walk = &top->walk;
	if (walk->recalled.snapshot && !walk->recalled.events && !walk->is_asked)
		ask(top, RECORDED_AT, walk->recalled.time_ns);
}

/* Behind the record's end: what is kept in memory, or now. */
static void leave_forward(struct top *top)
{
	leave_record(top);
	if (top->past.list.n > 1)
		walk_to(top, past_at(&top->past, 0));
	else
		walk_now(top);
}

static void fail(struct top *top, const struct recorded_answer *answer)
{
	bool is_walking = top->walk.recalled.snapshot;
	top->walk.steps = 0;
	if (is_walking && answer->result == -ENOENT && answer->newest_ns &&
	    answer->time_ns >= answer->newest_ns)
		leave_forward(top);
	else if (is_walking)
		top_say(top, true, "%s", answer->error.what);
	else
		top_say(top, true, "nothing earlier is kept: %s", answer->error.what);
}

static void adopt(struct top *top, struct recorded_answer *answer)
{
	struct walk *walk = &top->walk;
	bool is_in_memory = top->past.list.n > 1 && walk->recalled.snapshot &&
			    answer->time_ns >= time_of(past_at(&top->past, 0));
	if (is_in_memory && answer->time_ns > walk->recalled.time_ns) {
		leave_forward(top);
		return;
	}
	recorded_done(&walk->recalled);
	walk->recalled = *answer;
	*answer = (struct recorded_answer){0};
	walk_to(top, walk->recalled.snapshot);
}

void walk_take(struct top *top)
{
	struct walk *walk = &top->walk;
	struct recorded_answer answer = {0};
	if (!recorded_take(top->recorded, &answer))
		return;
	if (walk->is_asked && answer.number == walk->number) {
		walk->is_asked = false;
		if (answer.result < 0)
			fail(top, &answer);
		else
			adopt(top, &answer);
		int by = walk->steps > 0 ? 1 : walk->steps < 0 ? -1 : 0;
		walk->steps -= by;
		if (by)
			top_walk(top, by);
		top->is_dirty = true;
	}
	recorded_done(&answer);
}

void walk_done(struct top *top)
{
	leave_record(top);
	snapshot_release(top->walked);
	top->walked = NULL;
}

/* The desk's loop: requests of the front, snapshots of the thread that takes them, jobs that end.
 */
#include <errno.h>
#include <linux/capability.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/module.h"
#include "base/privilege.h"
#include "serve/state.h"

/* What both tabs show without being asked, so that to turn to the other collects nothing anew. */
#define NEEDS                                                                               \
	(NEED_ADDRESSES | NEED_HOLDERS | NEED_STAT | NEED_EXE | NEED_UID | NEED_CGROUP |    \
	 NEED_USERS | NEED_SERVICES | NEED_PEERS | NEED_ROLE | NEED_ANSWERS | NEED_COOKIE | \
	 NEED_V6ONLY | NEED_NETNS_NAMES)

/* Of events; what they are not told of (lost, a gap) stands in the row's text. */
#define EVENT_COLUMNS "time,event,proto,local,remote,process,pid,user,duration,how,errno_name"

/* What is larger goes back to the system as soon as it is freed, whatever was freed before. */
#define MAPPED_FROM (256 << 10)

/* ---- streams ---- */

static struct viewer *find_stream(struct desk *desk, uint32_t asker)
{
	for (unsigned i = 0; i < DESK_STREAMS_MAX; i++)
		if (desk->streams[i].is_open && desk->streams[i].asker == asker)
			return &desk->streams[i];
	return NULL;
}

static struct viewer *find_stream_by_id(struct desk *desk, uint64_t id)
{
	for (unsigned i = 0; i < DESK_STREAMS_MAX; i++)
		if (desk->streams[i].is_open && desk->streams[i].id == id)
			return &desk->streams[i];
	return NULL;
}

/* As long as what was told of them is kept, so that who looks elsewhere and comes back finds no
 * gap.
 */
static uint32_t needs_of_rates(const struct desk *desk)
{
	uint64_t kept_ns = (uint64_t)desk->settings->interval_ms * 1000000u * SAMPLES_MAX;
	bool is_wanted = desk->rates_asked_ns && clock_ns() - desk->rates_asked_ns < kept_ns;
	return is_wanted ? NEED_RATE : 0;
}

/* Who asks for more than is collected waits for the next snapshot, which is taken at once. */
static void ask_for(struct desk *desk, struct viewer *viewer)
{
	viewer->has_no_moment = false;
	moments_ask(desk);
	if (!needs_listing(viewer))
		return;
	uint32_t needs = viewer_needs(viewer);
	bool is_there = desk->snapshot && !(needs & ~desk->taken_needs);
	if (needs & ~desk->query.needs) {
		desk->query.needs |= needs;
		desk->query_number = refresh_ask(desk->refresh, &desk->query);
	}
	viewer->query = is_there ? 0 : desk->query_number;
}

static void want_rates(struct desk *desk)
{
	desk->rates_asked_ns = clock_ns();
	if (desk->query.needs & NEED_RATE)
		return;
	desk->query.needs |= NEED_RATE;
	if (desk->is_refreshing)
		desk->query_number = refresh_ask(desk->refresh, &desk->query);
}

/* What nobody asks for any more is collected no more. */
static void ask_for_less(struct desk *desk)
{
	uint32_t needs = NEEDS | desk->settings->needs | needs_of_rates(desk);
	for (unsigned i = 0; i < DESK_STREAMS_MAX; i++)
		if (needs_listing(&desk->streams[i]))
			needs |= viewer_needs(&desk->streams[i]);
	if (needs == desk->query.needs)
		return;
	desk->query.needs = needs;
	desk->query_number = refresh_ask(desk->refresh, &desk->query);
}

static void start_looking(struct desk *desk)
{
	if (desk->is_refreshing)
		return;
	desk->is_refreshing = true;
	/* what is kept from before is not from now */
	desk->query_number = desk->first_number = refresh_ask(desk->refresh, &desk->query);
	refresh_pause(desk->refresh, false);
}

static void release_snapshot(struct desk *desk)
{
	rows_done(&desk->usual_rows);
	snapshot_release(desk->snapshot);
	free(desk->change_kept);
	desk->snapshot = NULL;
	desk->change = desk->change_kept = NULL;
}

static void forget_snapshot(struct desk *desk)
{
	release_snapshot(desk);
	desk->is_map_made = false;
}

static void stop_looking(struct desk *desk)
{
	refresh_pause(desk->refresh, true);
	desk->is_refreshing = false;
	desk->query.needs = NEEDS | desk->settings->needs | needs_of_rates(desk);
	forget_snapshot(desk);
}

/* While a page looks at what is now. */
static void arrange_looking(struct desk *desk)
{
	happenings_arrange(desk);
	for (unsigned i = 0; i < DESK_STREAMS_MAX; i++) {
		if (!needs_listing(&desk->streams[i]))
			continue;
		start_looking(desk);
		return;
	}
	if (desk->is_refreshing)
		stop_looking(desk);
}

static void say_hello(struct desk *desk, struct viewer *viewer)
{
	size_t began = reply_begin(desk, viewer->asker, REPLY_LINE, 200);
	out_format(&desk->out, "{\"type\":\"hello\",\"stream\":\"%016lx\",\"interval_ms\":%u}\n",
		   (unsigned long)viewer->id, desk->settings->interval_ms);
	reply_end(desk, began, false);
}

static void open_stream(struct desk *desk, const struct request *request)
{
	struct error err = {0};
	struct viewer *viewer = NULL;
	for (unsigned i = 0; i < DESK_STREAMS_MAX && !viewer; i++)
		if (!desk->streams[i].is_open)
			viewer = &desk->streams[i];
	if (!viewer) {
		reply_error(desk, request->id, 429, &(struct error){.what = "too many streams"});
		return;
	}
	*viewer = (struct viewer){
		.is_open = true,
		.asker = request->id,
		.id = ++desk->n_given,
		.wish = {.tab = TAB_DOORS, .group = GROUP_SERVICE, .count = WINDOW_ROWS_USUAL}};
	struct wish wish = request->wish;
	wish.parts |= WISH_FILTER; /* so that it is parsed, said or not */
	if (viewer_wish(desk, viewer, &wish, &err) < 0) {
		reply_error(desk, request->id, 400, &err);
		viewer_close(viewer);
		return;
	}
	desk->n_streams++;
	say_hello(desk, viewer);
	arrange_looking(desk);
	ask_for(desk, viewer);
	viewer_send(desk, viewer);
}

static void change_stream(struct desk *desk, const struct request *request)
{
	struct error err = {0};
	struct viewer *viewer = find_stream_by_id(desk, request->of);
	if (!viewer) {
		reply_error(desk, request->id, 404,
			    &(struct error){.what = "there is no stream of that name"});
		return;
	}
	if (viewer_wish(desk, viewer, &request->wish, &err) < 0) {
		reply_error(desk, request->id, 400, &err);
		return;
	}
	reply_nothing(desk, request->id, 204);
	arrange_looking(desk);
	ask_for(desk, viewer);
	viewer_send(desk, viewer);
}

/* The reader took @n bytes; one that was dropped begins anew once it has all. */
static void note_read(struct desk *desk, uint32_t asker, uint32_t n)
{
	struct viewer *viewer = find_stream(desk, asker);
	if (!viewer)
		return;
	viewer->n_behind -= n < viewer->n_behind ? n : viewer->n_behind;
	if (!viewer->is_dropped || viewer->n_behind)
		return;
	viewer->is_dropped = false;
	viewer->wants_window = true;
	viewer_send(desk, viewer);
}

static void end_stream(struct desk *desk, uint32_t asker)
{
	struct viewer *viewer = find_stream(desk, asker);
	if (!viewer)
		return;
	viewer_close(viewer);
	desk->n_streams--;
	arrange_looking(desk);
	moments_ask(desk);
}

/* ---- requests ---- */

/* A scrape gets what a page looks at, or a snapshot that is taken for it. */
static void begin_scrape(struct desk *desk, const struct request *request)
{
	if (desk->snapshot && desk->is_refreshing) {
		answer_metrics(desk, request, desk->snapshot,
			       (double)refresh_cost_ns(desk->refresh) / 1e9);
		return;
	}
	if (desk->n_scrapes >= SCRAPES_MAX) {
		reply_error(desk, request->id, 429, &(struct error){.what = "too many at once"});
		return;
	}
	desk->scrapes[desk->n_scrapes++] = *request;
	if (!desk->is_refreshing && desk->n_scrapes == 1) /* one is taken, paused or not */
		desk->first_number = desk->query_number = refresh_ask(desk->refresh, &desk->query);
}

static void end_scrapes(struct desk *desk, const struct snapshot *snapshot,
			const struct error *failed)
{
	double seconds = (double)refresh_cost_ns(desk->refresh) / 1e9;
	for (unsigned i = 0; i < desk->n_scrapes; i++)
		if (snapshot)
			answer_metrics(desk, &desk->scrapes[i], snapshot, seconds);
		else
			reply_error(desk, desk->scrapes[i].id, 500, failed);
	desk->n_scrapes = 0;
}

static void answer(struct desk *desk, const struct request *request)
{
	switch ((enum verb)request->verb) {
	case VERB_FIELDS:
		answer_fields(desk, request->id);
		break;
	case VERB_CHECK:
		answer_check(desk, request);
		break;
	case VERB_COMPLETE:
		answer_complete(desk, request);
		break;
	case VERB_STREAM:
		open_stream(desk, request);
		break;
	case VERB_CHANGE:
		change_stream(desk, request);
		break;
	case VERB_READ:
		note_read(desk, request->id, request->number);
		break;
	case VERB_END:
		end_stream(desk, request->id);
		break;
	case VERB_MAP:
		answer_map(desk, request);
		break;
	case VERB_LEGEND:
		answer_legend(desk, request->id);
		break;
	case VERB_STORY:
	case VERB_PLAN:
		errand_begin(desk, request);
		break;
	case VERB_ACT:
		errand_confirm(desk, request);
		break;
	case VERB_RATES:
		want_rates(desk);
		answer_rates(desk, request);
		break;
	case VERB_GRAPH:
		answer_graph(desk, request);
		break;
	case VERB_METRICS:
		begin_scrape(desk, request);
		break;
	case VERB_PAST:
		answer_past(desk, request);
		break;
	case VERB_MAX:
		break;
	}
}

/* As much as there is; what does not fill a request waits for the rest. */
struct inbox {
	struct request request;
	size_t n;
};

/* 0; -EPIPE: the front is gone; other negative errno. */
static int read_requests(struct desk *desk, struct inbox *inbox)
{
	for (;;) {
		ssize_t n = recv(desk->settings->front, (char *)&inbox->request + inbox->n,
				 sizeof(inbox->request) - inbox->n, MSG_DONTWAIT);
		if (n == 0)
			return -EPIPE;
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		inbox->n += (size_t)n;
		if (inbox->n < sizeof(inbox->request))
			continue;
		inbox->n = 0;
		if (!request_is_valid(&inbox->request))
			return -EBADMSG;
		answer(desk, &inbox->request);
	}
}

/* ---- what goes out ---- */

#define OUT_KEPT (1u << 20)

/* Whole replies: the length of one stands before it, so that none is written before it is whole. 0
 * or negative errno. */
static int flush(struct desk *desk)
{
	struct out *out = &desk->out;
	size_t at = 0;
	if (out->error)
		return out->error;
	while (at < out->n) {
		ssize_t n = send(desk->settings->front, out->data + at, out->n - at, MSG_NOSIGNAL);
		if (n < 0 && (errno != EINTR || stop_wanted(desk->settings->stop)))
			return -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	out->n = 0;
	if (out->capacity <= OUT_KEPT)
		return 0;
	out_done(out);
	return out_init(out, -1);
}

/* ---- snapshots ---- */

/* What became of each socket of the newer, told by who gave up the older. */
static void read_since(struct desk *desk, const struct snapshot *newer)
{
	const struct since *since = newer->since;
	const struct difference told = {.change = (uint8_t *)since->change};
	door_map_make(newer, NULL, &told, &desk->map);
	door_map_mark(&desk->map, since);
	desk->is_map_made = true;
	desk->change = since->change;
}

/* The newer waits until it has room: pages that ask for something meanwhile wait for it. */
static void give_room(struct desk *desk)
{
	for (unsigned i = 0; i < DESK_STREAMS_MAX; i++) {
		if (!needs_listing(&desk->streams[i]))
			continue;
		viewer_forget_rows(&desk->streams[i]);
		desk->streams[i].is_due = false;
	}
	release_snapshot(desk);
	malloc_trim(0);
	refresh_give_room(desk->refresh);
}

/* What became of each socket of the newer. Where there is no memory nothing is known. */
static void compare(struct desk *desk, const struct snapshot *newer)
{
	struct difference difference = {0};
	bool is_known = desk->snapshot && difference_find(desk->snapshot, newer, &difference) == 0;
	door_map_make(newer, NULL, is_known ? &difference : NULL, &desk->map);
	desk->is_map_made = true;
	free(desk->change_kept);
	desk->change = desk->change_kept = is_known ? TAKE_POINTER(difference.change) : NULL;
	difference_done(&difference);
}

static void show(struct desk *desk, const struct snapshot *newer, unsigned number)
{
	if (newer->since)
		read_since(desk, newer);
	else
		compare(desk, newer);
	rows_done(&desk->usual_rows);
	snapshot_release(desk->snapshot);
	desk->snapshot = newer;
	desk->taken_number = number;
	desk->taken_needs = newer->collected;
	desk->is_privileged = newer->is_privileged;
	rates_note(&desk->rates, newer);
	ask_for_less(desk);
	for (unsigned i = 0; i < DESK_STREAMS_MAX; i++) {
		if (!needs_listing(&desk->streams[i]))
			continue;
		viewer_forget_rows(&desk->streams[i]);
		desk->streams[i].is_due = true;
	}
}

/* One page gets what is new; so who asks for something waits for one, and not for all. False: all
 * have it. */
static bool show_one(struct desk *desk)
{
	for (unsigned i = 0; i < DESK_STREAMS_MAX; i++) {
		if (!desk->streams[i].is_due)
			continue;
		viewer_send(desk, &desk->streams[i]);
		return true;
	}
	return false;
}

static void take_snapshot(struct desk *desk)
{
	struct error err = {0};
	unsigned number;
	const struct snapshot *newer = refresh_take(desk->refresh, &number);
	int failed = refresh_error(desk->refresh, &err);
	if (failed < 0) {
		end_scrapes(desk, NULL, &err);
		for (unsigned i = 0; i < DESK_STREAMS_MAX; i++)
			if (needs_listing(&desk->streams[i]))
				viewer_fail(desk, &desk->streams[i], &err);
	} else if (newer && newer != desk->snapshot && number >= desk->first_number) {
		end_scrapes(desk, newer, &err);
		if (desk->is_refreshing) {
			show(desk, newer, number);
			return; /* it is the desk's now */
		}
	}
	snapshot_release(newer);
}

/* ---- the whole ---- */

static int open_desk(struct desk *desk, struct error *err)
{
	const struct desk_settings *settings = desk->settings;
	int r = out_init(&desk->out, -1);
	arena_init(&desk->arena);
	desk->usual[TAB_DOORS] = columns_usual(&desk->arena, COLUMNS_OPEN);
	desk->usual[TAB_CONNECTIONS] = columns_usual(&desk->arena, COLUMNS_LIVE);
	if (r >= 0)
		r = fields_parse_events(EVENT_COLUMNS, &desk->events_usual, NULL, err);
	desk->usual[TAB_EVENTS] = desk->events_usual;
	if (r < 0 || !desk->usual[TAB_DOORS] || !desk->usual[TAB_CONNECTIONS])
		return error_set(err, -ENOMEM, "serve");
	desk->is_privileged = privilege_sees_others();
	desk->may_block = privilege_has(CAP_NET_ADMIN);
	desk->query = (struct query){.bounds = BOUNDS_ALL,
				     .needs = NEEDS | settings->needs,
				     .scope = settings->scope,
				     .source = settings->source};
	mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
	r = refresh_start(&desk->query, settings->interval_ms, true, &desk->refresh, err);
	if (r >= 0)
		r = past_start(settings->record, settings->services, &desk->past, err);
	if (r >= 0)
		r = happenings_begin(desk, err);
	if (r >= 0)
		refresh_spare(desk->refresh, MANY_SOCKETS);
	privilege_drop();
	return r;
}

static void close_desk(struct desk *desk)
{
	for (unsigned i = 0; i < DESK_STREAMS_MAX; i++)
		if (desk->streams[i].is_open)
			viewer_close(&desk->streams[i]);
	for (unsigned i = 0; i < JOBS_MAX; i++)
		errand_end(&desk->errands[i]);
	refresh_free(desk->refresh);
	happenings_end(desk);
	moments_done(desk);
	forget_snapshot(desk);
	rates_done(&desk->rates);
	free(desk->events_usual);
	arena_done(&desk->arena);
	out_done(&desk->out);
	free(desk);
}

#define WAITS_OWN 5 /* before those of jobs */

static int serve(struct desk *desk, struct error *err)
{
	struct inbox inbox = {.n = 0};
	struct pollfd waits[WAITS_OWN + JOBS_MAX] = {{desk->settings->front, POLLIN, 0},
						     {refresh_fd(desk->refresh), POLLIN, 0},
						     {desk->settings->stop->fd, POLLIN, 0},
						     {past_fd(desk->past), POLLIN, 0},
						     {journal_fd(desk->journal), POLLIN, 0}};
	bool is_due = false;
	while (!stop_wanted(desk->settings->stop)) {
		for (unsigned i = 0; i < JOBS_MAX; i++) /* one below 0 is not looked at */
			waits[WAITS_OWN + i] = (struct pollfd){desk->errands[i].fd, POLLIN, 0};
		int patience = errands_expire(desk), r = flush(desk);
		int n = r < 0 ? 0 : poll(waits, ARRAY_SIZE(waits), is_due ? 0 : patience);
		if (n < 0 && errno != EINTR)
			return error_set(err, -errno, "wait for requests");
		if (n < 0)
			continue;
		for (unsigned i = 0; i < JOBS_MAX; i++)
			if (waits[WAITS_OWN + i].revents)
				errand_read(desk, &desk->errands[i]);
		if (r >= 0 && waits[0].revents)
			r = read_requests(desk, &inbox);
		if (waits[1].revents)
			take_snapshot(desk);
		if (waits[1].revents && refresh_wants_room(desk->refresh))
			give_room(desk);
		if (waits[3].revents)
			moments_take(desk);
		if (waits[4].revents)
			happenings_take(desk);
		is_due = show_one(desk);
		if (r >= 0)
			r = flush(desk);
		if (r < 0 && stop_wanted(desk->settings->stop))
			return 0;
		if (r == -EPIPE || r == -ECONNRESET)
			return error_text(err, -EPIPE, "the process that speaks HTTP has ended");
		if (r < 0)
			return error_set(err, r, "speak with the process that speaks HTTP");
	}
	return 0;
}

int desk_run(const struct desk_settings *settings, struct error *err)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	if (!desk)
		return error_set(err, -ENOMEM, "serve");
	desk->settings = settings;
	for (unsigned i = 0; i < JOBS_MAX; i++)
		desk->errands[i].fd = -1;
	int r = open_desk(desk, err);
	if (r >= 0)
		r = serve(desk, err);
	close_desk(desk);
	return r;
}

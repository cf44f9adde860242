/* The rows that a page sees: selected, sorted, grouped, cut; then what differs from what it has. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "model/events.h"
#include "model/rows-usual.h"
#include "serve/row.h"
#include "serve/state.h"
#include "view/json.h"

#define MAP_CHANGES_MAX 2000 /* beyond it the page had better read the map whole */

_Static_assert((int)GROUP_SERVICE == (int)ROWS_BY_SERVICE && (int)GROUP_PEER == (int)ROWS_BY_PEER &&
		       (int)GROUP_MAX == (int)ROWS_BY_MAX,
	       "the same groups in the same order");

/* ---- rows ---- */

/* All in the usual order, where that is worth its memory: it is sorted once for all pages. NULL: it
 * is not, or there is no memory. */
static const struct rows *usual_rows(struct desk *desk, const struct snapshot *snapshot)
{
	struct rows *usual = &desk->usual_rows;
	if (snapshot != desk->snapshot || snapshot->sockets.n < MANY_SOCKETS)
		return NULL;
	if (usual->snapshot)
		return usual;
	int r = rows_select(snapshot, NULL, usual);
	if (r >= 0)
		r = rows_sort(usual, NULL, NULL);
	if (r >= 0)
		return usual;
	rows_done(usual);
	return NULL;
}

static int choose(struct desk *desk, const struct viewer *viewer, const struct snapshot *snapshot,
		  struct rows *rows)
{
	bool is_doors = viewer->wish.tab == TAB_DOORS;
	if (viewer->wish.tab == TAB_EVENTS)
		return happenings_choose(viewer, snapshot, rows);
	const struct rows *usual = viewer->sort ? NULL : usual_rows(desk, snapshot);
	int r = usual ? rows_select_usual(usual, viewer->filter, rows)
		      : rows_select(snapshot, viewer->filter, rows);
	if (r < 0)
		return r;
	if (is_doors && !filter_names_state(viewer->filter))
		rows_keep(rows, STATES_OPEN, false);
	if (!is_doors)
		rows_keep(rows, STATES_ALL, true);
	if (!usual)
		r = rows_sort(rows, viewer->sort, viewer->descending);
	return r < 0 ? r : rows_group_by(rows, (enum rows_by)viewer->wish.group);
}

static bool is_same_wish(const struct wish *a, const struct wish *b)
{
	return a->tab == b->tab && a->group == b->group && a->moment_ms == b->moment_ms &&
	       strcmp(a->filter, b->filter) == 0 && strcmp(a->sort, b->sort) == 0;
}

/* Of many sockets: so much memory in all orders of two that choose all; what is beyond is chosen
 * anew. A page that looks for few takes nothing from the others. */
#define CHOSEN_ORDERS 2

/* The first of the streams that show the same. */
static bool is_first_of(const struct desk *desk, unsigned stream)
{
	for (unsigned i = 0; i < stream; i++)
		if (desk->streams[i].chosen == desk->streams[stream].chosen)
			return false;
	return desk->streams[stream].chosen != NULL;
}

/* Is it spared less than @other (NULL: than none)? What the usual order gives again needs no
 * sorting. */
static bool goes_before(const struct chosen *chosen, const struct chosen *other)
{
	if (!other || chosen->is_sorted != other->is_sorted)
		return !other || !chosen->is_sorted;
	return chosen->wanted < other->wanted;
}

/* What goes first, but for what was wanted last, where they are too large; NULL: they are not. */
static const struct chosen *find_surplus(const struct desk *desk, size_t limit)
{
	const struct chosen *first = NULL;
	size_t size = 0;
	for (unsigned i = 0; i < DESK_STREAMS_MAX; i++) {
		const struct chosen *chosen = desk->streams[i].chosen;
		if (!is_first_of(desk, i))
			continue;
		size += rows_size(&chosen->rows);
		if (chosen->wanted != desk->n_chosen && goes_before(chosen, first))
			first = chosen;
	}
	return size > limit ? first : NULL;
}

static void limit_chosen(struct desk *desk, const struct snapshot *snapshot, unsigned orders)
{
	const struct chosen *surplus;
	size_t limit = orders * (size_t)snapshot->sockets.n * sizeof(uint32_t);
	while (snapshot->sockets.n >= MANY_SOCKETS && (surplus = find_surplus(desk, limit)))
		for (unsigned i = DESK_STREAMS_MAX; surplus && i-- > 0;)
			if (desk->streams[i].chosen == surplus) {
				bool is_last = surplus->n_owners == 1;
				viewer_forget_rows(&desk->streams[i]);
				if (is_last)
					break;
			}
}

/* Who wishes for the same has them already, or they are chosen now. 0 or -ENOMEM. */
static int choose_rows(struct desk *desk, struct viewer *viewer)
{
	const struct snapshot *snapshot = viewer_snapshot(desk, viewer);
	for (unsigned i = 0; i < DESK_STREAMS_MAX; i++) {
		struct viewer *other = &desk->streams[i];
		if (!other->is_open || !other->chosen || !is_same_wish(&other->wish, &viewer->wish))
			continue;
		viewer->chosen = other->chosen;
		viewer->chosen->n_owners++;
		return 0;
	}
	struct chosen *chosen = calloc(1, sizeof(*chosen));
	if (!chosen)
		return -ENOMEM;
	*chosen = (struct chosen){
		.n_owners = 1, .is_sorted = viewer->sort != NULL, .wanted = ++desk->n_chosen};
	viewer->chosen = chosen;
	limit_chosen(desk, snapshot, CHOSEN_ORDERS - 1); /* for it may choose all */
	int r = choose(desk, viewer, snapshot, &chosen->rows);
	if (r < 0)
		viewer_forget_rows(viewer);
	else
		limit_chosen(desk, snapshot, CHOSEN_ORDERS);
	return r;
}

void viewer_forget_rows(struct viewer *viewer)
{
	struct chosen *chosen = TAKE_POINTER(viewer->chosen);
	if (!chosen || --chosen->n_owners)
		return;
	rows_done(&chosen->rows);
	free(chosen);
}

static void sent_done(struct sent_window *sent)
{
	for (uint32_t i = 0; i < sent->n; i++)
		free(sent->rows[i].json);
	free(sent->rows);
	*sent = (struct sent_window){0};
}

static bool has_id(const struct sent_window *window, uint64_t id)
{
	for (uint32_t i = 0; i < window->n; i++)
		if (window->rows[i].id == id)
			return true;
	return false;
}

/* Which row it is, what became of it, and its text. 0 or -ENOMEM. */
static int make_row(struct desk *desk, const struct viewer *viewer, uint32_t number,
		    struct row_writer *writer, struct sent_row *ret)
{
	const struct rows *rows = writer->rows;
	const uint8_t *change = moment_change(desk, viewer->wish.moment_ms);
	if (viewer->wish.tab != TAB_EVENTS) {
		*ret = (struct sent_row){.id = row_id(rows, number, writer->by),
					 .change = row_change(rows, number, change)};
	} else {
		const struct event *event = events_at(rows->snapshot, rows->order[number]);
		bool is_new = viewer->n_told && event->number >= viewer->n_told;
		*ret = (struct sent_row){.id = event->number,
					 .change = is_new ? CHANGE_NEW : CHANGE_NONE};
		writer->event = event;
		writer->line = desk->line;
	}
	ret->json = row_writer_json(writer, number);
	return ret->json ? 0 : -ENOMEM;
}

/* The rows from viewer->wish.from on, as they will be sent. 0 or -ENOMEM. */
static int make_window(struct desk *desk, struct viewer *viewer, struct sent_window *ret)
{
	const struct rows *rows = &viewer->chosen->rows;
	uint32_t from = viewer->wish.from < rows->n_rows ? viewer->wish.from : rows->n_rows;
	uint32_t n = rows->n_rows - from;
	n = n < viewer->wish.count ? n : viewer->wish.count;
	cleanup(row_writer_done) struct row_writer writer;
	bool is_events = viewer->wish.tab == TAB_EVENTS;
	int r = row_writer_init(&writer, rows,
				is_events ? ROWS_BY_NONE : (enum rows_by)viewer->wish.group,
				viewer->columns ? viewer->columns : desk->usual[viewer->wish.tab]);
	*ret = (struct sent_window){
		.from = from, .total = rows->n_rows, .n_sockets = rows->n_sockets};
	ret->rows = calloc((size_t)n + WINDOW_ROWS_MAX + 1, sizeof(*ret->rows));
	if (r < 0 || !ret->rows)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct sent_row *row = &ret->rows[ret->n];
		if (make_row(desk, viewer, from + i, &writer, row) < 0)
			return -ENOMEM;
		while (has_id(ret, row->id)) /* twins of one number stay apart */
			row->id = table_mix(row->id + 1);
		ret->n++;
	}
	return 0;
}

/* ---- what is gone ---- */

/* Rows of the last window that are not in this one: those that are elsewhere among all rows are not
 * gone. */
struct absent {
	uint64_t ids[WINDOW_ROWS_MAX]; /* sorted */
	bool is_there[WINDOW_ROWS_MAX];
	uint32_t n;
};

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static void note_absent(const struct sent_window *was, const struct sent_window *window,
			struct absent *absent)
{
	absent->n = 0;
	for (uint32_t i = 0; i < was->n && absent->n < WINDOW_ROWS_MAX; i++)
		if (was->rows[i].change != CHANGE_GONE && !has_id(window, was->rows[i].id))
			absent->ids[absent->n++] = was->rows[i].id;
	qsort(absent->ids, absent->n, sizeof(absent->ids[0]), compare_ids);
	memset(absent->is_there, 0, absent->n);
}

/* One look at each row, however many are absent. */
static void find_absent(const struct rows *rows, enum rows_by by, struct absent *absent)
{
	for (uint32_t row = 0; absent->n && row < rows->n_rows; row++) {
		uint64_t id = row_id(rows, row, by);
		const uint64_t *found =
			bsearch(&id, absent->ids, absent->n, sizeof(absent->ids[0]), compare_ids);
		if (found)
			absent->is_there[found - absent->ids] = true;
	}
}

static bool is_elsewhere(const struct absent *absent, uint64_t id)
{
	const uint64_t *found =
		bsearch(&id, absent->ids, absent->n, sizeof(absent->ids[0]), compare_ids);
	return found && absent->is_there[found - absent->ids];
}

static void insert_row(struct sent_window *window, uint32_t at, const struct sent_row *row)
{
	at = at < window->n ? at : window->n;
	memmove(window->rows + at + 1, window->rows + at, (window->n - at) * sizeof(*window->rows));
	window->rows[at] = *row;
	window->n++;
}

/* Rows that were there at the last refresh stay in their place for a moment. */
static void keep_gone(const struct viewer *viewer, struct sent_window *window)
{
	const struct sent_window *was = &viewer->sent;
	struct absent absent;
	note_absent(was, window, &absent);
	find_absent(&viewer->chosen->rows, (enum rows_by)viewer->wish.group, &absent);
	for (uint32_t i = 0; i < was->n && window->n < WINDOW_ROWS_MAX; i++) {
		struct sent_row row = was->rows[i];
		if (has_id(window, row.id) || row.gone_for >= GONE_REFRESHES ||
		    is_elsewhere(&absent, row.id))
			continue;
		row.change = CHANGE_GONE;
		row.gone_for++;
		row.json = strdup(row.json);
		if (row.json)
			insert_row(window, i, &row);
	}
}

/* ---- what is sent ---- */

static void put_row(struct out *out, const struct sent_row *row)
{
	out_format(out, "\"id\":\"%016" PRIx64 "\",\"change\":", row->id);
	json_text(out, row->change == CHANGE_NONE ? NULL : change_words[row->change]);
	out_char(out, ',');
	out_string(out, row->json);
	out_char(out, '}');
}

static void put_head(struct desk *desk, const struct viewer *viewer, const char *type,
		     const struct sent_window *window)
{
	const struct snapshot *snapshot = viewer_snapshot(desk, viewer);
	out_format(&desk->out,
		   "{\"type\":\"%s\",\"time\":%.3f,\"complete\":%s,\"privileged\":%s,\"total\":%u,"
		   "\"sockets\":%u,\"from\":%u",
		   type, snapshot->time, snapshot->is_complete ? "true" : "false",
		   snapshot->is_privileged ? "true" : "false", window->total, window->n_sockets,
		   window->from);
	if (viewer->wish.moment_ms)
		out_format(&desk->out, ",\"moment\":%" PRIu64, viewer->wish.moment_ms);
}

static void put_columns(struct out *out, const struct field *const *fields)
{
	out_string(out, ",\"columns\":[");
	for (unsigned i = 0; fields[i]; i++)
		out_format(out, "%s\"%s\"", i ? "," : "", fields[i]->name);
	out_string(out, "],\"missing\":");
}

static void put_window(struct desk *desk, struct viewer *viewer, const struct sent_window *window)
{
	struct out *out = &desk->out;
	put_head(desk, viewer, "window", window);
	put_columns(out, viewer->columns ? viewer->columns : desk->usual[viewer->wish.tab]);
	json_missing(out, viewer_snapshot(desk, viewer));
	out_string(out, ",\"rows\":[");
	for (uint32_t i = 0; i < window->n; i++) {
		out_string(out, i ? ",{" : "{");
		put_row(out, &window->rows[i]);
	}
	out_string(out, "]}\n");
}

static const struct sent_row *find_sent(const struct sent_window *window, uint64_t id)
{
	for (uint32_t i = 0; i < window->n; i++)
		if (window->rows[i].id == id)
			return &window->rows[i];
	return NULL;
}

static bool is_same(const struct sent_row *a, const struct sent_row *b)
{
	return a && a->change == b->change && strcmp(a->json, b->json) == 0;
}

static bool is_same_order(const struct sent_window *a, const struct sent_window *b)
{
	bool is_same = a->n == b->n;
	for (uint32_t i = 0; is_same && i < a->n; i++)
		is_same = a->rows[i].id == b->rows[i].id;
	return is_same;
}

static void put_difference(struct desk *desk, const struct viewer *viewer,
			   const struct sent_window *window)
{
	const struct sent_window *was = &viewer->sent;
	struct out *out = &desk->out;
	const char *before = "";
	put_head(desk, viewer, "difference", window);
	out_string(out, ",\"rows\":[");
	for (uint32_t i = 0; i < window->n; i++) {
		if (is_same(find_sent(was, window->rows[i].id), &window->rows[i]))
			continue;
		out_format(out, "%s{\"at\":%u,", before, i);
		put_row(out, &window->rows[i]);
		before = ",";
	}
	out_char(out, ']');
	if (!is_same_order(was, window)) {
		out_string(out, ",\"order\":[");
		for (uint32_t i = 0; i < window->n; i++)
			out_format(out, "%s\"%016" PRIx64 "\"", i ? "," : "", window->rows[i].id);
		out_char(out, ']');
	}
	out_string(out, "}\n");
}

static uint32_t count_changes(const struct door_map *map, const struct viewer *viewer)
{
	const uint8_t *was = viewer->map->doors[0], *now = map->doors[0];
	uint32_t n = 0;
	for (size_t i = 0; i < sizeof(map->doors); i++)
		n += was[i] != now[i];
	return n;
}

static void put_doors(struct desk *desk, const struct door_map *map, const struct viewer *viewer,
		      enum door_proto proto)
{
	const char *before = "";
	out_format(&desk->out, ",\"%s\":[", door_proto_words[proto]);
	for (uint32_t port = 0; port < DOORS; port++) {
		uint8_t door = map->doors[proto][port];
		if (viewer->map->doors[proto][port] == door)
			continue;
		out_format(&desk->out, "%s[%u,%u]", before, port, door);
		before = ",";
	}
	out_char(&desk->out, ']');
}

static size_t begin_line(struct desk *desk, const struct viewer *viewer)
{
	return reply_begin(desk, viewer->asker, REPLY_LINE, 200);
}

static void end_line(struct desk *desk, struct viewer *viewer, size_t began)
{
	reply_end(desk, began, false);
	viewer->n_behind += (uint32_t)(desk->out.n - began - sizeof(struct reply));
}

static void send_map(struct desk *desk, struct viewer *viewer)
{
	const struct door_map *map = viewer->map ? moment_map(desk, viewer->wish.moment_ms) : NULL;
	uint32_t n = map ? count_changes(map, viewer) : 0;
	if (!n)
		return;
	size_t began = begin_line(desk, viewer);
	out_string(&desk->out, "{\"type\":\"map\"");
	if (n > MAP_CHANGES_MAX) {
		out_string(&desk->out, ",\"reload\":true");
	} else {
		put_doors(desk, map, viewer, DOOR_TCP);
		put_doors(desk, map, viewer, DOOR_UDP);
	}
	out_string(&desk->out, "}\n");
	end_line(desk, viewer, began);
	*viewer->map = *map;
}

/* ---- the whole ---- */

static void send_error(struct desk *desk, struct viewer *viewer, const struct error *err)
{
	size_t began = begin_line(desk, viewer);
	out_string(&desk->out, "{\"type\":\"error\",\"error\":");
	reply_error_json(&desk->out, err);
	out_string(&desk->out, "}\n");
	end_line(desk, viewer, began);
}

/* The rows stay as they are; the page is told that the server lives. */
static void send_nothing_new(struct desk *desk, struct viewer *viewer)
{
	size_t began = begin_line(desk, viewer);
	put_head(desk, viewer, "difference", &viewer->sent);
	out_string(&desk->out, ",\"rows\":[]}\n");
	end_line(desk, viewer, began);
}

/* Of the events that are there. */
static uint64_t newest_number(const struct viewer *viewer)
{
	const struct snapshot *list = viewer->chosen->rows.snapshot;
	return list->events.n ? events_at(list, list->events.n - 1)->number : 0;
}

static int send_rows(struct desk *desk, struct viewer *viewer)
{
	struct sent_window window = {0};
	bool is_window = viewer->wants_window;
	int r = viewer->chosen ? 0 : choose_rows(desk, viewer);
	if (r >= 0) {
		viewer->chosen->wanted = ++desk->n_chosen;
		r = make_window(desk, viewer, &window);
	}
	if (r < 0) {
		sent_done(&window);
		return r;
	}
	if (viewer->wish.tab == TAB_EVENTS)
		viewer->n_told = newest_number(viewer) + 1;
	else if (!is_window)
		keep_gone(viewer, &window);
	size_t began = begin_line(desk, viewer);
	if (is_window)
		put_window(desk, viewer, &window);
	else
		put_difference(desk, viewer, &window);
	end_line(desk, viewer, began);
	sent_done(&viewer->sent);
	viewer->sent = window;
	viewer->wants_window = false;
	return 0;
}

void viewer_send(struct desk *desk, struct viewer *viewer)
{
	struct error err = {0};
	viewer->is_due = false;
	if (viewer->n_behind > BEHIND_MAX) {
		viewer->is_dropped = true;
		return;
	}
	bool is_past = viewer->wish.moment_ms != 0;
	if (viewer->is_dropped || !viewer_snapshot(desk, viewer) ||
	    (needs_listing(viewer) && viewer->query > desk->taken_number))
		return;
	bool is_still = is_past || (viewer->wish.is_paused && viewer_shows_events(viewer));
	if (is_still && !viewer->wants_window)
		return; /* it does not change */
	if (viewer->wish.is_paused && !viewer->wants_window) {
		send_nothing_new(desk, viewer);
		return;
	}
	int r = send_rows(desk, viewer);
	if (r < 0) {
		error_set(&err, r, "show the rows");
		send_error(desk, viewer, &err);
	}
	send_map(desk, viewer);
}

void viewer_fail(struct desk *desk, struct viewer *viewer, const struct error *err)
{
	if (viewer->n_behind <= BEHIND_MAX)
		send_error(desk, viewer, err);
}

void viewer_close(struct viewer *viewer)
{
	sent_done(&viewer->sent);
	viewer_forget_rows(viewer);
	filter_free(viewer->filter);
	free(viewer->columns);
	free(viewer->sort);
	free(viewer->descending);
	free(viewer->map);
	*viewer = (struct viewer){.is_open = false};
}

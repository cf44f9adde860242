/* What was open from when to when, for a person. */
#include <errno.h>
#include <string.h>

#include "view/history-cell.h"
#include "view/line.h"

/* ---- intervals ---- */

static const struct grid_column interval_columns[] = {
	{.title = "OPENED"},
	{.title = "CLOSED", .leaves = 3},
	{.title = "LASTED", .leaves = 1, .is_right = true},
	{.title = "PROTO"},
	{.title = "LOCAL"},
	{.title = "PEER", .hides_empty = true},
	{.title = "PROCESS", .least = 12},
	{.title = "USER", .least = 6, .leaves = 2},
	{.title = "HOW", .leaves = 4},
};

struct marks {
	bool has_before, has_about;
};

static void put_opened(struct grid *grid, const struct page *page, const struct history_days *days,
		       const struct interval *interval, struct marks *marks)
{
	struct out *out = grid_cell(grid);
	if (!interval->opened_exact) {
		out_string(out, page->is_utf8 ? "≤" : "<");
		marks->has_before = true;
	}
	history_clock(out, days, interval->opened_ns);
	grid_end_cell(grid, NULL);
}

static void put_closed(struct grid *grid, const struct history_days *days,
		       const struct interval *interval, struct marks *marks)
{
	struct out *out = grid_cell(grid);
	if (!interval->closed_ns) {
		out_string(out, "open");
		grid_end_cell(grid, HISTORY_GREEN);
		return;
	}
	if (!interval->closed_exact) {
		out_char(out, '~');
		marks->has_about = true;
	}
	history_clock(out, days, interval->closed_ns);
	grid_end_cell(grid, NULL);
}

static void put_interval(struct grid *grid, const struct page *page,
			 const struct history_days *days, const struct interval *interval,
			 const struct snapshot *snapshot, struct marks *marks)
{
	const struct record record = history_record(snapshot, interval->socket);
	put_opened(grid, page, days, interval, marks);
	put_closed(grid, days, interval, marks);
	history_length(grid_cell(grid), interval->duration_ns);
	grid_end_cell(grid, interval->closed_ns ? NULL : HISTORY_GREEN);
	history_field(grid, &record, "proto", NULL);
	history_field(grid, &record, "local", NULL);
	if (socket_has_peer(record.socket))
		history_field(grid, &record, "remote", NULL);
	else
		grid_cell(grid), grid_end_cell(grid, NULL);
	history_process(grid, &record, interval->sure != SURE_PROBABLE);
	history_field(grid, &record, "process_user", NULL);
	struct out *out = grid_cell(grid);
	if (interval->how > HOW_CLOSED)
		out_string(out,
			   interval->how == HOW_TIMED_OUT ? "timed out" : how_words[interval->how]);
	grid_end_cell(grid, HISTORY_YELLOW);
}

static void put_footer(const struct page *page, const struct history_show *show,
		       const struct marks *marks)
{
	const struct remembered *remembered = show->remembered;
	uint32_t n_open = 0;
	for (uint32_t i = 0; i < remembered->intervals.n; i++)
		n_open +=
			!((const struct interval *)vector_at(&remembered->intervals, i))->closed_ns;
	out_string(page->out, page->has_colour ? HISTORY_DIM : "");
	out_format(page->out, "%s%u interval%s, %u open; ", remembered->is_cut ? "the newest " : "",
		   remembered->intervals.n, remembered->intervals.n == 1 ? "" : "s", n_open);
	history_zone(page->out, show);
	if (remembered->is_cut)
		out_string(page->out, "; --limit 0 shows all");
	out_string(page->out, page->has_colour ? "\033[0m\n" : "\n");
	const char *before = "≤ it was open already when the recording began",
		   *about = "~ it ended unseen, between then and when it was last known";
	if (!page->is_utf8)
		before = "< it was open already when the recording began";
	if (marks->has_before)
		page_line(page, "", before, strlen(before));
	if (marks->has_about)
		page_line(page, "", about, strlen(about));
}

static int put_intervals(const struct page *page, const struct history_show *show)
{
	const struct remembered *remembered = show->remembered;
	const struct vector *intervals = &remembered->intervals;
	struct history_days days;
	struct marks marks = {false};
	struct grid grid;
	int r = grid_init(&grid, interval_columns, ARRAY_SIZE(interval_columns));
	if (r < 0)
		return r;
	history_days_begin(&days, page, show->zone);
	for (uint32_t i = 0; i < intervals->n; i++) {
		const struct interval *interval = vector_at(intervals, i);
		history_day(&grid, &days, interval->opened_ns);
		put_interval(&grid, page, &days, interval, remembered->snapshot, &marks);
	}
	const struct grid_style style = history_style(page);
	r = intervals->n ? grid_print(&grid, page->out, &style) : 0;
	grid_done(&grid);
	if (intervals->n)
		put_footer(page, show, &marks);
	return r;
}

/* Refusals and failures, oldest last as the rows above. */
static int put_events(const struct page *page, const struct history_show *show)
{
	const struct vector *events = &show->remembered->events;
	if (!events->n)
		return 0;
	struct line *line = line_new(&(struct line_style){.columns = page->columns,
							  .has_colour = page->has_colour,
							  .is_utf8 = page->is_utf8});
	if (!line)
		return -ENOMEM;
	if (show->remembered->intervals.n)
		out_char(page->out, '\n');
	page_heading(page, "Refused and failed");
	for (uint32_t i = 0; i < events->n; i++)
		line_text(line, page->out, vector_at(events, i));
	line_free(line);
	return 0;
}

/* ---- first seen ---- */

static const struct grid_column first_columns[] = {
	{.title = "FIRST SEEN"},
	{.title = "DOOR"},
	{.title = "REACH", .leaves = 1},
	{.title = "PROCESS", .least = 12},
	{.title = "USER", .least = 6, .leaves = 2},
	{.title = "EXECUTABLE", .least = 12, .leaves = 3},
};

static int put_firsts(const struct page *page, const struct history_show *show)
{
	const struct remembered *remembered = show->remembered;
	const struct grid_style style = history_style(page);
	struct history_days days;
	struct grid grid;
	int r = grid_init(&grid, first_columns, ARRAY_SIZE(first_columns));
	if (r < 0)
		return r;
	history_days_begin(&days, page, show->zone);
	for (uint32_t i = 0; i < remembered->firsts.n; i++) {
		const struct first_seen *first = vector_at(&remembered->firsts, i);
		const struct record record = history_record(remembered->snapshot, first->socket);
		history_day(&grid, &days, first->time_ns);
		struct out *out = grid_cell(&grid);
		out_string(out, first->is_exact ? "" : page->is_utf8 ? "≤" : "<");
		history_clock(out, &days, first->time_ns);
		grid_end_cell(&grid, NULL);
		history_door(&grid, &record);
		history_field(&grid, &record, "reach", NULL);
		history_process(&grid, &record, true);
		history_field(&grid, &record, "process_user", NULL);
		history_field(&grid, &record, "exe", NULL);
	}
	r = remembered->firsts.n ? grid_print(&grid, page->out, &style) : 0;
	grid_done(&grid);
	return r;
}

/* ---- idle ---- */

static const struct grid_column idle_columns[] = {
	{.title = "UNUSED", .is_right = true},
	{.title = "LAST USED"},
	{.title = "DOOR"},
	{.title = "REACH", .leaves = 1},
	{.title = "PROCESS", .least = 12},
	{.title = "USER", .least = 6, .leaves = 2},
};

static int put_idle(const struct page *page, const struct history_show *show)
{
	const struct remembered *remembered = show->remembered;
	const struct grid_style style = history_style(page);
	struct grid grid;
	char date[RFC3339_MAX];
	int r = grid_init(&grid, idle_columns, ARRAY_SIZE(idle_columns));
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < remembered->idle.n; i++) {
		const struct idle_door *idle = vector_at(&remembered->idle, i);
		const struct interval *interval = vector_at(&remembered->intervals, idle->interval);
		const struct record record = history_record(remembered->snapshot, interval->socket);
		uint64_t since = idle->used_ns ? idle->used_ns : interval->opened_ns;
		history_length(grid_cell(&grid), show->now_ns > since ? show->now_ns - since : 0);
		grid_end_cell(&grid, NULL);
		struct out *out = grid_cell(&grid);
		if (idle->used_ns)
			out_bytes(out, date, calendar_plain(date, idle->used_ns, show->zone));
		else
			out_string(out, "never");
		grid_end_cell(&grid, NULL);
		history_door(&grid, &record);
		history_field(&grid, &record, "reach", NULL);
		history_process(&grid, &record, true);
		history_field(&grid, &record, "process_user", NULL);
	}
	r = remembered->idle.n ? grid_print(&grid, page->out, &style) : 0;
	grid_done(&grid);
	return r;
}

int history_table(const struct page *page, const struct history_show *show,
		  enum history_question question)
{
	int r = question == HISTORY_CHANGES	 ? history_changes(page, show)
		: question == HISTORY_FIRST_SEEN ? put_firsts(page, show)
		: question == HISTORY_IDLE	 ? put_idle(page, show)
						 : put_intervals(page, show);
	if (r >= 0 && question == HISTORY_INTERVALS)
		r = put_events(page, show);
	else if (r >= 0 && history_count(show, question)) {
		out_string(page->out, page->has_colour ? HISTORY_DIM : "");
		history_zone(page->out, show);
		out_string(page->out, page->has_colour ? "\033[0m\n" : "\n");
	}
	if (r >= 0 && question != HISTORY_CHANGES)
		history_gaps(page, show);
	return r;
}

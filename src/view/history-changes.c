/* What became of the doors: one screen. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "view/history-cell.h"

static const struct grid_column columns[] = {
	{.title = ""},
	{.title = "TIME"},
	{.title = "DOOR"},
	{.title = "REACH", .leaves = 2},
	{.title = "PROCESS", .least = 12},
	{.title = "USER", .least = 6, .leaves = 3},
	{.title = "BEFORE", .least = 10, .leaves = 1},
};

static const struct {
	const char *sign, *colour, *one, *many;
} kinds[DOOR_CHANGE_MAX] = {
	[DOOR_NEW] = {"+", HISTORY_GREEN, "new door", "new doors"},
	[DOOR_GONE] = {"-", HISTORY_YELLOW, "gone door", "gone doors"},
	[DOOR_PUBLIC] = {"!", HISTORY_RED, "door that turned public", "doors that turned public"},
	[DOOR_HOLDER] = {"*", HISTORY_RED, "new holder of an old door", "new holders of old doors"},
};

static void put_before(struct grid *grid, const struct remembered *remembered,
		       const struct door_change *change)
{
	struct out *out = grid_cell(grid);
	if (change->before != NONE) {
		const struct interval *before = vector_at(&remembered->intervals, change->before);
		const struct record record = history_record(remembered->snapshot, before->socket);
		char text[128];
		if (change->kind == DOOR_PUBLIC) {
			size_t n = ip_format(text, &record.socket->local,
					     ip_is_mapped(&record.socket->local));
			out_bytes(out, text, n);
		} else if (record.process) {
			process_title(record.process, text, sizeof(text));
			text_show(out, text, strlen(text));
			out_format(out, " (%d)", record.process->pid);
		}
	}
	grid_end_cell(grid, HISTORY_DIM);
}

static void put_change(struct grid *grid, const struct history_show *show,
		       const struct door_change *change)
{
	const struct remembered *remembered = show->remembered;
	const struct interval *interval = vector_at(&remembered->intervals, change->interval);
	const struct record record = history_record(remembered->snapshot, interval->socket);
	char date[RFC3339_MAX];
	out_string(grid_cell(grid), kinds[change->kind].sign);
	grid_end_cell(grid, kinds[change->kind].colour);
	out_bytes(grid_cell(grid), date, calendar_plain(date, change->time_ns, show->zone));
	grid_end_cell(grid, NULL);
	history_door(grid, &record);
	history_field(grid, &record, "reach", change->kind == DOOR_PUBLIC ? HISTORY_RED : NULL);
	history_process(grid, &record, interval->sure != SURE_PROBABLE);
	history_field(grid, &record, "process_user", NULL);
	put_before(grid, remembered, change);
}

/* Of each kind as many as leave room for the others; 0: all. */
static unsigned room_of(const struct history_show *show, const unsigned n[DOOR_CHANGE_MAX],
			unsigned kind)
{
	const unsigned around = 12; /* headings, titles, the footer, the prompt */
	unsigned sum = 0, n_kinds = 0;
	for (unsigned i = 0; i < DOOR_CHANGE_MAX; i++) {
		sum += n[i];
		n_kinds += n[i] > 0;
	}
	if (!show->rows || sum + around <= show->rows || show->rows <= around)
		return n[kind];
	unsigned each = (show->rows - around) / (n_kinds ? n_kinds : 1);
	return each ? each : 1;
}

static void put_kind(struct grid *grid, const struct history_show *show, unsigned kind, unsigned n,
		     unsigned room)
{
	const struct vector *changes = &show->remembered->changes;
	char heading[64], more[64];
	unsigned seen = 0;
	if (!n)
		return;
	snprintf(heading, sizeof(heading), "%u %s", n, n == 1 ? kinds[kind].one : kinds[kind].many);
	grid_heading(grid, heading);
	for (uint32_t i = 0; i < changes->n; i++) {
		const struct door_change *change = vector_at(changes, i);
		/* the latest of them */
		if (change->kind == kind && seen++ >= n - (room < n ? room : n))
			put_change(grid, show, change);
	}
	if (room < n) {
		snprintf(more, sizeof(more), "  and %u before", n - room);
		grid_heading(grid, more);
	}
}

static void put_span(const struct page *page, const struct history_show *show)
{
	char date[HISTORY_DATE_MAX], text[2 * HISTORY_DATE_MAX + 16];
	size_t n = 0;
	if (show->since_ns) {
		n = history_date(date, show->since_ns, show->zone);
		snprintf(text, sizeof(text), "Changes since %.*s", (int)n, date);
	} else {
		snprintf(text, sizeof(text), "Changes since the recording began");
	}
	page_heading(page, text);
}

int history_changes(const struct page *page, const struct history_show *show)
{
	static const unsigned order[] = {DOOR_PUBLIC, DOOR_HOLDER, DOOR_NEW, DOOR_GONE};
	const struct vector *changes = &show->remembered->changes;
	const struct grid_style style = history_style(page);
	unsigned n[DOOR_CHANGE_MAX] = {0};
	struct grid grid;
	int r = grid_init(&grid, columns, ARRAY_SIZE(columns));
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < changes->n; i++)
		n[((const struct door_change *)vector_at(changes, i))->kind]++;
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++)
		put_kind(&grid, show, order[i], n[order[i]], room_of(show, n, order[i]));
	put_span(page, show);
	if (changes->n)
		r = grid_print(&grid, page->out, &style);
	else
		page_line(page, "", "no door came or went", strlen("no door came or went"));
	grid_done(&grid);
	if (!show->remembered->snapshot->is_complete && r >= 0) {
		const char *told = "not all of this time was watched: history --json has the gaps";
		page_warning(page, "", told, strlen(told));
	}
	return r;
}

/* Cells that the tables of a history share. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/field.h"
#include "view/history-cell.h"
#include "view/line.h"

#define DAY 86400

static size_t zone_text(char *to, size_t size, uint64_t unix_ns, const struct zone *zone)
{
	char name[ZONE_NAME_MAX] = "";
	int32_t offset = zone->offset((int64_t)(unix_ns / NS_PER_SECOND), name);
	unsigned minutes = (unsigned)(offset < 0 ? -offset : offset) / 60;
	int n = !offset && strcmp(name, "UTC") == 0
			? snprintf(to, size, "UTC")
			: snprintf(to, size, "%s (UTC%c%02u:%02u)", name, offset < 0 ? '-' : '+',
				   minutes / 60 % 100, minutes % 60);
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

size_t history_date(char to[HISTORY_DATE_MAX], uint64_t unix_ns, const struct zone *zone)
{
	size_t n = calendar_plain(to, unix_ns, zone);
	to[n++] = ' ';
	return n + zone_text(to + n, HISTORY_DATE_MAX - n, unix_ns, zone);
}

void history_zone(struct out *out, const struct history_show *show)
{
	char text[48];
	size_t n = zone_text(text, sizeof(text), show->now_ns, show->zone);
	out_string(out, "times in ");
	text_show(out, text, n); /* of TZ, which is the caller's */
}

struct record history_record(const struct snapshot *snapshot, uint32_t index)
{
	struct record record = {
		.snapshot = snapshot, .socket = snapshot_socket(snapshot, index), .index = index};
	record.holder = snapshot_holder(snapshot, record.socket->holder);
	if (record.holder)
		record.process = snapshot_process(snapshot, record.holder->process);
	return record;
}

static void put_field(struct out *out, const struct record *record, const char *name)
{
	char scratch[256];
	struct value value = {.scratch = scratch};
	const struct field *field = field_find(name);
	if (!field || (field->of == OF_HOLDER && !record->process))
		return;
	field->get(record, &value);
	if (value.kind != VALUE_NULL)
		value_text(out, &value);
}

void history_field(struct grid *grid, const struct record *record, const char *name,
		   const char *colour)
{
	put_field(grid_cell(grid), record, name);
	grid_end_cell(grid, colour);
}

void history_process(struct grid *grid, const struct record *record, bool is_sure)
{
	struct out *out = grid_cell(grid);
	if (!record->process) {
		out_string(out, held_by_words[record->socket->held_by]);
		grid_end_cell(grid, HISTORY_DIM);
		return;
	}
	char title[128];
	process_title(record->process, title, sizeof(title));
	text_show(out, title, strlen(title));
	out_format(out, " (%d)%s", record->process->pid, is_sure ? "" : "?");
	unsigned more = 0;
	for (uint32_t i = record->holder->next; i != NONE;
	     i = snapshot_holder(record->snapshot, i)->next)
		more++;
	if (more)
		out_format(out, " +%u", more);
	grid_end_cell(grid, NULL);
}

void history_door(struct grid *grid, const struct record *record)
{
	struct out *out = grid_cell(grid);
	put_field(out, record, "proto");
	out_char(out, ' ');
	put_field(out, record, "local");
	grid_end_cell(grid, NULL);
}

void history_length(struct out *out, uint64_t ns)
{
	char text[32];
	if (ns != EVENT_UNKNOWN)
		out_bytes(out, text, line_duration(text, ns));
}

void history_days_begin(struct history_days *days, const struct page *page, const struct zone *zone)
{
	*days = (struct history_days){
		.zone = zone, .has_headings = page->columns > 0, .day = INT64_MIN};
}

static int64_t day_of(const struct history_days *days, uint64_t unix_ns)
{
	int64_t seconds = (int64_t)(unix_ns / NS_PER_SECOND);
	return (seconds + days->zone->offset(seconds, NULL)) / DAY;
}

void history_day(struct grid *grid, struct history_days *days, uint64_t unix_ns)
{
	int64_t day = day_of(days, unix_ns);
	char text[RFC3339_MAX];
	if (!days->has_headings || day == days->day)
		return;
	days->day = day;
	calendar_plain(text, unix_ns, days->zone);
	text[10] = '\0'; /* the date alone */
	grid_heading(grid, text);
}

void history_clock(struct out *out, const struct history_days *days, uint64_t unix_ns)
{
	char text[RFC3339_MAX];
	size_t n = calendar_plain(text, unix_ns, days->zone);
	bool is_same_day = days->has_headings && day_of(days, unix_ns) == days->day;
	size_t skip = is_same_day ? 11 : 0;
	out_bytes(out, text + skip, n - skip);
}

struct grid_style history_style(const struct page *page)
{
	return (struct grid_style){
		.columns = page->columns, .has_colour = page->has_colour, .is_utf8 = page->is_utf8};
}

static void put_gap(struct out *out, const struct gap *gap, const struct zone *zone)
{
	char text[RFC3339_MAX];
	out_bytes(out, text, calendar_plain(text, gap->from_ns, zone));
	out_string(out, " to ");
	if (gap->to_ns)
		out_bytes(out, text, calendar_plain(text, gap->to_ns, zone));
	else
		out_string(out, "now");
	if (gap->to_ns > gap->from_ns) {
		out_string(out, ", ");
		history_length(out, gap->to_ns - gap->from_ns);
	}
	if (gap->why)
		out_format(out, ": %s", gap->why);
	if (gap->lost == EVENT_UNKNOWN)
		out_string(out, "; what happened is not known");
	else if (gap->lost)
		out_format(out, "; %llu events lost", (unsigned long long)gap->lost);
}

void history_gaps(const struct page *page, const struct history_show *show)
{
	cleanup(out_done) struct out text = {.fd = -1};
	const struct vector *gaps = &show->remembered->gaps, *jumps = &show->remembered->jumps;
	if ((!gaps->n && !jumps->n) || out_init(&text, -1) < 0)
		return;
	out_char(page->out, '\n');
	page_heading(page, "Not watched");
	for (uint32_t i = 0; i < gaps->n; i++) {
		text.n = 0;
		put_gap(&text, vector_at(gaps, i), show->zone);
		page_warning(page, "gap", text.data, text.n);
	}
	for (uint32_t i = 0; i < jumps->n; i++) {
		const struct clock_jump *jump = vector_at(jumps, i);
		char date[RFC3339_MAX];
		uint64_t by = (uint64_t)(jump->by_ns < 0 ? -jump->by_ns : jump->by_ns);
		text.n = 0;
		out_bytes(&text, date, calendar_plain(date, jump->time_ns, show->zone));
		out_string(&text, ": it was set ");
		history_length(&text, by);
		out_string(&text, jump->by_ns < 0 ? " back" : " forward");
		page_flush(page, "clock", &text);
	}
}

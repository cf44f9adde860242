/* Cells that the tables of a history share. Only for view/history-*.c. */
#ifndef VIEW_HISTORY_CELL_H
#define VIEW_HISTORY_CELL_H

#include "model/field.h"
#include "view/history.h"

#define HISTORY_GREEN "\033[32m"
#define HISTORY_YELLOW "\033[33m"
#define HISTORY_RED "\033[31m"
#define HISTORY_DIM "\033[2m"

/* The socket of @index with its first holder. */
struct record history_record(const struct snapshot *snapshot, uint32_t index);

/* A cell of a field of the registry. */
void history_field(struct grid *grid, const struct record *record, const char *name,
		   const char *colour);
/* "nginx (812)", how many more there are; or what else holds it. @is_sure: else with "?". */
void history_process(struct grid *grid, const struct record *record, bool is_sure);
/* "tcp 0.0.0.0:8080". */
void history_door(struct grid *grid, const struct record *record);
/* "5 h", "1.2 s"; EVENT_UNKNOWN: nothing. */
void history_length(struct out *out, uint64_t ns);

/* A clock time where the day stands in a heading of its own (@day of the one before, which is
 * changed), else the whole date. */
struct history_days {
	const struct zone *zone;
	bool has_headings; /* a terminal */
	int64_t day;
};
void history_days_begin(struct history_days *days, const struct page *page,
			const struct zone *zone);
/* A heading where another day begins. */
void history_day(struct grid *grid, struct history_days *days, uint64_t unix_ns);
void history_clock(struct out *out, const struct history_days *days, uint64_t unix_ns);

/* The zone, in the line beneath a table: "times in CET (UTC+01:00)". */
void history_zone(struct out *out, const struct history_show *show);

struct grid_style history_style(const struct page *page);

/* How the parts of a page are told. */
void history_gaps(const struct page *page, const struct history_show *show);

#endif

/* What a history remembers, for a person and for programs. */
#ifndef VIEW_HISTORY_H
#define VIEW_HISTORY_H

#include "model/calendar.h"
#include "model/interval.h"
#include "view/grid.h"
#include "view/page.h"

/* What was asked, beside the answer. */
struct history_show {
	const struct remembered *remembered;
	uint64_t since_ns, until_ns, now_ns; /* since and until 0: without a bound */
	uint64_t idle_ns;
	const struct zone *zone; /* of the tables */
	unsigned rows;		 /* of the terminal: one screen; 0: no limit */
};

enum history_question { HISTORY_INTERVALS, HISTORY_FIRST_SEEN, HISTORY_CHANGES, HISTORY_IDLE };

/* Each 0 or -ENOMEM. */
int history_json(struct out *out, const struct history_show *show, enum history_question question);
/* Intervals, firsts, changes or doors that are idle: a row each, times in RFC 3339. */
int history_csv(struct out *out, const struct history_show *show, enum history_question question);
int history_table(const struct page *page, const struct history_show *show,
		  enum history_question question);
/* New doors, gone doors, doors that turned public, new holders of old doors: on one screen. */
int history_changes(const struct page *page, const struct history_show *show);

/* How much there was of it: what decides the exit status. */
uint32_t history_count(const struct history_show *show, enum history_question question);

/* "2026-03-01 03:00:00 CET (UTC+01:00)". Returns its length. */
#define HISTORY_DATE_MAX 72
size_t history_date(char to[HISTORY_DATE_MAX], uint64_t unix_ns, const struct zone *zone);

#endif

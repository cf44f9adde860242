/* A moment as people type it: 10m, 2 hours ago, yesterday 14:00, 2026-03-01 03:00, RFC 3339, @unix.
 */
#ifndef MODEL_MOMENT_H
#define MODEL_MOMENT_H

#include "base/error.h"
#include "model/calendar.h"

/* The moment that @text means at @now_ns (ns since 1970), its dates and clocks in @zone where it
 * names none itself:
 *
 *	now                        10m   2h30m   2 hours ago   a week ago
 *	today   yesterday   monday, each alone (midnight) or with a time of day, before or behind
 *	14:00   14:00:30.5   2pm   (of today)
 *	2026-03-01   2026-03-01 03:00   2026-03-01T03:00:00+01:00   ... Z   ... UTC
 *	@1772330400   @1772330400.25
 *
 * in letters of either case, "since", "until", "from" or "at" before it. Nothing before 1970 nor
 * after 2400. 0, or -EINVAL with @err told: one line, the text with a caret under the place on
 *lines of their own, hint = the nearest right word. */
int moment_parse(const char *text, uint64_t now_ns, const struct zone *zone, uint64_t *ret_ns,
		 struct error *err);

#endif

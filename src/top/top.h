/* The terminal screen: all the doors at a glance. It adds no way of reading sockets and none of
 * closing. Threads do what takes time (collect/refresh.h, top/arranger.h, top/jobs.h,
 * journal/journal.h, journal/recorded.h), so that this one always answers a key. */
#ifndef TOP_TOP_H
#define TOP_TOP_H

#include "base/stop.h"
#include "collect/collect.h"

struct top_options {
	struct looking looking;
	const struct snapshot *saved; /* shown in place of this host; NULL */
	unsigned tab, interval_ms;
	uint64_t past_bytes; /* that may be kept to walk back through */
	const char *filter;  /* NULL: none */
	const char *db;	     /* the record; NULL: the usual one, where there is one */
	bool has_colour, is_utf8;
	const struct stop *stop;
	int guardian; /* readable once the process that guards the terminal is gone; -1: none */
};

extern const char *const top_tab_words[]; /* "doors", "connections", "map", "events"; NULL ends */

/* Takes the terminal until the person leaves. 0 or negative errno with @err told. */
int top_run(const struct top_options *options, struct error *err);

#endif

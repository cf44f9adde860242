/* A watch while it runs: from the stream of events to lines, commands, notifications, a summary. */
#ifndef CMD_WATCHING_H
#define CMD_WATCHING_H

#include "cmd/command.h"
#include "cmd/notifier.h"
#include "cmd/outlet.h"
#include "cmd/starter.h"
#include "model/filter.h"
#include "model/novelty.h"
#include "model/summary.h"
#include "view/line.h"

enum watch_on { WATCH_ON_EVENT, WATCH_ON_FIRST_SEEN, WATCH_ON_PUBLIC };

#define WATCH_WITHOUT_END UINT64_MAX

struct watching {
	struct event_sink sink; /* first: it is the watching */
	struct context *context;
	const struct filter *filter;
	bool is_json, is_summary;
	enum watch_on on;
	uint64_t for_ms;	   /* or WATCH_WITHOUT_END */
	uint64_t count_most;	   /* 0: no limit */
	struct starter *starter;   /* NULL: none */
	struct notifier *notifier; /* NULL: none */

	struct line *line;
	struct outlet outlet;
	struct novelty *novelty;   /* NULL: nobody asks */
	struct summary *summary;   /* NULL: nobody asks */
	struct out scratch, early; /* early: lines that came before the first was told */
	struct event started;	   /* told once it is known what is missing */
	bool is_told;		   /* the first line */
	/* --since: what is as old as the start, or older, comes from the record */
	bool has_record, is_past;
	uint64_t began_ms, n_told, n_unread, n_commands_left_out;
	int error; /* of the output; -EPIPE: the reader has seen enough */
};

/* Where the events come from. */
struct watch_source {
	void *data;
	int fd;
	/* Hands on what came; @is_last: nothing will be asked for again. As follow_turn returns. */
	int (*turn)(void *data, bool is_last, const struct stop *stop, struct error *err);
	const struct vector *missing; /* struct missing; NULL: nothing */
	const char *host, *boot_id;
	uint64_t since_ns; /* --since: what was from then on is told first; 0: nobody asks */
};

/* What is asked stands in @watching already. 0 or negative errno with @err told. */
int watching_begin(struct watching *watching, struct error *err);
void watching_done(struct watching *watching);

/* Until its end: a stop, the time, the count, a reader that has gone. 0 or negative errno with @err
 * told. */
int watching_run(struct watching *watching, const struct watch_source *source, struct error *err);

#endif

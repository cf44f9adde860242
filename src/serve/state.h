/* The desk's own state, shared by the files of serve/ alone. */
#ifndef SERVE_STATE_H
#define SERVE_STATE_H

#include "base/arena.h"
#include "base/out.h"
#include "collect/refresh.h"
#include "journal/journal.h"
#include "model/columns.h"
#include "model/difference.h"
#include "model/door-map.h"
#include "serve/desk.h"
#include "serve/past.h"
#include "serve/rates.h"
#include "serve/request.h"
#include "view/line.h"

#define DESK_STREAMS_MAX 64
#define BEHIND_MAX (256u << 10) /* bytes that a reader may have before it */
#define MANY_SOCKETS 100000	/* from so many on memory is spared */
#define GONE_REFRESHES 2	/* for which a row that is gone is still shown */

/* A row as it was sent. */
struct sent_row {
	uint64_t id;
	char *json; /* "n":...,"cells":[...] */
	uint8_t change, gone_for;
};

struct sent_window {
	struct sent_row *rows;
	uint32_t n, from, total, n_sockets;
};

#define MOMENTS_MAX 4	  /* that are kept at once */
#define EVENTS_MAX 10000  /* that are kept */
#define PAST_ASKERS_MAX 8 /* pages that ask at once what is recorded, or for a step */

/* What was open at a moment, as the record has it. */
struct moment_kept {
	struct past_question of; /* moment_ms 0: the place is free */
	const struct snapshot *snapshot;
	uint8_t *change;      /* enum change of each of its sockets; NULL: not known */
	struct door_map *map; /* NULL: nobody asked for it yet */
	uint64_t wanted;      /* when last, in an order */
};

/* Who asks what is recorded, or for a step. */
struct past_asker {
	uint32_t id; /* of the request */
	struct past_question question;
};

/* Rows of the desk's snapshot, or of a moment's, of all pages that wish for the same. */
struct chosen {
	struct rows rows;
	unsigned n_owners;
	uint64_t wanted; /* when last, in an order */
	bool is_sorted;	 /* otherwise than as usual */
};

/* One page that looks. */
struct viewer {
	bool is_open;
	uint32_t asker; /* the id of its request */
	uint64_t id;
	struct wish wish;
	struct filter *filter;
	const struct field **columns, **sort;
	bool *descending;
	struct chosen *chosen; /* NULL: to be chosen anew */
	struct sent_window sent;
	uint64_t n_told;      /* of events: those from this number on are new; 0: none is */
	struct door_map *map; /* as it was sent; NULL: not asked for */
	uint32_t n_behind;    /* bytes that its reader has not taken */
	bool is_dropped;      /* it was too far behind: a window once it has read all */
	bool wants_window;    /* not a difference */
	bool is_due;	      /* there is a newer snapshot, of which it was told nothing yet */
	unsigned query;	      /* which answers it, as refresh_ask counts */
	bool has_no_moment;   /* nor events: that they could not be had was told */
};

#define JOBS_MAX 16
#define PLANS_MAX 8
#define SCRAPES_MAX 8
#define STORIES_MAX 4

/* A process that works for a page (serve/job.h), as the desk sees it. */
struct errand {
	int fd; /* -1: the place is free */
	uint32_t asker;
	uint64_t plan; /* of an act: its name; 0: a story */
	bool is_planned, is_confirmed;
	uint64_t until_ns; /* by when it must have answered; 0: nothing is awaited */
	uint64_t begun_ns;
	struct out in; /* of a reply that is not whole yet */
};

struct desk {
	const struct desk_settings *settings;
	struct out out; /* to the front */
	struct arena arena;
	const struct field **usual[TAB_MAX];
	const struct field **events_usual; /* that of events, which is our own to free */
	struct refresh *refresh;
	struct query query;
	unsigned query_number, taken_number;
	uint32_t taken_needs;  /* what the snapshot has */
	unsigned first_number; /* answers to earlier ones are from before it began to look again */
	const struct snapshot *snapshot; /* the latest; NULL: none yet, or too old */
	struct rows usual_rows; /* of many sockets all in their usual order; empty: not yet */
	const uint8_t *change;	/* enum change of each of its sockets; NULL: none is known */
	uint8_t *change_kept;	/* that, where it is our own */
	struct door_map map;
	bool is_map_made, is_refreshing, is_privileged, may_block;
	struct viewer streams[DESK_STREAMS_MAX];
	struct errand errands[JOBS_MAX];
	uint32_t n_streams;
	uint64_t n_given;  /* streams since the start, of which ids are made */
	uint64_t n_chosen; /* how often rows were wanted */
	struct journal *journal;
	const struct snapshot *happened; /* its latest list; NULL: none yet */
	unsigned n_journal_errors;	 /* that were told */
	struct line *line;		 /* events as lines */
	struct past *past;
	struct moment_kept moments[MOMENTS_MAX];
	struct past_asker past_askers[PAST_ASKERS_MAX];
	unsigned n_past_askers;
	unsigned next_moment; /* the stream whose turn it is to ask the record */
	bool is_asking_past, was_stream_asked_for;
	struct rates rates;
	uint64_t rates_asked_ns;	     /* when they were asked for last; 0 never */
	struct request scrapes[SCRAPES_MAX]; /* of metrics, that wait for a snapshot */
	unsigned n_scrapes;
};

/* ---- reply.c ---- */

/* Begins a reply of which the length is written at the end. Returns where it began. */
size_t reply_begin(struct desk *desk, uint32_t id, enum reply_kind kind, unsigned status);
void reply_end(struct desk *desk, size_t began, bool is_last);
void reply_error(struct desk *desk, uint32_t id, unsigned status, const struct error *err);
/* {"what":...,"why":...,"hint":...,"at":...} */
void reply_error_json(struct out *out, const struct error *err);
void reply_nothing(struct desk *desk, uint32_t id, unsigned status);

/* ---- window.c ---- */

/* The wish, checked, becomes the stream's; else the stream is as it was. 0 or negative errno with
 * @err told. */
int viewer_wish(struct desk *desk, struct viewer *viewer, const struct wish *wish,
		struct error *err);
uint32_t viewer_needs(const struct viewer *viewer);
/* What it shows now: a window, or what differs from what was sent. */
void viewer_send(struct desk *desk, struct viewer *viewer);
/* Its rows are to be chosen anew. */
void viewer_forget_rows(struct viewer *viewer);
void viewer_close(struct viewer *viewer);
/* There is no newer snapshot, and why. */
void viewer_fail(struct desk *desk, struct viewer *viewer, const struct error *err);

/* ---- happenings.c ---- */

/* 0 or negative errno with @err told; happenings_end in either case. */
int happenings_begin(struct desk *desk, struct error *err);
void happenings_end(struct desk *desk);
bool viewer_shows_events(const struct viewer *viewer);
/* What it shows is of the desk's latest snapshot. */
static inline bool needs_listing(const struct viewer *viewer)
{
	return viewer->is_open && !viewer->wish.moment_ms && viewer->wish.tab != TAB_EVENTS;
}
/* They are followed while a page shows them. */
void happenings_arrange(struct desk *desk);
void happenings_take(struct desk *desk);
int happenings_choose(const struct viewer *viewer, const struct snapshot *list, struct rows *rows);

/* ---- moments.c ---- */

/* The snapshot that the stream shows: the latest, or that of its moment. NULL: not there yet. */
const struct snapshot *viewer_snapshot(struct desk *desk, const struct viewer *viewer);
/* What was open at a moment, and the map of its doors; NULL: it is not kept, or there is no memory.
 * 0: now. */
const struct snapshot *moment_snapshot(struct desk *desk, uint64_t moment_ms);
const struct door_map *moment_map(struct desk *desk, uint64_t moment_ms);
/* What became of its sockets in the millisecond before; 0: since the snapshot before. NULL: not
 * known. */
const uint8_t *moment_change(struct desk *desk, uint64_t moment_ms);
/* Asks the record for what a stream waits for; what it was asked before is shown. */
void moments_ask(struct desk *desk);
void moments_take(struct desk *desk);
void moments_done(struct desk *desk);
void answer_past(struct desk *desk, const struct request *request);

/* ---- errand.c ---- */

void errand_begin(struct desk *desk, const struct request *request);
void errand_confirm(struct desk *desk, const struct request *request);
/* What came of it; with its end its place is free. */
void errand_read(struct desk *desk, struct errand *errand);
void errand_end(struct errand *errand);
/* Gives up those that take too long. Milliseconds until the next would be; -1: none. */
int errands_expire(struct desk *desk);

/* ---- answers.c ---- */

void answer_fields(struct desk *desk, uint32_t id);
void answer_check(struct desk *desk, const struct request *request);
void answer_complete(struct desk *desk, const struct request *request);
void answer_map(struct desk *desk, const struct request *request);
void answer_legend(struct desk *desk, uint32_t id);

/* ---- measures.c ---- */

void answer_rates(struct desk *desk, const struct request *request);
void answer_graph(struct desk *desk, const struct request *request);
/* Of @snapshot, which took @seconds. */
void answer_metrics(struct desk *desk, const struct request *request,
		    const struct snapshot *snapshot, double seconds);

#endif

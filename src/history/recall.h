/* An answer while it is put together. Only for src/history/recall-*.c. */
#ifndef HISTORY_RECALL_H
#define HISTORY_RECALL_H

#include "history/archive.h"

struct answering {
	struct archive *archive;
	struct revival revival;
	const struct recall *recall;
	struct remembered *ret;
	struct moment from, until;
	struct narrow narrow;
	struct vector rows; /* struct revived_row: those that match so far */
	uint32_t limit;	    /* UINT32_MAX: none */
	uint64_t least;	    /* uptime of the oldest opening that is among them, of @boot; 0: any */
	int64_t boot;	    /* that is being read */
	uint64_t slack;
	uint64_t first, last; /* uptimes of the boot that is being read */
	bool is_cut;
};

/* Begins the question of the archive; what recall says is understood. */
int answering_init(struct answering *answering, struct archive *archive,
		   const struct recall *recall, struct remembered *ret, struct error *err);
void answering_done(struct answering *answering);

/* All intervals that touch the span, at most the limit, into rows: newest opening first. */
int answer_rows(struct answering *answering, struct error *err);
/* A row as an interval of the answer, with its socket. Index of it, or NONE. */
uint32_t answer_interval(struct answering *answering, const struct revived_row *row);
/* What is not known, and the end: the snapshot is the answer's. */
int answer_seal(struct answering *answering, struct error *err);
int answer_broken(struct answering *answering, struct error *err);

/* recall-events.c: events, gaps and jumps of the span. */
int answer_events(struct answering *answering, struct error *err);
int answer_gaps(struct answering *answering, struct error *err);

#endif

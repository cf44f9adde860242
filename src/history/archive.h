/* The archive: the file as one question sees it. Only for src/history/. */
#ifndef HISTORY_ARCHIVE_H
#define HISTORY_ARCHIVE_H

#include "base/table.h"
#include "history/history.h"
#include "history/row-group.h"

struct boot {
	int64_t id;
	uint64_t started, ended; /* uptimes; ended 0: it is the newest */
};
struct clock_piece { /* from its uptime on, until the next or the end of its boot */
	int64_t boot;
	uint64_t uptime;
	int64_t ahead, jump;
};
struct part { /* a segment */
	int64_t id, boot;
	uint64_t base, opened, closed, slack;
	uint64_t n, n_events;
	bool is_indexed;
};
struct moment {
	int64_t boot; /* 0: before all, or none is known */
	uint64_t uptime;
};

struct archive {
	sqlite3 *db;
	char path[PATH_MAX];
	struct vector boots, clocks, parts; /* of the structs above, oldest first */
	struct moment pruned; /* what ended until then is no longer kept; boot 0: all is */
};

/* Begins a question: all that it reads is of one moment. Ends it. */
int archive_begin(struct archive *archive, struct error *err);
void archive_end(struct archive *archive);

uint64_t archive_time(const struct archive *archive, int64_t boot, uint64_t uptime); /* Unix ns */
/* The last moment at which a clock said so; where none did, the last before it. */
struct moment archive_moment(const struct archive *archive, uint64_t time_ns);

static inline bool moment_is_before(const struct moment *a, const struct moment *b)
{
	return a->boot < b->boot || (a->boot == b->boot && a->uptime < b->uptime);
}

/* ---- revive.c: rows to sockets of a snapshot ---- */

struct numbered { /* of the file, and of the snapshot */
	uint32_t id, index;
};
struct by_number {
	struct vector all; /* struct numbered */
	struct table table;
};

struct known_place {
	struct socket socket; /* what a place tells of it */
};

struct revival {
	struct archive *archive;
	struct snapshot *snapshot;
	struct vector places;  /* struct known_place */
	struct vector strings; /* const char * */
	struct by_number by_place, by_string, by_process, by_netns;
	sqlite3_stmt *get_place, *get_string, *get_process, *get_netns, *get_crew;
	int error; /* negative errno: the first; afterwards nothing is revived */
};

/* An interval or event as it stands in a row. */
struct revived_row {
	struct interval interval; /* times are uptimes until archive_time is asked */
	struct ip peer;
	struct interval_bits bits;
	uint64_t cookie;
	uint32_t place, exe, process, crew, closer, inode;
	int32_t fd;
	uint16_t port, peer_port;
	bool has_peer, has_holder;
};

int revival_init(struct revival *revival, struct archive *archive, struct error *err);
void revival_done(struct revival *revival);
/* What a filter needs to say that it can never match: cheap. */
bool revival_may_match(struct revival *revival, const struct revived_row *row,
		       const struct filter *filter);
/* Its socket with its holders, at the end of the snapshot; NONE with revival->error set. */
uint32_t revive_socket(struct revival *revival, const struct revived_row *row);
/* The newest socket goes again. */
void revive_undo(struct revival *revival, uint32_t socket, uint32_t n_holders);
uint32_t revive_process(struct revival *revival, uint32_t id); /* index, or NONE */

void read_row(sqlite3_stmt *from, struct revived_row *ret); /* of `open`, as search.c asks */
void revive_row(const struct interval_row *row, int64_t boot, struct revived_row *ret);

/* ---- search.c ---- */

/* What of a filter the file can look for: each is what every match has. What is asked of it as well
 * may be more than that. */
#define NARROW_EXES 16
struct narrow {
	struct ip peer;
	uint32_t exes[NARROW_EXES], n_exes; /* numbers of strings */
	uint16_t port_first, port_last;	    /* of all of them where there is no such bound */
	bool has_ports, has_exe, has_peer, only_without_peer;
};
void narrow_to_port(struct narrow *narrow, uint16_t port); /* and nothing else */
void narrow_by(struct narrow *narrow, sqlite3 *db, const struct filter *filter);

/* Each interval of one boot that was open at some time from @from to @until (uptimes), newest
 * first within a segment; those that are open first. @each returns 1 to end, or negative errno. */
int search_open(struct archive *archive, int64_t boot, const struct narrow *narrow,
		int (*each)(void *data, struct revived_row *row), void *data, struct error *err);
int search_part(struct archive *archive, const struct part *part, uint64_t from, uint64_t until,
		const struct narrow *narrow, int (*each)(void *data, struct revived_row *row),
		void *data, struct error *err);
/* Those of a segment that were open at @at. */
int search_at(struct archive *archive, const struct part *part, uint64_t at,
	      const struct narrow *narrow, int (*each)(void *data, struct revived_row *row),
	      void *data, struct error *err);

/* ---- answers ---- */

int recall_open(const char *path, struct archive **ret, struct error *err);
void recall_close(struct archive *archive);
int recall_at(struct archive *archive, uint64_t time_ns, const struct recall *recall,
	      struct snapshot **ret, struct error *err);
int recall_intervals(struct archive *archive, const struct recall *recall, struct remembered *ret,
		     struct error *err);
int recall_change(struct archive *archive, const struct change_wish *wish, uint64_t *ret,
		  struct error *err);
int recall_first_seen(struct archive *archive, const struct recall *recall, struct remembered *ret,
		      struct error *err);
int recall_changes(struct archive *archive, const struct recall *recall, struct remembered *ret,
		   struct error *err);
int recall_idle(struct archive *archive, const struct recall *recall, uint64_t idle_ns,
		struct remembered *ret, struct error *err);
int recall_replay(struct archive *archive, const struct recall *recall, uint64_t until_uptime_ns,
		  struct event_sink *sink, struct error *err);
int recall_status(struct archive *archive, struct history_status *ret, struct error *err);

/* What of [from, to] is not known: into the snapshot's missing, before it is sealed. */
int tell_unknown(struct archive *archive, struct snapshot *snapshot, const struct moment *from,
		 const struct moment *to, uint64_t from_ns, struct error *err);
/* Gaps that touch it, newest first; texts in @arena. */
int read_gaps(struct archive *archive, const struct moment *from, const struct moment *to,
	      struct arena *arena, struct vector *ret, struct error *err);

/* Whose record it is, and of which boot: into the answer. 0 or -ENOMEM. */
int archive_tell_host(struct archive *archive, struct snapshot *snapshot, int64_t boot);

#endif

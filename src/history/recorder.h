/* The recorder: what is open now, what waits to be written. Only for src/history/. */
#ifndef HISTORY_RECORDER_H
#define HISTORY_RECORDER_H

#include "base/table.h"
#include "history/history.h"
#include "history/intern.h"
#include "history/row-group.h"

#define COMMIT_AFTER_NS UINT64_C(120000000) /* visible within 250 ms */
#define SYNC_AFTER_NS UINT64_C(4000000000)  /* five seconds at most are lost with the power */
#define ALIVE_EVERY_NS UINT64_C(5000000000)
#define RETAIN_EVERY_NS UINT64_C(30000000000)
#define TRY_AGAIN_NS UINT64_C(1000000000) /* while the disk is full */
#define LOG_PAGES 8192		   /* of the log: then it goes into the file, however early */
#define BATCH_ROWS 16384	   /* written at once, however early */
#define WAITING_ROWS 262144	   /* while the disk is full; more is dropped */
#define JUMP_NS INT64_C(100000000) /* the clock was set, and not only steered */
#define DRIFT_NS INT64_C(1000000)  /* so far it may be off where it was steered */

/* One that is open. */
struct live {
	struct interval_row row;
	uint64_t key, id;
	uint32_t next; /* of the same bucket, or of those that are free */
	bool is_used, is_stored, is_dirty;
	bool is_of_before; /* of the recorder before this one, and not yet met again */
};

struct live_table {
	struct vector all;     /* struct live */
	struct vector dirty;   /* uint32_t: to be stored */
	struct vector removed; /* uint64_t: ids that are stored and are no more */
	uint32_t *buckets, n_buckets, n, free;
	uint64_t next_id;
};

void live_init(struct live_table *table);
void live_done(struct live_table *table);
/* Of a connection and of a door: a socket may be both, one after the other. */
uint64_t live_key(const struct socket *socket, uint64_t netns_inode, bool is_connection);
struct live *live_find(struct live_table *table, uint64_t key, const struct interval_row *row);
/* A copy of @row; NULL: no memory. */
struct live *live_add(struct live_table *table, uint64_t key, const struct interval_row *row);
void live_remove(struct live_table *table, struct live *live);
int live_touch(struct live_table *table, struct live *live); /* to be stored anew */

struct event_row {
	uint64_t uptime, cookie;
	uint64_t length; /* of a try that failed, or EVENT_UNKNOWN */
	struct ip peer;
	uint32_t place, process, crew, doer, inode, way_place, way_process;
	int32_t fd, way_fd, error;
	uint16_t port, peer_port, way_port;
	uint8_t kind, sure, how, told_by, error_sure, role;
	bool has_peer, is_v4_peer, has_holder, has_way;
};

struct gap_row {
	int64_t from_boot;
	uint64_t from, to, lost;
	char why[120];
};
struct clock_row {
	uint64_t uptime;
	int64_t ahead, jump; /* jump 0: only steered */
};
struct first_row {
	uint64_t uptime;
	uint32_t exe, place, process;
	int32_t fd;
	uint16_t port;
	uint8_t proto;
	bool is_exact, has_holder;
};

struct segment {
	int64_t id;
	uint64_t base, opened, closed, slack;
	uint64_t started_ns; /* uptime of its first row */
	uint32_t n, n_events;
};

/* The newest rows of the segment, while they are less than a row group. They are in the file
 * already, in groups that are smaller; as soon as there are enough these are put together. */
struct tail {
	struct vector rows; /* struct interval_row; room for ROW_GROUP_MAX */
	struct out scratch;
};

struct recorder {
	struct event_sink sink; /* first */
	sqlite3 *db;
	char path[PATH_MAX];
	int lock;
	struct recorder_wish wish;
	char boot_id[HISTORY_BOOT_ID_MAX];
	struct alive before; /* what the recorder before said */

	struct intern intern;
	struct live_table live;
	struct {
		struct vector rows, events, gaps, clocks, firsts; /* of the structs above */
	} waiting;
	struct vector
		firsts; /* uint64_t: hashes of the (protocol, port, executable) that are known */
	struct table by_first;

	int64_t boot;
	int64_t ahead; /* Unix time - uptime as last written */
	bool has_clock;
	struct segment segment;
	uint32_t segment_rows; /* that it may have */
	struct tail tail;
	sqlite3_stmt *put_rows, *drop_rows, *put_event, *put_open, *drop_open, *put_gap, *put_clock,
		*put_first, *put_segment, *put_mark, *begin, *commit, *rollback;

	bool has_started, has_gap, knows_boot, is_full, is_broken;
	int log_pages;	  /* of the log, since it was last moved into the file */
	uint64_t known;	  /* uptime of the last that the recorder before wrote of this boot */
	uint64_t began;	  /* uptime at which it began to record */
	uint64_t last;	  /* uptime of the newest event */
	uint64_t visible; /* and of the newest that a reader sees */
	uint64_t waiting_since, unsynced_since, told_at, retained_at, try_at; /* uptimes; 0: none */
	uint64_t first_lost; /* uptime of the first event that was dropped; 0: none is to be told */
	uint64_t n_lost;     /* since then */
	struct recorder_state state;
};

/* ---- take.c: events to rows ---- */
int take_event(struct event_sink *sink, const struct event *event);
void take_clock(struct recorder *recorder, uint64_t time_ns, uint64_t uptime_ns, bool only_jumps);
int take_gap(struct recorder *recorder, int64_t from_boot, uint64_t from, uint64_t to,
	     uint64_t lost, const char *why);
/* Those of the recorder before that were not met again. */
int take_end_of_before(struct recorder *recorder, uint64_t at);
bool is_first(struct recorder *recorder, uint64_t hash);
uint64_t first_hash(uint8_t proto, uint16_t port, const char *exe);

/* ---- write.c: rows to the file ---- */
int write_prepare(struct recorder *recorder, struct error *err);
void write_done(struct recorder *recorder);
bool write_has_some(const struct recorder *recorder);
/* All that waits, in one transaction: afterwards a reader sees it. -ENOSPC: it waits on. */
int write_all(struct recorder *recorder, uint64_t uptime_ns, struct error *err);
int write_sync(struct recorder *recorder, struct error *err);

/* ---- tail.c: rows to row groups ---- */
int tail_init(struct tail *tail); /* 0 or -ENOMEM */
void tail_done(struct tail *tail);
/* Those that wait, behind the segment's @n; within the caller's transaction. SQLite's code. */
int tail_write(struct recorder *recorder, uint32_t n);
void tail_written(struct recorder *recorder); /* it is on the disk */

/* ---- segment.c, retain.c ---- */
int segment_begin(struct recorder *recorder, uint64_t base, struct error *err);
int segment_prepare(struct recorder *recorder, struct error *err);
/* Drops what is older or more than was wished for, a segment at most; *@ret_more: there is more. */
int retain_turn(struct recorder *recorder, uint64_t time_ns, bool *ret_more, struct error *err);
uint64_t store_size(sqlite3 *db);

#endif

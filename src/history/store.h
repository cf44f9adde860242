/* The file, and SQLite as the rest of the folder sees it. Only for src/history/. */
#ifndef HISTORY_STORE_H
#define HISTORY_STORE_H

#include <limits.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"
#include "model/ip.h"

#define STORE_SCHEMA 3
#define STORE_APPLICATION 0x446f6f72 /* "Door" */

#define SEGMENT_ROWS 250000
#define SEEN_FOR_EVER INT64_MAX

/* Of the row of an interval, packed: see bits_pack. */
struct interval_bits {
	uint8_t sure, how, role, opened_told_by, closed_told_by;
	bool opened_exact, closed_exact, is_connection;
};

static inline int64_t bits_pack(const struct interval_bits *b)
{
	return b->sure | b->how << 2 | b->role << 5 | b->opened_told_by << 7 |
	       b->closed_told_by << 9 | b->opened_exact << 11 | b->closed_exact << 12 |
	       b->is_connection << 13;
}

static inline struct interval_bits bits_unpack(int64_t bits)
{
	return (struct interval_bits){.sure = bits & 3,
				      .how = bits >> 2 & 7,
				      .role = bits >> 5 & 3,
				      .opened_told_by = bits >> 7 & 3,
				      .closed_told_by = bits >> 9 & 3,
				      .opened_exact = bits >> 11 & 1,
				      .closed_exact = bits >> 12 & 1,
				      .is_connection = bits >> 13 & 1};
}

/* Closes, and finalizes, at the end of a scope. */
static inline void statement_free(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}

/* What SQLite says as negative errno; told with @what. @code 0: of the connection. */
int store_error(sqlite3 *db, int code, struct error *err, const char *what);
int store_errno(int code);
/* Of bytes in it that are not what they should be: -EBADMSG; -ENOMEM where @r is that. Told. */
int store_damaged(sqlite3 *db, int r, struct error *err);

/* SQL with numbers put in as printf would (%d of a segment). 0 or negative errno, @err told. */
int store_run(sqlite3 *db, struct error *err, const char *format, ...) printf_like(3, 4);
int store_prepare(sqlite3 *db, sqlite3_stmt **ret, struct error *err, const char *format, ...)
	printf_like(4, 5);
/* Its one number; @otherwise where there is no row, or it is NULL. */
int store_number(sqlite3 *db, int64_t otherwise, int64_t *ret, struct error *err,
		 const char *format, ...) printf_like(5, 6);
/* Runs a statement that gives no row, and makes it ready for the next time. SQLite's code. */
int store_step(sqlite3_stmt *statement);

/* Numbers of a row from the place @at on; NUMBER_NONE is NULL. */
#define NUMBER_NONE INT64_MIN
void store_bind(sqlite3_stmt *put, int at, const int64_t *numbers, size_t n);

/* 0, what is unknown, is none. */
static inline int64_t number_known(uint32_t number)
{
	return number ? number : NUMBER_NONE;
}

/* So is a length, or a number of bytes, that nobody knows. */
static inline int64_t number_length(uint64_t number)
{
	return number > INT64_MAX ? NUMBER_NONE : (int64_t)number;
}

/* Of the column @at: a number of another table, 0 where there is none; one below @limit, 0 where it
 * is not; an address of 4 or 16 bytes (false: none). */
uint32_t store_known(sqlite3_stmt *from, int at);
uint8_t store_below(sqlite3_stmt *from, int at, unsigned limit);
bool store_peer(sqlite3_stmt *from, int at, struct ip *ret, bool *ret_is_v4);

int64_t store_about(sqlite3 *db, const char *key, int64_t otherwise);

/* Before SQLite is used at all: its points of failure, where they are built in (faults.c). */
void store_faults(void);

/* ---- schema.c, migrate.c ---- */

int schema_make(sqlite3 *db, struct error *err);
int schema_segment(sqlite3 *db, int64_t segment, struct error *err);   /* its tables, unindexed */
int schema_intervals(sqlite3 *db, int64_t segment, struct error *err); /* those of its intervals */
/* SQL with the table of first appearances, which is since version 2. */
extern const char schema_first_seen[];
int schema_index(sqlite3 *db, int64_t segment, struct error *err);
/* From @version up to STORE_SCHEMA, in one transaction. */
int schema_migrate(sqlite3 *db, int version, struct error *err);

/* ---- guard.c: the file beside the file ---- */

/* What the recorder says of itself, written to FILE.lock every few seconds: so an idle recorder
 * leaves the database alone. */
struct alive {
	char magic[8];
	char boot_id[64];
	int64_t pid; /* 0: it ended cleanly */
	uint64_t time_ns, uptime_ns;
	uint64_t lag_ns, n_dropped;
	uint8_t is_full, is_broken; /* broken: the database turned out to be so; set it aside */
	uint8_t padding[6];
};

/* Locks FILE.lock, and reads what the recorder before said (zeroed: there was none). The descriptor
 * is the lock. -EBUSY told with the pid of who has it. */
int guard_lock(const char *path, mode_t mode, gid_t group, int *ret, struct alive *ret_before,
	       struct error *err);
int guard_tell(int lock, const struct alive *alive);
/* Without the lock: 0 and what stands there; the pid is 0 where nobody holds it. */
int guard_look(const char *path, struct alive *ret);

/* What the first bytes of a file say before SQLite touches it: 1 a database of ours or a new file,
 * 0 no database at all, -ENOTSUP (newer), -EBADMSG (another program's), -ENOENT; told. */
int guard_header(const char *path, int *ret_version, struct error *err);
/* Moves the file, and those beside it, to a name that says when; its name at @to. */
int guard_set_aside(const char *path, uint64_t time_ns, char *to, size_t size, struct error *err);

#endif

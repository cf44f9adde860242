/* The tables (docs/history.md draws them). */
#include <stddef.h>

#include "history/segment-index.h"

/* Numbers stand for strings, processes and places. `seen` is the newest segment that speaks of
 * them: with the last such segment they go. */
static const char tables[] =
	"CREATE TABLE about (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE boot (id INTEGER PRIMARY KEY, boot_id TEXT NOT NULL UNIQUE,"
	" started INTEGER NOT NULL, ended INTEGER);"
	"CREATE TABLE clock (boot INTEGER, uptime INTEGER, ahead INTEGER NOT NULL, jump INTEGER,"
	" PRIMARY KEY (boot, uptime)) WITHOUT ROWID;"
	"CREATE TABLE gap (id INTEGER PRIMARY KEY, boot INTEGER, uptime INTEGER, to_boot INTEGER,"
	" to_uptime INTEGER, lost INTEGER, why TEXT);"
	"CREATE TABLE string (id INTEGER PRIMARY KEY, seen INTEGER, text BLOB NOT NULL);"
	"CREATE TABLE netns (id INTEGER PRIMARY KEY, seen INTEGER, inode INTEGER, name INTEGER,"
	" is_self INTEGER, is_initial INTEGER, details BLOB);"
	"CREATE TABLE user (uid INTEGER PRIMARY KEY, name TEXT);"
	"CREATE TABLE process (id INTEGER PRIMARY KEY, seen INTEGER, pid INTEGER, ppid INTEGER,"
	" start_ticks INTEGER, start_time REAL, uid INTEGER, known INTEGER, name INTEGER,"
	" exe INTEGER, exe_deleted INTEGER, cmdline INTEGER, cwd INTEGER, unit INTEGER,"
	" runs INTEGER, came_from INTEGER, engine INTEGER, container INTEGER,"
	" container_name INTEGER, netns INTEGER);"
	"CREATE TABLE place (id INTEGER PRIMARY KEY, seen INTEGER, proto INTEGER, family INTEGER,"
	" state INTEGER, flags INTEGER, held_by INTEGER, uid INTEGER, interface INTEGER,"
	" backlog INTEGER, local BLOB, netns INTEGER);"
	"CREATE TABLE crew (id INTEGER PRIMARY KEY, seen INTEGER, holders BLOB NOT NULL);"
	"CREATE TABLE open (id INTEGER PRIMARY KEY, boot INTEGER, opened INTEGER, place INTEGER,"
	" port INTEGER, peer BLOB, peer_port INTEGER, exe INTEGER, process INTEGER, fd INTEGER,"
	" crew INTEGER, bits INTEGER, cookie INTEGER, inode INTEGER);"
	"CREATE TABLE segment (id INTEGER PRIMARY KEY, boot INTEGER, base INTEGER, opened INTEGER,"
	" closed INTEGER, slack INTEGER, n INTEGER, n_events INTEGER, is_indexed INTEGER,"
	/* the numbers that were given until its end: what is above is of later ones */
	" strings INTEGER, netns INTEGER, processes INTEGER, places INTEGER, crews INTEGER);";

/* Since version 2. In version 1 it was sought in all segments, and forgotten with them. */
const char schema_first_seen[] =
	"CREATE TABLE first_seen (proto INTEGER, port INTEGER, exe INTEGER, boot INTEGER,"
	" uptime INTEGER, is_exact INTEGER, place INTEGER, process INTEGER, fd INTEGER,"
	" PRIMARY KEY (proto, port, exe)) WITHOUT ROWID;";

int schema_make(sqlite3 *db, struct error *err)
{
	int r = store_run(db, err, "%s%s", tables, schema_first_seen);
	if (r < 0)
		return r;
	return store_run(db, err, "PRAGMA application_id = %d; PRAGMA user_version = %d",
			 STORE_APPLICATION, STORE_SCHEMA);
}

/* Closed intervals in the order of their ends, which are counted from the segment's base: row
 * groups, each under the number of its first row; and which of them speak of what. */
int schema_intervals(sqlite3 *db, int64_t segment, struct error *err)
{
	return store_run(db, err,
			 "CREATE TABLE interval_%lld (id INTEGER PRIMARY KEY, closed INTEGER,"
			 " opened INTEGER, rows BLOB);"
			 "CREATE TABLE index_%lld (id INTEGER PRIMARY KEY, groups BLOB)",
			 (long long)segment, (long long)segment);
}

/* And what happened without a length, in the order in which it came. */
int schema_segment(sqlite3 *db, int64_t segment, struct error *err)
{
	int r = schema_intervals(db, segment, err);
	if (r < 0)
		return r;
	return store_run(
		db, err,
		"CREATE TABLE event_%lld (id INTEGER PRIMARY KEY, uptime INTEGER, kind INTEGER,"
		" place INTEGER, port INTEGER, peer BLOB, peer_port INTEGER, process INTEGER,"
		" fd INTEGER, crew INTEGER, sure INTEGER, how INTEGER, told_by INTEGER,"
		" error INTEGER, error_sure INTEGER, doer INTEGER, length INTEGER, role INTEGER,"
		" cookie INTEGER, inode INTEGER, way_place INTEGER, way_port INTEGER,"
		" way_process INTEGER, way_fd INTEGER)",
		(long long)segment);
}

int schema_index(sqlite3 *db, int64_t segment, struct error *err)
{
	long long n = segment;
	int r = segment_index_make(db, segment, err);
	if (r < 0)
		return r;
	return store_run(db, err,
			 "CREATE INDEX event_port_%lld ON event_%lld (port);"
			 "UPDATE segment SET is_indexed = 1 WHERE id = %lld",
			 n, n, n);
}

/* The tables, and how an older file comes to have them (docs/history.md draws them). */
#include <stddef.h>

#include "history/store.h"

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
static const char first_seen[] =
	"CREATE TABLE first_seen (proto INTEGER, port INTEGER, exe INTEGER, boot INTEGER,"
	" uptime INTEGER, is_exact INTEGER, place INTEGER, process INTEGER, fd INTEGER,"
	" PRIMARY KEY (proto, port, exe)) WITHOUT ROWID;";

int schema_make(sqlite3 *db, struct error *err)
{
	int r = store_run(db, err, "%s%s", tables, first_seen);
	if (r < 0)
		return r;
	return store_run(db, err, "PRAGMA application_id = %d; PRAGMA user_version = %d",
			 STORE_APPLICATION, STORE_SCHEMA);
}

/* Closed intervals in the order of their ends, which are counted from the segment's base, and what
 * happened without one. Both in the order in which they came. */
int schema_segment(sqlite3 *db, int64_t segment, struct error *err)
{
	return store_run(
		db, err,
		"CREATE TABLE interval_%lld (id INTEGER PRIMARY KEY, closed INTEGER,"
		" length INTEGER, level INTEGER, place INTEGER, port INTEGER, peer BLOB,"
		" peer_port INTEGER, exe INTEGER, process INTEGER, fd INTEGER, crew INTEGER,"
		" bits INTEGER, cookie INTEGER, inode INTEGER, sent INTEGER, received INTEGER,"
		" error INTEGER, closer INTEGER);"
		"CREATE TABLE event_%lld (id INTEGER PRIMARY KEY, uptime INTEGER, kind INTEGER,"
		" place INTEGER, port INTEGER, peer BLOB, peer_port INTEGER, process INTEGER,"
		" fd INTEGER, crew INTEGER, sure INTEGER, how INTEGER, told_by INTEGER,"
		" error INTEGER, error_sure INTEGER, doer INTEGER, length INTEGER, role INTEGER,"
		" cookie INTEGER, inode INTEGER, way_place INTEGER, way_port INTEGER,"
		" way_process INTEGER, way_fd INTEGER)",
		(long long)segment, (long long)segment);
}

int schema_index(sqlite3 *db, int64_t segment, struct error *err)
{
	long long n = segment;
	return store_run(db, err,
			 "CREATE INDEX level_%lld ON interval_%lld (level)"
			 " WHERE level IS NOT NULL;"
			 "CREATE INDEX port_%lld ON interval_%lld (port);"
			 "CREATE INDEX exe_%lld ON interval_%lld (exe);"
			 "CREATE INDEX peer_%lld ON interval_%lld (peer) WHERE peer IS NOT NULL;"
			 "CREATE INDEX event_port_%lld ON event_%lld (port);"
			 "UPDATE segment SET is_indexed = 1 WHERE id = %lld",
			 n, n, n, n, n, n, n, n, n, n, n);
}

/* ---- from earlier ones ---- */

/* What the intervals say of first appearances, while they are there: of listeners, and of what has
 * no peer, one for each port and executable. */
static const char fill_first[] =
	"INSERT OR IGNORE INTO first_seen"
	" SELECT place.proto, i.port, i.exe, segment.boot, segment.base + i.closed - i.length,"
	" i.bits >> 11 & 1, i.place, i.process, i.fd FROM interval_%lld i"
	" JOIN place ON place.id = i.place JOIN segment ON segment.id = %lld"
	" WHERE place.state IN (7, 10) AND i.port > 0 AND i.peer_port IS NULL AND i.exe NOT NULL"
	" ORDER BY i.closed - i.length";
static const char fill_open[] =
	"INSERT OR IGNORE INTO first_seen"
	" SELECT place.proto, i.port, i.exe, i.boot, i.opened, i.bits >> 11 & 1, i.place,"
	" i.process, i.fd FROM open i JOIN place ON place.id = i.place"
	" WHERE place.state IN (7, 10) AND i.port > 0 AND i.peer_port IS NULL AND i.exe NOT NULL"
	" ORDER BY i.opened;";
/* Those that it names stay for ever. */
static const char keep_firsts[] =
	"UPDATE place SET seen = 9223372036854775807 WHERE id IN (SELECT place FROM first_seen);"
	"UPDATE netns SET seen = 9223372036854775807"
	" WHERE id IN (SELECT netns FROM place WHERE seen = 9223372036854775807);"
	"UPDATE process SET seen = 9223372036854775807"
	" WHERE id IN (SELECT process FROM first_seen);"
	"UPDATE string SET seen = 9223372036854775807 WHERE id IN"
	" (SELECT name FROM process WHERE seen = 9223372036854775807"
	" UNION SELECT exe FROM process WHERE seen = 9223372036854775807"
	" UNION SELECT cmdline FROM process WHERE seen = 9223372036854775807"
	" UNION SELECT cwd FROM process WHERE seen = 9223372036854775807"
	" UNION SELECT unit FROM process WHERE seen = 9223372036854775807"
	" UNION SELECT runs FROM process WHERE seen = 9223372036854775807"
	" UNION SELECT came_from FROM process WHERE seen = 9223372036854775807"
	" UNION SELECT container FROM process WHERE seen = 9223372036854775807"
	" UNION SELECT container_name FROM process WHERE seen = 9223372036854775807"
	" UNION SELECT name FROM netns WHERE seen = 9223372036854775807)";

static int from_1_to_2(sqlite3 *db, struct error *err)
{
	cleanup(statement_free) sqlite3_stmt *segments = NULL;
	int r = store_run(db, err, "%s", first_seen);
	if (r >= 0)
		r = store_prepare(db, &segments, err, "SELECT id FROM segment ORDER BY id");
	int code = SQLITE_DONE;
	while (r >= 0 && (code = sqlite3_step(segments)) == SQLITE_ROW) {
		long long id = sqlite3_column_int64(segments, 0);
		r = store_run(db, err, fill_first, id, id);
	}
	if (r >= 0 && code != SQLITE_DONE)
		r = store_error(db, code, err, "read");
	if (r >= 0)
		r = store_run(db, err, "%s%s", fill_open, keep_firsts);
	return r;
}

static int (*const steps[STORE_SCHEMA + 1])(sqlite3 *db, struct error *err) = {[1] = from_1_to_2};

int schema_migrate(sqlite3 *db, int version, struct error *err)
{
	int r = store_run(db, err, "BEGIN IMMEDIATE");
	for (int from = version; r >= 0 && from < STORE_SCHEMA; from++)
		if (steps[from])
			r = steps[from](db, err);
	if (r >= 0)
		r = store_run(db, err, "PRAGMA user_version = %d; COMMIT", STORE_SCHEMA);
	if (r < 0)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

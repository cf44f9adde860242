/* What many rows speak of is kept once, under a number: strings, processes, places, namespaces.
 * What is new waits here until it is written together with the rows. Only for src/history/. */
#ifndef HISTORY_INTERN_H
#define HISTORY_INTERN_H

#include "base/arena.h"
#include "base/slots.h"
#include "base/vector.h"
#include "history/store.h"
#include "model/snapshot.h"

enum intern_kind {
	INTERN_STRING,
	INTERN_NETNS,
	INTERN_PROCESS,
	INTERN_PLACE,
	INTERN_CREW,
	INTERN_MAX
};
/* So many are remembered at a time; then it begins anew. */
#define INTERN_KNOWN_MAX 131072

/* Where a socket is, and what of it does not change: many connections of a server share one. */
struct place {
	struct ip local;
	uint32_t uid, interface, backlog, netns;
	uint8_t proto, family, state, flags, held_by, padding[3];
};

struct process_row {
	uint64_t start_ticks;
	double start_time;
	uint32_t id, uid, known, name, exe, cmdline, cwd, unit, runs, from, container,
		container_name, netns;
	int32_t pid, ppid;
	uint8_t engine, exe_deleted;
};

struct interned {
	const char *key; /* in the arena */
	uint64_t hash;
	int64_t seen; /* segment */
	uint32_t id, length;
	uint32_t more; /* of a process its executable */
	uint8_t kind;
};

struct new_bytes {
	const char *bytes;
	uint32_t id, length;
};
struct new_place {
	struct place place;
	uint32_t id;
};
struct new_netns {
	uint64_t inode;
	const char *details;
	uint32_t id, length, name;
	bool is_self, is_initial;
};
struct seen_again {
	uint32_t id;
	uint8_t kind;
};

struct intern {
	struct arena arena;
	struct slots slots;
	struct vector known; /* struct interned */
	uint32_t next[INTERN_MAX];
	int64_t segment; /* what is used now is seen in it */
	struct out *scratch;
	struct {
		struct vector strings, crews; /* struct new_bytes */
		struct vector netns;	      /* struct new_netns */
		struct vector processes;      /* struct process_row */
		struct vector places;	      /* struct new_place */
		struct vector users;	      /* struct user; names in the arena */
		struct vector again;	      /* struct seen_again */
	} fresh;
	struct vector users; /* struct user: those that are written */
	sqlite3_stmt *put_string, *put_crew, *put_netns, *put_process, *put_place, *put_user,
		*put_again[INTERN_MAX];
};

int intern_init(struct intern *intern, sqlite3 *db, int64_t segment, struct error *err);
void intern_done(struct intern *intern);

/* Each gives a number, 0 for what is unknown: NULL, no memory, no room while the disk is full. */
uint32_t intern_process(struct intern *intern, const struct snapshot *snapshot, uint32_t index,
			uint32_t *ret_exe);
uint32_t intern_place(struct intern *intern, const struct snapshot *snapshot,
		      const struct socket *socket, uint8_t state);
/* The holders behind the first; 0 where there is but one. */
uint32_t intern_crew(struct intern *intern, const struct snapshot *snapshot,
		     const struct socket *socket);

/* Writes what is new, within the caller's transaction. SQLite's code. */
int intern_write(struct intern *intern);
/* It is on the disk. Forgets all where there is much, which is then written anew. 0 or -ENOMEM. */
int intern_written(struct intern *intern);
bool intern_has_news(const struct intern *intern);

/* ---- bytes of a namespace's interfaces, addresses and ranges (details.c) ---- */

void details_write(struct out *out, const struct netns *netns);
/* Into @netns, in @arena; what is not as it should be is left out. 0 or -ENOMEM. */
int details_read(const void *bytes, size_t n, struct arena *arena, struct netns *netns);

#endif

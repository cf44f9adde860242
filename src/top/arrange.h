/* From snapshots to what a list shows: which rows in which order, what became of each, and for a
 * moment those that are gone. In no thread of its own (top/arranger.h is), and without a terminal.
 *
 *     snapshot ──> marks: each socket's number for life, what became of it, since when
 *         └──────> rows: filter, order, groups ──> items: rows, and ghosts where rows were
 */
#ifndef TOP_ARRANGE_H
#define TOP_ARRANGE_H

#include <stdatomic.h>

#include "model/difference.h"
#include "model/door-map.h"
#include "top/choice.h"

#define FADE_MS 2000
#define GHOSTS_MAX 500
#define WISH_FILTER_MAX 512

/* What became of a socket, or of a row. */
struct mark {
	uint32_t id;	   /* the same as long as it is followed */
	uint32_t since_ms; /* when it changed */
	uint8_t change;	   /* enum change: the last, also one that has faded */
};

struct marks {
	const struct snapshot *snapshot; /* held; NULL: none yet */
	struct mark *of;		 /* a mark for each of its sockets */
	uint32_t last_id;
};

struct wish {
	const struct snapshot *snapshot; /* held by who asks */
	const struct snapshot *older;	 /* of the past: what it is compared with; NULL */
	bool is_past, is_fresh;		 /* fresh: nothing is compared with what was before */
	bool is_map, is_events;
	uint64_t now_ns, until_ns; /* of events: now; none behind it is a row, 0: all are */
	uint32_t now_ms;
	unsigned number; /* of the choice: rows of another are not compared */
	uint32_t states; /* 1 << enum state: others are no rows */
	bool has_peers;	 /* those without another end are none */
	bool is_utf8;
	char filter[WISH_FILTER_MAX];
	struct choice choice;
};

/* A row that is gone: as it was shown. */
struct ghost {
	struct mark mark;
	const char **cells; /* of each column, NULL ends */
};

#define ITEM_GHOST 0x80000000u

struct arrangement {
	atomic_uint n_owners;
	const struct snapshot *snapshot; /* held */
	unsigned number;
	bool is_past, is_map, is_events;
	bool has_netns; /* rows of several namespaces, or of another */
	struct rows rows;
	struct mark *row_marks;
	uint32_t *items; /* a row, or a ghost with ITEM_GHOST */
	uint32_t n_items;
	struct ghost *ghosts;
	uint32_t n_ghosts;
	struct arena texts;
	struct door_map *map;
	uint32_t n_new, n_changed, n_gone; /* sockets, since the snapshot before */
	uint64_t cost_ns;
};

void marks_done(struct marks *marks);

/* @last (may be NULL): what was shown before. 0 or -ENOMEM. */
int arrange(struct marks *marks, const struct arrangement *last, const struct wish *wish,
	    const struct services *services, struct arrangement **ret);

struct arrangement *arrangement_hold(struct arrangement *arrangement);
void arrangement_release(struct arrangement *arrangement); /* NULL is fine */

/* A chosen column is shown: that of the namespace only where rows differ in it. */
bool arrangement_shows(const struct arrangement *arrangement, const struct field *field);

/* The item with that number; UINT32_MAX: there is none. */
uint32_t arrangement_find(const struct arrangement *arrangement, uint32_t id);

static inline const struct mark *arrangement_mark(const struct arrangement *arrangement,
						  uint32_t item)
{
	uint32_t at = arrangement->items[item];
	return at & ITEM_GHOST ? &arrangement->ghosts[at & ~ITEM_GHOST].mark
			       : &arrangement->row_marks[at];
}

/* 0 (has just become so), 1, 2; 3: has faded. */
unsigned mark_level(const struct mark *mark, uint32_t now_ms);

#endif

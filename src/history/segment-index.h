/* Where in a segment to look: which of its row groups speak of a time, a port, an executable, a
 * peer. Made once, when it is full (docs/history.md draws the bytes). Only for src/history/. */
#ifndef HISTORY_SEGMENT_INDEX_H
#define HISTORY_SEGMENT_INDEX_H

#include "base/vector.h"
#include "history/row-group.h"

enum index_kind { INDEX_TIME, INDEX_PORT, INDEX_EXE, INDEX_PEER, INDEX_NO_PEER };

struct row_group_place {
	int64_t id;		 /* the number of its first row in the segment */
	uint64_t opened, closed; /* uptimes: the earliest opening, the latest end */
	bool is_chosen;
};

/* An index's keys have 32 bits: two peers may share one. */
uint32_t index_peer(uint64_t high, uint64_t low, bool is_v4);

int segment_index_make(sqlite3 *db, int64_t segment, struct error *err);

/* All row groups of a segment into @ret (struct row_group_place), oldest first, none chosen. */
int segment_groups(sqlite3 *db, int64_t segment, uint64_t base, bool is_indexed, struct vector *ret,
		   struct error *err);
/* Chooses, beside those that are, what @key stands in. */
int segment_choose(sqlite3 *db, int64_t segment, enum index_kind kind, uint32_t key,
		   struct vector *groups, struct error *err);

#endif

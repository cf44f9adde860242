/* Intervals on the disk: up to 256 of them packed column by column, so that SQLite is asked once
 * for many rows (docs/history.md draws the bytes). Only for src/history/. */
#ifndef HISTORY_ROW_GROUP_H
#define HISTORY_ROW_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/out.h"
#include "history/store.h"
#include "model/ip.h"

#define ROW_GROUP_MAX 256 /* rows */

/* An interval as it is written; times are uptimes. */
struct interval_row {
	uint64_t opened, closed, cookie, sent, received;
	struct ip peer;
	uint32_t place, exe, process, crew, closer, inode;
	int32_t fd, error;
	uint16_t port, peer_port;
	bool has_peer, is_v4_peer, has_holder;
	struct interval_bits bits;
};

/* In the order in which they lie in the file. */
enum row_column {
	ROW_CLOSED, /* of the one before it, the first of the segment's base; signed */
	ROW_LENGTH,
	ROW_FLAGS, /* bits_pack, and what is there at all */
	ROW_PORT,
	ROW_PEER_PORT,
	ROW_PEER_HIGH, /* the first eight bytes of IPv6; 0 of IPv4 */
	ROW_PEER_LOW,
	ROW_PLACE,
	ROW_PROCESS,
	ROW_EXE,
	ROW_CREW,
	ROW_CLOSER,
	ROW_FD,	    /* signed */
	ROW_COOKIE, /* of the one before it; signed */
	ROW_INODE,  /* the same */
	ROW_SENT,   /* and one; 0 is unknown */
	ROW_RECEIVED,
	ROW_ERROR,
	ROW_COLUMNS
};

struct row_group {
	const uint8_t *at[ROW_COLUMNS]; /* borrowed from the file */
	uint64_t least[ROW_COLUMNS];
	uint32_t size[ROW_COLUMNS]; /* bytes */
	uint8_t width[ROW_COLUMNS];
	uint32_t n;	/* rows */
	bool is_broken; /* values that could not be read are 0 */
	bool is_read[ROW_COLUMNS];
	uint64_t values[ROW_COLUMNS][ROW_GROUP_MAX];
};

/* @n rows behind what is in @out. Times are counted from @base. */
void row_group_pack(struct out *out, const struct interval_row *const *rows, uint32_t n,
		    uint64_t base);

/* Packs them, and puts them into the file under the number of the first. SQLite's code; @scratch is
 * used again. */
#define ROW_GROUP_INSERT "INSERT INTO interval_%lld VALUES (?1, ?2, ?3, ?4)"
int row_group_put(sqlite3_stmt *put, struct out *scratch, int64_t id,
		  const struct interval_row *const *rows, uint32_t n, uint64_t base);

/* What the bytes are; they stay the caller's. 0, or -EBADMSG: no such group. */
int row_group_open(struct row_group *group, const void *bytes, size_t n);
/* Every value of a column, worked out once. */
const uint64_t *row_group_column(struct row_group *group, enum row_column column);
/* One of them; cheaper, where few are wanted. */
uint64_t row_group_value(struct row_group *group, enum row_column column, uint32_t row);
/* Its peer as two numbers; false: it has none. */
bool row_group_peer(struct row_group *group, uint32_t row, uint64_t *high, uint64_t *low,
		    bool *is_v4);
void row_group_row(struct row_group *group, uint32_t row, uint64_t base, struct interval_row *ret);

/* An address as the columns have it. */
void row_peer_numbers(const struct ip *ip, bool is_v4, uint64_t *high, uint64_t *low);

#endif

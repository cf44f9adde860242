/* Many sockets in little memory: some 13 bytes each where struct socket has 88.
 *
 *   log     a record for each socket, in the order in which they came:
 *           tag, same | shape | local | peer | ports | cookie | queues | bytes | process, fd
 *           only what differs from the socket before it; numbers of variable length
 *   blocks  where every 16th record begins; it refers to none before it
 *   keys    inode of each, or a hash of its ends where it has none
 *   shapes, addresses  what many have in common, once
 *   holders of a socket beyond the one that came with it; changes of sockets since they came
 *
 * A socket is a record's number, read one after another or, within its block, for itself. */
#ifndef MODEL_PACKED_H
#define MODEL_PACKED_H

#include "model/counts.h"
#include "model/filter.h"
#include "model/snapshot.h"

struct packed;

struct packed_holder {
	uint32_t record, process;
	int32_t fd;
};

/* A socket as read. Begins as {.packed = ...} for packed_next(). */
struct packed_one {
	const struct packed *packed;
	struct socket socket; /* held_by as far as it is known; holder, tcp_info: NONE */
	uint32_t record;
	bool is_held, has_two_owners, has_counts;
	struct byte_counts counts;
	uint32_t process; /* of the holder that came with it, or NONE */
	int32_t fd;
	/* how far it is read, and what the next differs from */
	uint32_t next, at, after;
	uint8_t tag;
	struct socket before;
	uint32_t process_before;
	int32_t fd_before;
};

struct packed *packed_new(void); /* NULL: no memory */
void packed_free(struct packed *packed);
uint32_t packed_n(const struct packed *packed);

/* Room for @n sockets to be found, where that is known before the first. 0 or -ENOMEM. */
int packed_reserve(struct packed *packed, uint32_t n);

/* The record with the inode of @socket or, where it has none, with its ends; NONE. */
uint32_t packed_find(const struct packed *packed, const struct socket *socket);
uint32_t packed_find_inode(const struct packed *packed, uint32_t inode);

/* Its record, or NONE: no memory. Of held_by it keeps only HELD_KERNEL. @counts may be NULL. */
uint32_t packed_add(struct packed *packed, const struct socket *socket,
		    const struct byte_counts *counts);
/* What is known of @record by now. 0 or -ENOMEM. */
int packed_change(struct packed *packed, uint32_t record, const struct socket *socket);
/* One more holder; at once after its socket it costs 2 bytes, later 12. Again the same, or with
 * @fd -1 again the same process, counts once. 0 or -ENOMEM. */
int packed_hold(struct packed *packed, uint32_t record, uint32_t process, int32_t fd);
/* Its number has two owners. */
void packed_mark_two_owners(struct packed *packed, uint32_t record);

/* Nothing is added or found any more; all holders can be read from here on. */
void packed_settle(struct packed *packed);

void packed_get(const struct packed *packed, uint32_t record, struct packed_one *ret);
bool packed_next(struct packed_one *one); /* false: there are no more */
/* The holders of a settled socket beyond one->process, by process; *@ret_n of them. */
const struct packed_holder *packed_holders(const struct packed_one *one, uint32_t *ret_n);

/* The owners of the sockets become known as users of the snapshot, still without names. 0 or
 * -ENOMEM. */
int packed_add_users(const struct packed *packed, struct snapshot *snapshot);

#endif

/* Who holds packed sockets, and whose they are. */
#include <errno.h>

#include "model/packed-store.h"

static bool comes_before(const struct packed_holder *a, const struct packed_holder *b)
{
	if (a->record != b->record)
		return a->record < b->record;
	/* without a descriptor last: it counts where there is no other of the process */
	return a->process != b->process ? a->process < b->process
					: (uint32_t)a->fd < (uint32_t)b->fd;
}

static void sift_down(struct packed_holder *all, uint32_t root, uint32_t n)
{
	struct packed_holder moved = all[root];
	for (uint64_t child; (child = 2 * (uint64_t)root + 1) < n; root = (uint32_t)child) {
		child += child + 1 < n && comes_before(&all[child], &all[child + 1]);
		if (!comes_before(&moved, &all[child]))
			break;
		all[root] = all[child];
	}
	all[root] = moved;
}

/* In place: qsort would take as much memory again. */
static void sort(struct packed_holder *all, uint32_t n)
{
	for (uint32_t i = n / 2; i-- > 0;)
		sift_down(all, i, n);
	while (n-- > 1) {
		struct packed_holder largest = all[0];
		all[0] = all[n];
		all[n] = largest;
		sift_down(all, 0, n);
	}
}

/* Those that are there twice go: a process without a leader is reported once a thread. */
static void order_holders(struct packed *packed)
{
	struct packed_holder *all = packed->holders.data;
	uint32_t n = 0;
	if (packed->holders.n)
		sort(all, packed->holders.n);
	for (uint32_t i = 0; i < packed->holders.n; i++)
		if (!n || all[n - 1].record != all[i].record ||
		    all[n - 1].process != all[i].process ||
		    (all[n - 1].fd != all[i].fd && all[i].fd >= 0))
			all[n++] = all[i];
	packed->holders.n = n;
	packed->holders_at_most = n < HOLDERS_FIRST / 2 ? HOLDERS_FIRST : 2 * n;
}

/* The newest record's end is the log's. */
static int hold_newest(struct packed *packed, uint32_t process, int32_t fd)
{
	struct packed_one *last = &packed->last;
	if (packed_make_room(packed) < 0)
		return -ENOMEM;
	uint8_t *log = packed->log.data, *at = log + packed->log.n;
	at = packed_put_step(at, last->process_before, process);
	at = packed_put_step(at, (uint64_t)last->fd_before, (uint64_t)fd);
	log[last->at] |= TAG_HELD | TAG_WITH_HOLDER;
	packed->log.n = (uint32_t)(at - log);
	last->process_before = process;
	last->fd_before = fd;
	return 0;
}

int packed_hold(struct packed *packed, uint32_t record, uint32_t process, int32_t fd)
{
	if (record + 1 == packed->keys.n &&
	    !(((uint8_t *)packed->log.data)[packed->last.at] & TAG_HELD))
		return hold_newest(packed, process, fd);

	struct packed_one one;
	packed_get(packed, record, &one);
	if (one.process == process && (one.fd == fd || fd < 0))
		return 0;
	if (packed->holders.n >= packed->holders_at_most)
		order_holders(packed);
	struct packed_holder *added = vector_add(&packed->holders);
	if (!added)
		return -ENOMEM;
	*added = (struct packed_holder){record, process, fd};
	((uint8_t *)packed->log.data)[one.at] |= TAG_HELD | TAG_MORE_HOLDERS;
	return 0;
}

void packed_settle(struct packed *packed)
{
	slots_done(&packed->by_key);
	order_holders(packed);
}

const struct packed_holder *packed_holders(const struct packed_one *one, uint32_t *ret_n)
{
	const struct packed_holder *all = one->packed->holders.data;
	uint32_t low = 0, high = one->tag & TAG_MORE_HOLDERS ? one->packed->holders.n : 0;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (all[middle].record < one->record)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_n = 0;
	while (one->tag & TAG_MORE_HOLDERS && low + *ret_n < one->packed->holders.n &&
	       all[low + *ret_n].record == one->record)
		++*ret_n;
	return all ? all + low : NULL;
}

int packed_add_users(const struct packed *packed, struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < packed->shapes.n; i++) {
		const struct shape *shape = vector_at(&packed->shapes, i);
		bool is_known = false;
		for (uint32_t k = snapshot->users.n; k-- > 0 && !is_known;)
			is_known =
				((struct user *)vector_at(&snapshot->users, k))->uid == shape->uid;
		struct user *added = is_known ? NULL : vector_add(&snapshot->users);
		if (!is_known && !added)
			return -ENOMEM;
		if (added)
			*added = (struct user){.uid = shape->uid};
	}
	return 0;
}

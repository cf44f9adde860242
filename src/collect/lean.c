/* One snapshot after another in the memory of little more than one: the sockets of the next are
 * packed (model/packed.h) while the older is still looked at. That is given up once they are
 * compared, and they are unpacked in its place.
 *
 *     older  |------------------------------|
 *     packed          |----------------------------|
 *     newer                                   |---------------->
 *             collect, compare, make room, unpack, seal */
#include <errno.h>

#include "base/attributes.h"
#include "base/debug.h"
#include "collect/lean.h"
#include "collect/stream.h"
#include "model/field.h"
#include "model/since-find.h"

struct leaning {
	struct packing packing;
	const struct lean *lean;
};

static int reserve(struct snapshot *snapshot, const struct packed *packed)
{
	int r = vector_reserve(&snapshot->sockets, packed_n(packed));
	return r < 0 ? r : vector_reserve(&snapshot->holders, packed_n(packed));
}

static int unpack_all(struct snapshot *snapshot, const struct packed *packed)
{
	bool has_counts = snapshot->collected & NEED_RATE;
	struct packed_one one = {.packed = packed};
	int r = reserve(snapshot, packed);
	while (r >= 0 && packed_next(&one)) {
		uint32_t index = snapshot_add_socket(snapshot, &one.socket);
		r = index == NONE ? -ENOMEM : stream_hold(snapshot, index, &one);
		if (r >= 0 && has_counts)
			r = counts_add(&snapshot->counts, one.has_counts ? &one.counts : NULL);
	}
	vector_trim(&snapshot->sockets);
	vector_trim(&snapshot->holders);
	return r;
}

static int unpack(struct packing *packing, struct join *join, struct error *err)
{
	const struct lean *lean = ((struct leaning *)packing)->lean;
	struct snapshot *snapshot = join->snapshot;
	int r = lean->older
			? since_find(lean->older, packing->packed, lean->least_seconds, snapshot)
			: 0;
	debug(JOIN, "%u packed sockets are compared", packed_n(packing->packed));
	lean->make_room(lean->data);
	if (r >= 0)
		r = unpack_all(snapshot, packing->packed);
	packed_free(TAKE_POINTER(packing->packed));
	join->packed = NULL;
	return r < 0 ? error_set(err, r, "collect the sockets") : 0;
}

int collect_lean(struct host *host, const struct query *query, const struct lean *lean,
		 struct snapshot **ret, struct error *err)
{
	struct leaning leaning = {{packed_new(), unpack}, lean};
	if (!leaning.packing.packed)
		return error_set(err, -ENOMEM, "collect the sockets");
	int r = collect_either(host, query, &leaning.packing, ret, err);
	packed_free(leaning.packing.packed);
	return r;
}

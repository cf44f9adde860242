/* The sockets of a host one after another. What is collected first is packed (model/packed.h): a
 * socket's line names all its holders, and its other end, and these are known when the last process
 * has been read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/debug.h"
#include "collect/collect.h"
#include "collect/stream.h"
#include "model/field.h"
#include "source/containers.h"
#include "source/proxy.h"

/* So many open sockets are put into the snapshot, where containers and socket units look for what
 * answers; of more only those that are held for somebody else. */
#define OPEN_WHOLE_MAX 4096

void stream_mark_wanted(const struct join *join, bool filters_early, bool *wanted)
{
	struct packed_one one = {.packed = join->packed};
	while (packed_next(&one)) {
		uint32_t n;
		if (filters_early &&
		    !filter_may_match(join->query->filter, join->snapshot, &one.socket))
			continue;
		const struct packed_holder *more = packed_holders(&one, &n);
		if (one.process != NONE)
			wanted[one.process] = true;
		for (uint32_t i = 0; i < n; i++)
			wanted[more[i].process] = true;
	}
}

static bool holds_for_others(const struct process *process)
{
	return process->name &&
	       (strcmp(process->name, "systemd") == 0 || proxy_may_be(process->name));
}

/* What the choice is made by, once. */
struct choosing {
	const struct snapshot *snapshot;
	bool takes_open;	/* all that is open */
	bool *holds_for_others; /* by process */
	bool *is_named;		/* by namespace: it has its name, or a socket that gives it one */
};

/* A namespace without a name is called by the first of its sockets that a container holds. */
static bool gives_name(const struct choosing *choosing, const struct packed_one *one,
		       uint32_t process)
{
	uint32_t netns = one->socket.netns;
	if (netns == NONE || choosing->is_named[netns] ||
	    snapshot_process(choosing->snapshot, process)->container == NONE)
		return false;
	choosing->is_named[netns] = true;
	return true;
}

static bool is_wanted_whole(const struct choosing *choosing, const struct packed_one *one)
{
	uint32_t n;
	const struct packed_holder *more = packed_holders(one, &n);
	uint32_t first = one->process != NONE ? one->process : n ? more->process : NONE;
	if (first != NONE && gives_name(choosing, one, first))
		return true;
	if (!socket_is_open(&one->socket))
		return false;
	bool is_wanted = choosing->takes_open ||
			 (one->process != NONE && choosing->holds_for_others[one->process]);
	for (uint32_t i = 0; i < n && !is_wanted; i++)
		is_wanted = choosing->holds_for_others[more[i].process];
	return is_wanted;
}

static int choose(struct stream *stream)
{
	struct snapshot *snapshot = stream->snapshot;
	uint32_t n_open = 0;
	struct packed_one one = {.packed = stream->packed};
	while (packed_next(&one))
		n_open += socket_is_open(&one.socket);

	cleanup(freep) bool *by_process = calloc(snapshot->processes.n + 1, sizeof(bool));
	cleanup(freep) bool *by_netns = calloc(snapshot->netns.n + 1, sizeof(bool));
	if (!by_process || !by_netns)
		return -ENOMEM;
	for (uint32_t i = 0; i < snapshot->processes.n; i++)
		by_process[i] = holds_for_others(snapshot_process(snapshot, i));
	for (uint32_t i = 0; i < snapshot->netns.n; i++)
		by_netns[i] = !containers_may_name(snapshot_netns(snapshot, i));

	struct choosing choosing = {snapshot, n_open <= OPEN_WHOLE_MAX, by_process, by_netns};
	one = (struct packed_one){.packed = stream->packed};
	while (packed_next(&one))
		if (is_wanted_whole(&choosing, &one) && stream_add_whole(stream, &one) < 0)
			return -ENOMEM;
	return 0;
}

struct streaming {
	struct packing packing;
	struct stream *stream;
};

static int prepare(struct packing *packing, struct join *join, struct error *err)
{
	struct stream *stream = ((struct streaming *)packing)->stream;
	int r = 0;
	stream->snapshot = join->snapshot;
	if (join->query->needs & (NEED_ANSWERS | NEED_NETNS_NAMES))
		r = choose(stream);
	if (r >= 0 && join->query->needs & NEED_USERS)
		r = packed_add_users(stream->packed, stream->snapshot);
	debug(JOIN, "%u of %u sockets are kept whole", stream->whole.n, packed_n(stream->packed));
	return r < 0 ? error_set(err, r, "collect the sockets") : 0;
}

int collect_stream(struct host *host, const struct query *query, struct stream **ret,
		   struct error *err)
{
	struct stream *stream = stream_new();
	struct snapshot *snapshot = NULL;
	if (!stream)
		return error_set(err, -ENOMEM, "collect the sockets");
	struct query asked = *query;
	if (asked.needs & NEED_NETNS_NAMES) /* which sockets lead to a container is chosen by it */
		asked.needs |= NEED_CGROUP;
	struct streaming streaming = {{stream->packed, prepare}, stream};
	int r = collect_either(host, &asked, &streaming.packing, &snapshot, err);
	stream->snapshot = snapshot; /* none where that failed */
	if (r >= 0)
		r = stream_seal(stream);
	if (r < 0) {
		stream_free(stream);
		return err && err->code ? r : error_set(err, r, "collect the sockets");
	}
	*ret = stream;
	return 0;
}

/* What became of sockets that are still packed, since a snapshot that is about to be given up. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/difference.h"
#include "model/finding.h"
#include "model/since.h"
#include "model/since-find.h"

void since_free(struct since *since)
{
	free(since);
}

static uint64_t holders_of(const struct packed_one *one, const struct snapshot *newer)
{
	uint32_t n;
	uint64_t sum = 0;
	const struct packed_holder *more = packed_holders(one, &n);
	if (one->process != NONE)
		sum += finding_holder(snapshot_process(newer, one->process), one->fd);
	for (uint32_t i = 0; i < n; i++)
		sum += finding_holder(snapshot_process(newer, more[i].process), more[i].fd);
	return sum;
}

static void note(struct since *since, const struct finding *finding, const struct packed_one *one,
		 uint32_t old, uint32_t index)
{
	if (old == NONE)
		return;
	bool is_changed =
		finding_has_changed(finding, old, &one->socket, holders_of(one, finding->newer));
	since->change[index] = is_changed ? CHANGE_CHANGED : CHANGE_NONE;
	since->n_changed += is_changed;
	since->n_new--;
}

static double seconds_between(const struct snapshot *older, const struct snapshot *newer)
{
	return newer->uptime_ns > older->uptime_ns
		       ? (double)(newer->uptime_ns - older->uptime_ns) / 1e9
		       : 0;
}

static int note_rate(struct flows *flows, const struct finding *finding, double seconds,
		     const struct packed_one *one, uint32_t old, uint32_t index)
{
	struct byte_counts was;
	struct rate rate;
	if (!flows || old == NONE)
		return 0;
	bool is_known = seconds > 0
				? one->has_counts && snapshot_counts(finding->older, old, &was) &&
					  rate_between(&was, &one->counts, seconds, &rate)
				: flows_find(finding->older->flows, old, &rate);
	return is_known ? flows_put(flows, index, &rate) : 0;
}

/* @seconds of the rates; 0: those of the older. */
static int find_all(struct finding *finding, const struct packed *packed, double seconds,
		    struct since *since, struct flows *flows)
{
	struct packed_one one = {.packed = packed};
	uint32_t old = NONE;
	int r = 0;
	for (uint32_t i = 0; r >= 0 && packed_next(&one); i++) {
		r = finding_same(finding, &one.socket, &old);
		if (r >= 0)
			r = note_rate(flows, finding, seconds, &one, old, i);
		note(since, finding, &one, old, i);
	}
	if (r < 0 || !since->n_new)
		return r;
	r = finding_turn(finding);
	one = (struct packed_one){.packed = packed};
	for (uint32_t i = 0; r >= 0 && packed_next(&one); i++)
		if (since->change[i] == CHANGE_NEW)
			note(since, finding, &one, finding_connection(finding, &one.socket), i);
	return r;
}

static void mark_gone(const struct finding *finding, struct since *since)
{
	for (uint32_t i = 0; i < finding->older->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(finding->older, i);
		if (finding->is_found[i])
			continue;
		since->n_gone++;
		if (socket->proto == PROTO_TCP || socket->proto == PROTO_UDP)
			since->gone[socket->proto == PROTO_UDP][socket->local_port / 64] |=
				UINT64_C(1) << socket->local_port % 64;
	}
}

int since_find(const struct snapshot *older, const struct packed *packed, double least_seconds,
	       struct snapshot *newer)
{
	cleanup(finding_done) struct finding finding;
	uint32_t n = 0;
	struct packed_one one = {.packed = packed};
	while (packed_next(&one))
		n++;
	int r = finding_init(&finding, older, newer);
	newer->since = calloc(1, sizeof(*newer->since) + n + 1u);
	double seconds = seconds_between(older, newer);
	bool is_soon = seconds < least_seconds;
	if (older->collected & newer->collected & NEED_RATE && !(is_soon && !older->flows))
		newer->flows = flows_new(n);
	if (r < 0 || !newer->since)
		return -ENOMEM;
	newer->since->n_new = n;
	memset(newer->since->change, CHANGE_NEW, n);
	r = find_all(&finding, packed, is_soon ? 0 : seconds, newer->since, newer->flows);
	if (r >= 0)
		mark_gone(&finding, newer->since);
	return r;
}

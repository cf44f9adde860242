/* What became of the sockets from one snapshot to the next. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/difference.h"
#include "model/finding.h"

const char *const change_words[CHANGE_MAX + 1] = {"", "changed", "new", "gone", NULL};

static void join(struct difference *difference, const struct finding *finding, uint32_t old,
		 uint32_t new)
{
	if (old == NONE)
		return;
	const struct socket *socket = snapshot_socket(difference->newer, new);
	bool is_changed = finding_has_changed(finding, old, socket,
					      finding_holders(difference->newer, socket));
	difference->older_of[new] = old;
	difference->n_new--;
	difference->change[new] = is_changed ? CHANGE_CHANGED : CHANGE_NONE;
	difference->n_changed += is_changed;
}

static int find_all(struct difference *difference, struct finding *finding)
{
	const struct snapshot *newer = difference->newer;
	uint32_t old = NONE;
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < newer->sockets.n; i++) {
		r = finding_same(finding, snapshot_socket(newer, i), &old);
		if (r >= 0)
			join(difference, finding, old, i);
	}
	if (r < 0 || !difference->n_new)
		return r;
	r = finding_turn(finding);
	for (uint32_t i = 0; r >= 0 && i < newer->sockets.n; i++)
		if (difference->older_of[i] == NONE)
			join(difference, finding,
			     finding_connection(finding, snapshot_socket(newer, i)), i);
	return r;
}

static int list_gone(struct difference *difference, const struct finding *finding)
{
	uint32_t n_found = difference->newer->sockets.n - difference->n_new;
	difference->gone =
		calloc(difference->older->sockets.n - n_found + 1, sizeof(*difference->gone));
	if (!difference->gone)
		return -ENOMEM;
	for (uint32_t i = 0; i < difference->older->sockets.n; i++)
		if (!finding->is_found[i])
			difference->gone[difference->n_gone++] = i;
	return 0;
}

int difference_find(const struct snapshot *older, const struct snapshot *newer,
		    struct difference *ret)
{
	uint32_t n = newer->sockets.n;
	cleanup(finding_done) struct finding finding;
	*ret = (struct difference){.older = older, .newer = newer, .n_new = n};
	if (newer->uptime_ns > older->uptime_ns)
		ret->seconds = (double)(newer->uptime_ns - older->uptime_ns) / 1e9;
	int r = finding_init(&finding, older, newer);
	ret->change = malloc(n + 1u);
	ret->older_of = malloc((n + 1u) * sizeof(*ret->older_of));
	if (r < 0 || !ret->change || !ret->older_of)
		return -ENOMEM;
	memset(ret->change, CHANGE_NEW, n);
	memset(ret->older_of, 0xff, n * sizeof(*ret->older_of)); /* NONE */
	r = find_all(ret, &finding);
	return r < 0 ? r : list_gone(ret, &finding);
}

void difference_done(struct difference *difference)
{
	free(difference->change);
	free(difference->older_of);
	free(difference->gone);
	*difference = (struct difference){.older = NULL};
}

/* ---- rates ---- */

bool difference_rate(const struct difference *difference, uint32_t index, struct rate *ret)
{
	uint32_t old = difference->older_of[index];
	struct byte_counts was, is;
	return old != NONE && snapshot_counts(difference->older, old, &was) &&
	       snapshot_counts(difference->newer, index, &is) &&
	       rate_between(&was, &is, difference->seconds, ret);
}

int difference_keep_rates(const struct difference *difference, double least_seconds,
			  struct snapshot *newer)
{
	const struct flows *before = difference->older->flows;
	bool is_soon = difference->seconds < least_seconds;
	struct rate rate;
	int r = 0;
	if (is_soon && !before)
		return 0;
	newer->flows = flows_new(newer->sockets.n);
	if (!newer->flows)
		return -ENOMEM;
	for (uint32_t i = 0; r >= 0 && i < newer->sockets.n; i++)
		if (is_soon ? flows_find(before, difference->older_of[i], &rate)
			    : difference_rate(difference, i, &rate))
			r = flows_put(newer->flows, i, &rate);
	return r;
}

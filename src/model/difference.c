/* What became of the sockets from one snapshot to the next. Both are mostly in one order, so the
 * next of the older is tried first; a table is made only where that fails. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/table.h"
#include "model/difference.h"
#include "model/ends.h"
#include "model/field.h"

const char *const change_words[CHANGE_MAX + 1] = {"", "changed", "new", "gone", NULL};

static uint64_t netns_inode(const struct snapshot *snapshot, const struct socket *socket)
{
	const struct netns *netns = snapshot_netns(snapshot, socket->netns);
	return netns ? netns->inode : 0;
}

static bool has_same_ends(const struct socket *a, const struct socket *b)
{
	return a->local_port == b->local_port && a->peer_port == b->peer_port &&
	       ip_equal(&a->local, &b->local) && ip_equal(&a->peer, &b->peer);
}

/* ---- is it the same ---- */

struct finding {
	struct difference *difference;
	const struct snapshot *older, *newer;
	bool *is_found; /* of each of the older */
	struct table table;
	uint32_t next; /* of the older: the likely one */
};

static bool is_same_netns(const struct finding *finding, const struct socket *old,
			  const struct socket *new)
{
	return netns_inode(finding->older, old) == netns_inode(finding->newer, new);
}

/* Without doubt: a cookie is one socket's for the life of the boot. A source may not know it. */
static bool is_same(const struct finding *finding, const struct socket *old,
		    const struct socket *new)
{
	if (old->proto != new->proto || old->inode != new->inode)
		return false;
	if (old->cookie && new->cookie)
		return old->cookie == new->cookie;
	return (old->inode || has_same_ends(old, new)) && is_same_netns(finding, old, new);
}

/* The kernel's struct may be another: of TIME_WAIT, of one that is not yet accepted. */
static bool is_same_connection(const struct finding *finding, const struct socket *old,
			       const struct socket *new)
{
	if (old->proto != new->proto || !has_same_ends(old, new) ||
	    !is_same_netns(finding, old, new))
		return false;
	return !old->cookie || !new->cookie || old->cookie == new->cookie ||
	       (new->state == STATE_TIME_WAIT && old->state != STATE_TIME_WAIT);
}

static uint64_t key_of(const struct socket *socket)
{
	return socket->inode ? socket->inode : ends_pair_key(socket);
}

static uint64_t older_key(const void *owner, uint32_t index)
{
	return key_of(snapshot_socket(owner, index));
}

static uint64_t older_ends(const void *owner, uint32_t index)
{
	return ends_pair_key(snapshot_socket(owner, index));
}

/* ---- has it changed ---- */

/* The sum does not depend on the order of the chain. */
static uint64_t holders_sum(const struct snapshot *snapshot, const struct socket *socket)
{
	uint64_t sum = 0;
	for (const struct holder *holder = snapshot_holder(snapshot, socket->holder); holder;
	     holder = snapshot_holder(snapshot, holder->next)) {
		const struct process *process = snapshot_process(snapshot, holder->process);
		sum += table_mix((uint64_t)(uint32_t)process->pid << 32 | (uint32_t)holder->fd);
	}
	return sum;
}

static bool has_changed(const struct finding *finding, const struct socket *old,
			const struct socket *new)
{
	if (old->state != new->state || !has_same_ends(old, new))
		return true;
	if (!(finding->older->collected & finding->newer->collected & NEED_HOLDERS))
		return false;
	return old->held_by != new->held_by ||
	       holders_sum(finding->older, old) != holders_sum(finding->newer, new);
}

static void join(struct finding *finding, uint32_t old, uint32_t new)
{
	struct difference *difference = finding->difference;
	finding->is_found[old] = true;
	finding->next = old + 1;
	difference->older_of[new] = old;
	difference->n_new--;
	bool is_changed = has_changed(finding, snapshot_socket(finding->older, old),
				      snapshot_socket(finding->newer, new));
	difference->change[new] = is_changed ? CHANGE_CHANGED : CHANGE_NONE;
	difference->n_changed += is_changed;
}

/* ---- finding ---- */

/* Only those that are not found yet. */
static int make_table(struct finding *finding, uint64_t (*key)(const void *, uint32_t),
		      bool is_of_connections)
{
	uint32_t n = finding->older->sockets.n;
	table_done(&finding->table);
	table_init(&finding->table, key, finding->older);
	int r = is_of_connections ? 0 : table_reserve(&finding->table, n);
	for (uint32_t i = 0; r >= 0 && i < n; i++)
		if (!finding->is_found[i] &&
		    (!is_of_connections ||
		     socket_is_connection(snapshot_socket(finding->older, i))))
			r = table_add(&finding->table, key(finding->older, i), i);
	return r;
}

static uint32_t look_up(const struct finding *finding, uint64_t key, const struct socket *socket,
			bool (*is_it)(const struct finding *, const struct socket *,
				      const struct socket *))
{
	uint32_t place;
	for (uint32_t i = table_find(&finding->table, key, &place); i != TABLE_NONE;
	     i = table_next(&finding->table, key, &place))
		if (!finding->is_found[i] &&
		    is_it(finding, snapshot_socket(finding->older, i), socket))
			return i;
	return NONE;
}

static int find_same(struct finding *finding)
{
	bool has_table = false;
	for (uint32_t i = 0; i < finding->newer->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(finding->newer, i);
		uint32_t old = finding->next;
		if (old >= finding->older->sockets.n || finding->is_found[old] ||
		    !is_same(finding, snapshot_socket(finding->older, old), socket)) {
			int r = has_table ? 0 : make_table(finding, older_key, false);
			if (r < 0)
				return r;
			has_table = true;
			old = look_up(finding, key_of(socket), socket, is_same);
		}
		if (old != NONE)
			join(finding, old, i);
	}
	return 0;
}

static int find_connections(struct finding *finding)
{
	struct difference *difference = finding->difference;
	if (!difference->n_new)
		return 0;
	int r = make_table(finding, older_ends, true);
	for (uint32_t i = 0; r >= 0 && finding->table.n && i < finding->newer->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(finding->newer, i);
		if (difference->older_of[i] != NONE || !socket_is_connection(socket))
			continue;
		uint32_t old = look_up(finding, ends_pair_key(socket), socket, is_same_connection);
		if (old != NONE)
			join(finding, old, i);
	}
	return r;
}

static int list_gone(struct finding *finding)
{
	struct difference *difference = finding->difference;
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
	*ret = (struct difference){.older = older, .newer = newer, .n_new = n};
	if (newer->uptime_ns > older->uptime_ns)
		ret->seconds = (double)(newer->uptime_ns - older->uptime_ns) / 1e9;
	cleanup(freep) bool *is_found = calloc(older->sockets.n + 1u, sizeof(*is_found));
	ret->change = malloc(n + 1u);
	ret->older_of = malloc((n + 1u) * sizeof(*ret->older_of));
	if (!is_found || !ret->change || !ret->older_of)
		return -ENOMEM;
	memset(ret->change, CHANGE_NEW, n);
	memset(ret->older_of, 0xff, n * sizeof(*ret->older_of)); /* NONE */

	struct finding finding = {
		.difference = ret, .older = older, .newer = newer, .is_found = is_found};
	table_init(&finding.table, older_key, older);
	int r = find_same(&finding);
	if (r >= 0)
		r = find_connections(&finding);
	if (r >= 0)
		r = list_gone(&finding);
	table_done(&finding.table);
	return r;
}

void difference_done(struct difference *difference)
{
	free(difference->change);
	free(difference->older_of);
	free(difference->gone);
	*difference = (struct difference){.older = NULL};
}

/* ---- rates ---- */

static const struct tcp_info_part *info_of(const struct snapshot *snapshot, uint32_t index)
{
	uint32_t info = snapshot_socket(snapshot, index)->tcp_info;
	return info == NONE ? NULL : vector_at(&snapshot->tcp_infos, info);
}

bool difference_rate(const struct difference *difference, uint32_t index, struct rate *ret)
{
	uint32_t old = difference->older_of[index];
	if (old == NONE || !(difference->seconds > 0))
		return false;
	const struct tcp_info_part *was = info_of(difference->older, old),
				   *is = info_of(difference->newer, index);
	if (!was || !is || is->bytes_received < was->bytes_received ||
	    is->bytes_acked < was->bytes_acked)
		return false;
	*ret = (struct rate){
		.in = (uint64_t)((double)(is->bytes_received - was->bytes_received) /
				 difference->seconds),
		.out = (uint64_t)((double)(is->bytes_acked - was->bytes_acked) /
				  difference->seconds),
	};
	return true;
}

int difference_keep_rates(const struct difference *difference, struct snapshot *newer)
{
	newer->rates = malloc((newer->sockets.n + 1u) * sizeof(*newer->rates));
	if (!newer->rates)
		return -ENOMEM;
	for (uint32_t i = 0; i < newer->sockets.n; i++)
		if (!difference_rate(difference, i, &newer->rates[i]))
			newer->rates[i] = (struct rate){RATE_UNKNOWN, RATE_UNKNOWN};
	return 0;
}

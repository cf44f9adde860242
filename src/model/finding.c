/* Which socket of an older snapshot one of a newer is. Both are mostly in one order, so the next of
 * the older is tried first; a table is made only where that fails. */
#include <errno.h>
#include <stdlib.h>

#include "model/ends.h"
#include "model/field.h"
#include "model/finding.h"

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

uint64_t finding_holder(const struct process *process, int32_t fd)
{
	return table_mix((uint64_t)(uint32_t)process->pid << 32 | (uint32_t)fd);
}

uint64_t finding_holders(const struct snapshot *snapshot, const struct socket *socket)
{
	uint64_t sum = 0;
	for (const struct holder *holder = snapshot_holder(snapshot, socket->holder); holder;
	     holder = snapshot_holder(snapshot, holder->next))
		sum += finding_holder(snapshot_process(snapshot, holder->process), holder->fd);
	return sum;
}

bool finding_has_changed(const struct finding *finding, uint32_t old, const struct socket *socket,
			 uint64_t holders)
{
	const struct socket *was = snapshot_socket(finding->older, old);
	if (was->state != socket->state || !has_same_ends(was, socket))
		return true;
	if (!(finding->older->collected & finding->newer->collected & NEED_HOLDERS))
		return false;
	return was->held_by != socket->held_by || finding_holders(finding->older, was) != holders;
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

int finding_init(struct finding *finding, const struct snapshot *older,
		 const struct snapshot *newer)
{
	*finding = (struct finding){.older = older, .newer = newer};
	table_init(&finding->table, older_key, older);
	finding->is_found = calloc(older->sockets.n + 1u, sizeof(*finding->is_found));
	return finding->is_found ? 0 : -ENOMEM;
}

void finding_done(struct finding *finding)
{
	table_done(&finding->table);
	free(finding->is_found);
}

static uint32_t found(struct finding *finding, uint32_t old)
{
	if (old != NONE) {
		finding->is_found[old] = true;
		finding->next = old + 1;
	}
	return old;
}

int finding_same(struct finding *finding, const struct socket *socket, uint32_t *ret)
{
	uint32_t old = finding->next;
	if (old >= finding->older->sockets.n || finding->is_found[old] ||
	    !is_same(finding, snapshot_socket(finding->older, old), socket)) {
		int r = finding->has_table ? 0 : make_table(finding, older_key, false);
		if (r < 0)
			return r;
		finding->has_table = true;
		old = look_up(finding, key_of(socket), socket, is_same);
	}
	*ret = found(finding, old);
	return 0;
}

int finding_turn(struct finding *finding)
{
	return make_table(finding, older_ends, true);
}

uint32_t finding_connection(struct finding *finding, const struct socket *socket)
{
	if (!finding->table.n || !socket_is_connection(socket))
		return NONE;
	return found(finding, look_up(finding, ends_pair_key(socket), socket, is_same_connection));
}

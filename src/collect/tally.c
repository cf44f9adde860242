/* The sockets that descriptors hold, counted for each namespace. */
#include <errno.h>

#include "base/debug.h"
#include "collect/tally.h"
#include "source/protocols.h"

struct tally_count {
	uint64_t n, n_tcp; /* of any family; of TCP, as the kernel counts those in use */
};

static uint64_t inode_key(const void *owner, uint32_t index)
{
	return ((const struct tallied_socket *)vector_at(owner, index))->inode;
}

void tally_init(struct tally *tally)
{
	vector_init(&tally->others, sizeof(struct tallied_socket));
	vector_init(&tally->half_open, sizeof(uint64_t));
	vector_init(&tally->counts, sizeof(struct tally_count));
	table_init(&tally->by_inode, inode_key, &tally->others);
}

void tally_done(struct tally *tally)
{
	vector_done(&tally->others);
	vector_done(&tally->half_open);
	vector_done(&tally->counts);
	table_done(&tally->by_inode);
}

int tally_add(struct tally *tally, const struct tallied_socket *socket)
{
	uint32_t place;
	if (!tally->is_wanted || socket->netns_inode == tally->left_out)
		return 0;
	for (uint32_t i = table_find(&tally->by_inode, socket->inode, &place); i != TABLE_NONE;
	     i = table_next(&tally->by_inode, socket->inode, &place))
		if (inode_key(&tally->others, i) == socket->inode)
			return 0;
	struct tallied_socket *added = vector_add(&tally->others);
	if (!added)
		return -ENOMEM;
	*added = *socket;
	return table_add(&tally->by_inode, socket->inode, tally->others.n - 1);
}

static bool has_half_open(const struct tally *tally, uint64_t netns_inode)
{
	for (uint32_t i = 0; i < tally->half_open.n; i++)
		if (*(const uint64_t *)vector_at(&tally->half_open, i) == netns_inode)
			return true;
	return false;
}

int tally_add_half_open(struct tally *tally, uint64_t netns_inode)
{
	if (has_half_open(tally, netns_inode))
		return 0;
	uint64_t *added = vector_add(&tally->half_open);
	if (!added)
		return -ENOMEM;
	*added = netns_inode;
	return 0;
}

static void count_held(struct tally *tally, const struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		if (socket->holder == NONE || socket->netns >= tally->counts.n)
			continue;
		struct tally_count *count = vector_at(&tally->counts, socket->netns);
		count->n++;
		count->n_tcp += socket->proto == PROTO_TCP && !(socket->flags & SOCKET_MPTCP) &&
				socket->state != STATE_BOUND;
	}
}

static void count_others(struct tally *tally, const struct snapshot *snapshot)
{
	uint32_t netns = 0;
	for (uint32_t i = 0; i < tally->others.n; i++) {
		const struct tallied_socket *socket = vector_at(&tally->others, i);
		for (uint32_t tries = 0; tries < tally->counts.n; tries++) {
			if (snapshot_netns(snapshot, netns)->inode == socket->netns_inode)
				break;
			netns = (netns + 1) % tally->counts.n;
		}
		if (snapshot_netns(snapshot, netns)->inode != socket->netns_inode)
			continue;
		struct tally_count *count = vector_at(&tally->counts, netns);
		count->n++;
		count->n_tcp += socket->is_hashed_tcp;
	}
}

static int count(struct tally *tally, const struct snapshot *snapshot)
{
	if (vector_reserve(&tally->counts, snapshot->netns.n) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < snapshot->netns.n; i++)
		*(struct tally_count *)vector_add(&tally->counts) = (struct tally_count){0};
	count_held(tally, snapshot);
	count_others(tally, snapshot);
	return 0;
}

bool tally_has_all_tcp(struct tally *tally, struct host *host, const struct snapshot *snapshot,
		       uint32_t netns, const struct found_netns *place)
{
	if (!tally->counts.n && (!snapshot->netns.n || count(tally, snapshot) < 0))
		return false;
	if (netns >= tally->counts.n || has_half_open(tally, place->inode))
		return false;
	const struct tally_count *count = vector_at(&tally->counts, netns);
	struct protocols protocols;
	protocols_read(host, place, &protocols);
	debug(JOIN, "namespace %llu: %llu sockets of %llu, %llu TCP of %llu, %llu waiting",
	      (unsigned long long)place->inode, (unsigned long long)count->n,
	      (unsigned long long)protocols.n_sockets, (unsigned long long)count->n_tcp,
	      (unsigned long long)protocols.n[PROTO_TCP],
	      (unsigned long long)protocols.n_time_wait);
	return protocols.is_known && !protocols.n_time_wait && protocols.n_sockets == count->n &&
	       protocols.n[PROTO_TCP] == count->n_tcp;
}

/* To whom a packet goes: the kernel is asked itself. */
#include <errno.h>
#include <linux/netlink.h>

#include "collect/collect.h"
#include "source/netns.h"
#include "source/sock-diag.h"

static int ignore_missing(struct sink *sink, const struct missing *missing)
{
	(void)sink;
	(void)missing;
	return 0;
}

/* A netlink socket in the namespace with @inode. */
static int open_in(struct host *host, uint64_t inode)
{
	cleanup(netns_list_done) struct vector found;
	vector_init(&found, sizeof(struct found_netns));
	struct sink sink = {.missing = ignore_missing};
	int r = netns_find(host, &(struct netns_scope){.choice = NETNS_SELF}, &found, &sink, NULL);
	bool is_own = r >= 0 && found.n && ((struct found_netns *)vector_at(&found, 0))->inode == inode;
	if (r >= 0 && !is_own) {
		netns_list_done(&found);
		r = netns_find(host, &(struct netns_scope){.choice = NETNS_ALL}, &found, &sink, NULL);
	}
	for (uint32_t i = 0; r >= 0 && i < found.n; i++) {
		const struct found_netns *place = vector_at(&found, i);
		if (place->inode == inode)
			return netns_socket(place, NETLINK_SOCK_DIAG);
	}
	return r < 0 ? r : -ENOENT;
}

static uint32_t find_in_snapshot(const struct snapshot *snapshot, const struct socket *chosen, uint32_t netns)
{
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		bool is_same = chosen->inode ? socket->inode == chosen->inode
					     : socket->netns == netns && socket->proto == chosen->proto &&
						       socket->local_port == chosen->local_port && socket->peer_port == chosen->peer_port &&
						       ip_equal(&socket->local, &chosen->local) && ip_equal(&socket->peer, &chosen->peer);
		if (is_same)
			return i;
	}
	return NONE;
}

int collect_delivery(struct host *host, const struct snapshot *snapshot, struct delivery *delivery, struct error *err)
{
	const struct netns *netns = snapshot_netns(snapshot, delivery->netns);
	cleanup(closep) int fd = netns && host->is_live && delivery->has_from ? open_in(host, netns->inode) : -ENOTSUP;
	if (fd >= 0) {
		struct socket packet = {.proto = delivery->proto, .family = delivery->is_v4 ? FAMILY_IPV4 : FAMILY_IPV6,
					.local = delivery->to, .local_port = delivery->to_port,
					.peer = delivery->from, .peer_port = delivery->from_port};
		struct found_socket found;
		int r = sock_diag_lookup(fd, &packet, &found);
		if (r == 0)
			delivery->chosen = find_in_snapshot(snapshot, &found.socket, delivery->netns);
		if (r == -ENOENT)
			delivery->chosen = NONE;
		/* a socket that came after the snapshot cannot be shown: then the rules say what they can */
		delivery->is_by_kernel = r == -ENOENT || (r == 0 && delivery->chosen != NONE);
	}
	int r = delivery_work_out(snapshot, delivery);
	return r < 0 ? error_set(err, r, "work out who gets the packet") : 0;
}

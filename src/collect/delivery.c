/* To whom a packet goes: the kernel is asked, the snapshot tells the candidates. */
#include <errno.h>
#include <linux/netlink.h>

#include "base/debug.h"
#include "collect/collect.h"
#include "source/netns.h"
#include "source/sock-diag.h"

/* A netlink socket in the namespace of that inode. A descriptor or negative errno. */
static int open_inside(struct host *host, const struct netns *netns)
{
	cleanup(netns_list_done) struct vector found;
	struct netns_scope scope = {.choice = !netns || netns->is_self ? NETNS_SELF : NETNS_ALL};

	vector_init(&found, sizeof(struct found_netns));
	int r = netns_find(host, &scope, NULL, &found, NULL, NULL);
	for (uint32_t i = 0; r >= 0 && i < found.n; i++) {
		const struct found_netns *place = vector_at(&found, i);
		if (!netns || place->inode == netns->inode)
			return netns_socket(place, NETLINK_SOCK_DIAG);
	}
	return r < 0 ? r : -ENOENT;
}

static bool is_the_one(const struct socket *socket, const struct socket *answer)
{
	if (socket->cookie && answer->cookie)
		return socket->cookie == answer->cookie;
	if (socket->inode || answer->inode)
		return socket->inode == answer->inode;
	return socket->local_port == answer->local_port && socket->peer_port == answer->peer_port &&
	       ip_equal(&socket->local, &answer->local) && ip_equal(&socket->peer, &answer->peer);
}

static uint32_t find_answer(const struct snapshot *snapshot, const struct delivery *delivery,
			    const struct socket *answer)
{
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		if (socket->netns == delivery->netns && socket->proto == delivery->proto &&
		    is_the_one(socket, answer))
			return i;
	}
	return NONE;
}

/* 0 where the kernel answered; else why not: then the snapshot alone decides. */
static int ask_kernel(struct host *host, const struct snapshot *snapshot, struct delivery *delivery)
{
	struct found_socket answer = {.netns_inode = 0};
	struct socket packet = {
		.proto = delivery->proto,
		.family = delivery->is_v4 ? FAMILY_IPV4 : FAMILY_IPV6,
		.local = delivery->to,
		.local_port = delivery->to_port,
		.peer = delivery->from,
		.peer_port = delivery->from_port,
	};
	if (!delivery->has_from && delivery->is_v4)
		packet.peer = ip_from_v4((const uint8_t[4]){0});

	cleanup(closep) int fd = open_inside(
		host, delivery->netns == NONE ? NULL : snapshot_netns(snapshot, delivery->netns));
	if (fd < 0)
		return fd;
	int r = sock_diag_lookup(fd, &packet, &answer);
	if (r == -ENOENT) {
		delivery->chosen = NONE;
		return 0;
	}
	if (r < 0)
		return r;
	delivery->chosen = find_answer(snapshot, delivery, &answer.socket);
	/* it is newer than the snapshot, or steered to from another port */
	return delivery->chosen == NONE ? -ESTALE : 0;
}

int collect_delivery(struct host *host, const struct snapshot *snapshot, struct delivery *delivery,
		     struct error *err)
{
	int r = delivery_work_out(snapshot, delivery);
	/* What is not for this host reaches no socket, though the lookup alone would find one. */
	if (r >= 0 && delivery->is_local && host->is_live && snapshot->origin == ORIGIN_HOST) {
		int asked = ask_kernel(host, snapshot, delivery);
		debug(SOURCE, "the kernel's choice: %s", asked < 0 ? error_reason(asked) : "told");
		delivery->is_by_kernel = asked >= 0;
		delivery->is_outside = asked == -ESTALE;
		r = delivery_work_out(snapshot, delivery);
	}
	return r < 0 ? error_set(err, r, "work out who gets the packet") : 0;
}

/* Is that very socket still there? */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "act/presence.h"
#include "source/proc-net.h"
#include "source/sock-diag.h"

#define TICK_MS 10

struct looking {
	struct sink sink;
	const struct identity *target;
	bool is_found;
};

const struct found_netns *presence_place(const struct acting *acting, const struct identity *target)
{
	for (uint32_t i = 0; i < acting->places->n; i++) {
		const struct found_netns *place = vector_at(acting->places, i);
		if (place->inode == target->netns)
			return place;
	}
	return NULL;
}

bool presence_is_same(const struct identity *target, const struct socket *socket)
{
	if (target->cookie && socket->cookie)
		return target->cookie == socket->cookie;
	if (target->inode || socket->inode)
		return target->inode == socket->inode;
	return target->local_port == socket->local_port && target->peer_port == socket->peer_port &&
	       ip_equal(&target->local, &socket->local) && ip_equal(&target->peer, &socket->peer);
}

static int on_socket(struct sink *sink, const struct found_socket *found)
{
	struct looking *looking = (struct looking *)sink;
	looking->is_found |= presence_is_same(looking->target, &found->socket);
	return 0;
}

int presence_dump(const struct acting *acting, const struct found_netns *place,
		  const struct query *query, struct sink *sink)
{
	cleanup(closep) int fd = netns_socket(place, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return fd;
	uint32_t absent = 0;
	int r = sock_diag_read(acting->host, fd, query, sink, &absent, NULL);
	if (r >= 0 && absent)
		r = proc_net_read(acting->host, place, absent, query, sink, NULL);
	return r < 0 ? r : 0;
}

int presence_list(const struct acting *acting, const struct identity *target, uint32_t states,
		  struct sink *sink)
{
	struct query query = {.bounds = BOUNDS_ALL};
	query.bounds.protos = 1u << target->proto;
	query.bounds.port_first = query.bounds.port_last = target->local_port;
	query.bounds.states = states;
	const struct found_netns *place = presence_place(acting, target);
	return place ? presence_dump(acting, place, &query, sink) : -ENOENT;
}

int presence_ask(const struct acting *acting, const struct identity *target)
{
	struct looking looking = {.sink = {.socket = on_socket}, .target = target};
	/* a dump of what is bound and does not listen walks over the ports of all namespaces */
	uint32_t states = target->state == STATE_BOUND	  ? 1u << STATE_BOUND
			  : target->state == STATE_LISTEN ? 1u << STATE_LISTEN
							  : STATES_ALL & ~(1u << STATE_BOUND);
	int r = presence_list(acting, target, states, &looking.sink);
	return r < 0 ? r : looking.is_found;
}

bool presence_any(const struct acting *acting, struct step *const *steps, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!steps[i]->is_refused && presence_ask(acting, &steps[i]->target) != 0)
			return true;
	return false;
}

/* A pidfd that has told of its process's end would wake for ever. */
static void forget_ended(struct pollfd *polled, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (polled[i].revents)
			polled[i].fd = -1;
}

void presence_wait(const struct acting *acting, struct step *const *steps, uint32_t n,
		   const int *pidfds, uint32_t n_pidfds, uint64_t until_ns)
{
	cleanup(freep) struct pollfd *polled = calloc(n_pidfds + 1, sizeof(*polled));
	for (uint32_t i = 0; polled && i < n_pidfds; i++)
		polled[i] = (struct pollfd){.fd = pidfds[i], .events = POLLIN};
	while (presence_any(acting, steps, n)) {
		uint64_t now = clock_ns();
		if (now >= until_ns || stop_wanted(acting->stop))
			return;
		uint64_t left_ms = (until_ns - now) / 1000000 + 1;
		poll(polled, polled ? n_pidfds : 0, (int)(left_ms < TICK_MS ? left_ms : TICK_MS));
		if (polled)
			forget_ended(polled, n_pidfds);
	}
}

/* What is open. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "collect/doors.h"

#define HEADS_FIRST 1024

void doors_init(struct doors *doors, struct actors *actors)
{
	*doors = (struct doors){.unused = NONE, .actors = actors};
	vector_init(&doors->all, sizeof(struct door));
}

void doors_done(struct doors *doors)
{
	vector_done(&doors->all);
	free(doors->by_cookie);
	free(doors->by_port);
}

static uint32_t *cookie_head(const struct doors *doors, uint64_t cookie)
{
	return &doors->by_cookie[table_mix(cookie) & (doors->n_heads - 1)];
}

static uint32_t *port_head(const struct doors *doors, uint64_t netns, uint16_t port)
{
	return &doors->by_port[table_mix(netns << 16 | port) & (doors->n_heads - 1)];
}

static bool listens(const struct door *door)
{
	return door->socket.state == STATE_LISTEN;
}

/* Behind the listeners, unless it is one. */
static void link_port(struct doors *doors, uint32_t index)
{
	struct door *door = doors_at(doors, index);
	uint32_t *head = port_head(doors, door->netns, door->socket.local_port);
	uint32_t previous = NONE, next = *head;
	while (!listens(door) && next != NONE && listens(doors_at(doors, next))) {
		previous = next;
		next = doors_at(doors, next)->next_port;
	}
	door->previous_port = previous;
	door->next_port = next;
	if (next != NONE)
		doors_at(doors, next)->previous_port = index;
	if (previous != NONE)
		doors_at(doors, previous)->next_port = index;
	else
		*head = index;
}

static void link_in(struct doors *doors, uint32_t index)
{
	struct door *door = doors_at(doors, index);
	uint32_t *head = cookie_head(doors, door->socket.cookie);
	door->next_cookie = *head;
	*head = index;
	link_port(doors, index);
}

static int grow(struct doors *doors)
{
	uint32_t n = doors->n_heads ? 2 * doors->n_heads : HEADS_FIRST;
	uint32_t *by_cookie = malloc(n * sizeof(*by_cookie));
	uint32_t *by_port = malloc(n * sizeof(*by_port));
	if (!by_cookie || !by_port) {
		free(by_cookie);
		free(by_port);
		return -ENOMEM;
	}
	free(doors->by_cookie);
	free(doors->by_port);
	doors->by_cookie = by_cookie;
	doors->by_port = by_port;
	doors->n_heads = n;
	memset(by_cookie, 0xff, n * sizeof(*by_cookie)); /* NONE */
	memset(by_port, 0xff, n * sizeof(*by_port));
	for (uint32_t i = 0; i < doors->all.n; i++)
		if (doors_at(doors, i)->is_used)
			link_in(doors, i);
	return 0;
}

struct door *doors_find(const struct doors *doors, uint64_t cookie)
{
	if (!doors->n_heads || !cookie)
		return NULL;
	for (uint32_t i = *cookie_head(doors, cookie); i != NONE;
	     i = doors_at(doors, i)->next_cookie)
		if (doors_at(doors, i)->socket.cookie == cookie)
			return doors_at(doors, i);
	return NULL;
}

static void unlink_one(const struct doors *doors, struct door *door)
{
	uint32_t index = (uint32_t)(door - doors_at(doors, 0));
	uint32_t *link = cookie_head(doors, door->socket.cookie);
	while (*link != index)
		link = &doors_at(doors, *link)->next_cookie;
	*link = door->next_cookie;
	if (door->next_port != NONE)
		doors_at(doors, door->next_port)->previous_port = door->previous_port;
	if (door->previous_port != NONE)
		doors_at(doors, door->previous_port)->next_port = door->next_port;
	else
		*port_head(doors, door->netns, door->socket.local_port) = door->next_port;
}

static uint32_t take_place(struct doors *doors)
{
	uint32_t index = doors->unused;
	if (index != NONE) {
		doors->unused = doors_at(doors, index)->next_cookie;
		return index;
	}
	return vector_add(&doors->all) ? doors->all.n - 1 : NONE;
}

struct door *doors_add(struct doors *doors, const struct socket *socket, uint64_t netns,
		       uint32_t actor)
{
	struct door *door = doors_find(doors, socket->cookie);
	if (door) {
		unlink_one(doors, door);
	} else {
		if (doors->n >= doors->n_heads && grow(doors) < 0)
			return NULL;
		uint32_t index = take_place(doors);
		if (index == NONE)
			return NULL;
		door = doors_at(doors, index);
		*door = (struct door){.actor = NONE, .is_used = true};
		doors->n++;
	}
	door->socket = *socket;
	door->netns = netns;
	actors_hold(doors->actors, actor);
	actors_release(doors->actors, door->actor);
	door->actor = actor;
	link_in(doors, (uint32_t)(door - doors_at(doors, 0)));
	return door;
}

void doors_remove(struct doors *doors, struct door *door)
{
	unlink_one(doors, door);
	actors_release(doors->actors, door->actor);
	*door = (struct door){.next_cookie = doors->unused};
	doors->unused = (uint32_t)(door - doors_at(doors, 0));
	doors->n--;
}

struct door *doors_on_port(const struct doors *doors, uint64_t netns, uint16_t port,
			   const struct door *after)
{
	uint32_t i = after	      ? after->next_port
		     : doors->n_heads ? *port_head(doors, netns, port)
				      : NONE;
	for (; i != NONE; i = doors_at(doors, i)->next_port)
		if (doors_at(doors, i)->socket.local_port == port &&
		    doors_at(doors, i)->netns == netns)
			return doors_at(doors, i);
	return NULL;
}

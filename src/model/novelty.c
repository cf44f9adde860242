/* What is new about an event. */
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "model/novelty.h"

/* Who has it open for others now; a door that is closed keeps its place. */
struct door {
	uint64_t key;
	uint32_t n_public;
};

struct novelty {
	struct vector seen;  /* uint64_t: doors with their executables */
	struct vector doors; /* struct door */
	struct table seen_by_key, doors_by_key;
};

static uint64_t key_of_seen(const void *owner, uint32_t index)
{
	const struct novelty *novelty = owner;
	return *(const uint64_t *)vector_at(&novelty->seen, index);
}

static uint64_t key_of_door(const void *owner, uint32_t index)
{
	const struct novelty *novelty = owner;
	return ((const struct door *)vector_at(&novelty->doors, index))->key;
}

struct novelty *novelty_new(void)
{
	struct novelty *novelty = calloc(1, sizeof(*novelty));
	if (!novelty)
		return NULL;
	vector_init(&novelty->seen, sizeof(uint64_t));
	vector_init(&novelty->doors, sizeof(struct door));
	table_init(&novelty->seen_by_key, key_of_seen, novelty);
	table_init(&novelty->doors_by_key, key_of_door, novelty);
	return novelty;
}

void novelty_free(struct novelty *novelty)
{
	if (!novelty)
		return;
	table_done(&novelty->seen_by_key);
	table_done(&novelty->doors_by_key);
	vector_done(&novelty->seen);
	vector_done(&novelty->doors);
	free(novelty);
}

/* 64 bits of a door: two of a million that share one are 1 in 37 million. */
static uint64_t door_key(const struct event *event, const struct socket *socket)
{
	const struct netns *netns = snapshot_netns(event->snapshot, socket->netns);
	return table_mix(table_mix(netns ? netns->inode : 0) ^
			 ((uint64_t)socket->local_port << 8 | socket->proto));
}

static uint64_t with_executable(uint64_t key, const struct event *event,
				const struct socket *socket)
{
	const struct holder *holder = snapshot_holder(event->snapshot, socket->holder);
	const struct process *process =
		holder ? snapshot_process(event->snapshot, holder->process) : NULL;
	const char *text = !process ? "" : process->exe ? process->exe : process->name;
	for (; text && *text; text++)
		key = table_mix(key ^ (unsigned char)*text);
	return key;
}

static bool is_first(struct novelty *novelty, uint64_t key)
{
	uint32_t place, index = table_find(&novelty->seen_by_key, key, &place);
	for (; index != TABLE_NONE; index = table_next(&novelty->seen_by_key, key, &place))
		if (key_of_seen(novelty, index) == key)
			return false;
	if (novelty->seen.n >= NOVELTY_MOST)
		return false;
	uint64_t *added = vector_add(&novelty->seen);
	if (!added)
		return false;
	*added = key;
	if (table_add(&novelty->seen_by_key, key, novelty->seen.n - 1) < 0)
		novelty->seen.n--;
	return true;
}

static struct door *find_door(struct novelty *novelty, uint64_t key)
{
	uint32_t place, index = table_find(&novelty->doors_by_key, key, &place);
	for (; index != TABLE_NONE; index = table_next(&novelty->doors_by_key, key, &place))
		if (key_of_door(novelty, index) == key)
			return vector_at(&novelty->doors, index);
	if (novelty->doors.n >= NOVELTY_MOST)
		return NULL;
	struct door *added = vector_add(&novelty->doors);
	if (!added)
		return NULL;
	*added = (struct door){.key = key};
	if (table_add(&novelty->doors_by_key, key, novelty->doors.n - 1) < 0) {
		novelty->doors.n--;
		return NULL;
	}
	return added;
}

static bool is_public(const struct socket *socket)
{
	enum reach reach = ip_reach(&socket->local);
	return reach == REACH_ANY || reach == REACH_PUBLIC;
}

unsigned novelty_event(struct novelty *novelty, const struct event *event)
{
	const struct socket *socket = event_socket(event);
	if (!socket || socket->state == STATE_BOUND) /* nobody answers there yet */
		return 0;
	uint64_t key = door_key(event, socket);
	struct door *door = is_public(socket) ? find_door(novelty, key) : NULL;
	if (event->kind == EVENT_CLOSED) {
		if (door && door->n_public)
			door->n_public--;
		return 0;
	}
	if (event->kind != EVENT_OPENED &&
	    (event->kind != EVENT_STANDING || socket_has_peer(socket)))
		return 0;
	unsigned what = 0;
	if (is_first(novelty, with_executable(key, event, socket)))
		what |= NOVELTY_FIRST_SEEN;
	if (door && !door->n_public++)
		what |= NOVELTY_PUBLIC;
	return what;
}

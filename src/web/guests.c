/* The connections that are open. One is put out by shutdown(2) alone: evhttp reads the end, and
 * takes it down as if the other side had left. */
#include <stddef.h>
#include <sys/socket.h>

#include "web/guests.h"

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t n = sizeof(cookie);
	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &n) == 0 ? cookie : 0;
}

static bool is_there(const struct guest *guest)
{
	return guest->state != GUEST_NONE && guest->cookie && cookie_of(guest->fd) == guest->cookie;
}

static void put_out(struct guests *guests, struct guest *guest)
{
	shutdown(guest->fd, SHUT_RDWR);
	guest->state = GUEST_NONE;
	guests->n_put_out++;
}

/* Who waited longest goes first; then, where nobody waits, who is served longest: he may never take
 * what he asked for. */
static bool goes_before(const struct guest *guest, const struct guest *other)
{
	if (guest->is_known || !other || guest->state != other->state)
		return !guest->is_known && (!other || guest->state == GUEST_WAITED_FOR);
	return guest->since_ms < other->since_ms;
}

/* A place that nobody has; else NULL, and in *@ret_oldest who may be put out. */
static struct guest *find_place(struct guests *guests, struct guest **ret_oldest)
{
	*ret_oldest = NULL;
	for (unsigned i = 0; i < GUESTS_MAX; i++) {
		struct guest *guest = &guests->all[i];
		if (guest->state == GUEST_NONE)
			return guest;
		if (goes_before(guest, *ret_oldest))
			*ret_oldest = guest;
	}
	return NULL;
}

static void forget_gone(struct guests *guests)
{
	for (unsigned i = 0; i < GUESTS_MAX; i++)
		if (!is_there(&guests->all[i]))
			guests->all[i].state = GUEST_NONE;
}

bool guests_add(struct guests *guests, int fd, uint64_t now_ms)
{
	struct guest *oldest, *place = find_place(guests, &oldest);
	if (!place) {
		forget_gone(guests);
		place = find_place(guests, &oldest);
	}
	if (!place && oldest) {
		put_out(guests, oldest);
		place = oldest;
	}
	if (!place)
		return false;
	*place = (struct guest){
		.fd = fd, .cookie = cookie_of(fd), .since_ms = now_ms, .state = GUEST_WAITED_FOR};
	return true;
}

struct guest *guests_find(struct guests *guests, int fd)
{
	for (unsigned i = 0; i < GUESTS_MAX; i++)
		if (guests->all[i].fd == fd && is_there(&guests->all[i]))
			return &guests->all[i];
	return NULL;
}

bool guests_leave(struct guests *guests, int fd)
{
	bool is_anybody = false;
	for (unsigned i = 0; i < GUESTS_MAX; i++) {
		struct guest *guest = &guests->all[i];
		if (guest->fd == fd)
			guest->state = GUEST_NONE;
		is_anybody |= guest->state != GUEST_NONE;
	}
	return is_anybody;
}

uint64_t guests_sweep(struct guests *guests, uint64_t now_ms)
{
	uint64_t next = UINT64_MAX;
	for (unsigned i = 0; i < GUESTS_MAX; i++) {
		struct guest *guest = &guests->all[i];
		if (guest->state == GUEST_NONE)
			continue;
		if (!is_there(guest)) {
			guest->state = GUEST_NONE;
			continue;
		}
		uint64_t age = now_ms - guest->since_ms, left = GUEST_PATIENCE_MS;
		if (guest->state == GUEST_WAITED_FOR && age >= GUEST_PATIENCE_MS) {
			put_out(guests, guest);
			continue;
		}
		if (guest->state == GUEST_WAITED_FOR)
			left -= age;
		next = left < next ? left : next;
	}
	return next;
}

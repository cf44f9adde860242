/* Without BPF: ends as the kernel tells them to everybody, and openings as two listings differ. */
#include <errno.h>
#include <sys/epoll.h>

#include "collect/following.h"
#include "source/destroyed.h"

#define LIST_NS 500000000u /* between two listings, and at most a tenth of the time */
#define LIST_SHARE 10
#define EARS_MAX 1024

/* One socket that hears of ends. */
struct ear {
	int fd;
	uint64_t netns;
	enum proto proto;
};

void follow_ears_init(struct follow *follow)
{
	vector_init(&follow->ears, sizeof(struct ear));
}

void follow_ears_done(struct follow *follow)
{
	for (uint32_t i = 0; i < follow->ears.n; i++)
		close(((struct ear *)vector_at(&follow->ears, i))->fd);
	vector_done(&follow->ears);
}

static bool is_heard(const struct follow *follow, uint64_t netns)
{
	for (uint32_t i = 0; i < follow->ears.n; i++)
		if (((struct ear *)vector_at(&follow->ears, i))->netns == netns)
			return true;
	return false;
}

static int listen_to(struct follow *follow, const struct found_netns *place, enum proto proto)
{
	int fd = destroyed_open(place, proto);
	struct ear *ear = fd < 0 ? NULL : vector_add(&follow->ears);
	if (!ear) {
		closep(&fd);
		return fd < 0 ? fd : -ENOMEM;
	}
	*ear = (struct ear){fd, place->inode, proto};
	struct epoll_event readable = {.events = EPOLLIN};
	return epoll_ctl(follow->epoll, EPOLL_CTL_ADD, fd, &readable) < 0 ? -errno : 0;
}

static bool is_found(const struct vector *found, uint64_t netns)
{
	for (uint32_t i = 0; i < found->n; i++)
		if (((const struct found_netns *)vector_at(found, i))->inode == netns)
			return true;
	return false;
}

/* Our socket would keep a namespace that has ended otherwise. */
static void let_go(struct follow *follow, const struct vector *found)
{
	struct ear *ears = follow->ears.data;
	for (uint32_t i = follow->ears.n; i-- > 0;) {
		if (is_found(found, ears[i].netns))
			continue;
		close(ears[i].fd);
		ears[i] = ears[--follow->ears.n];
	}
}

/* Namespaces that have come or gone since; those that may not be entered are told of by the
 * listing. */
static int find_ears(struct follow *follow)
{
	cleanup(netns_list_done) struct vector found;
	vector_init(&found, sizeof(struct found_netns));
	int r = netns_find(follow->host, &follow->wish.scope, NULL, &found, NULL, NULL);
	if (r >= 0)
		let_go(follow, &found);
	for (uint32_t i = 0; r >= 0 && i < found.n && follow->ears.n < EARS_MAX; i++) {
		const struct found_netns *place = vector_at(&found, i);
		if (is_heard(follow, place->inode))
			continue;
		if (listen_to(follow, place, PROTO_TCP) == -ENOMEM ||
		    listen_to(follow, place, PROTO_UDP) == -ENOMEM)
			r = -ENOMEM;
	}
	return r == -ENOMEM ? r : 0;
}

/* ---- ends ---- */

struct end_sink {
	struct sink sink;
	struct follow *follow;
};

static int hear(struct sink *sink, const struct found_socket *met)
{
	struct follow *follow = ((struct end_sink *)sink)->follow;
	struct door *door = doors_find(&follow->doors, met->socket.cookie);
	if (!door)
		return 0; /* it came and went between two listings, or was never a door */
	struct door gone = *door;
	doors_remove(&follow->doors, door);
	return follow_tell_difference(follow, &gone, false);
}

static int hear_all(struct follow *follow)
{
	struct end_sink end = {.sink = {.socket = hear}, .follow = follow};
	bool has_lost = false;
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < follow->ears.n; i++) {
		const struct ear *ear = vector_at(&follow->ears, i);
		r = destroyed_read(ear->fd, ear->proto, &end.sink, &has_lost);
	}
	if (r >= 0 && has_lost) {
		follow->look_again_ns = 0;
		r = follow_tell_bare(follow, EVENT_LOST, 1,
				     "ends of sockets came faster than they were read");
	}
	return r;
}

int follow_turn_netlink(struct follow *follow)
{
	int r = hear_all(follow);
	if (r < 0 || follow->now_ns < follow->look_again_ns)
		return r;
	r = find_ears(follow);
	if (r >= 0)
		r = follow_resync(follow, TOLD_BY_NETLINK);
	uint64_t end = follow_uptime(), took = end - follow->now_ns;
	uint64_t rest = LIST_SHARE * took > LIST_NS ? LIST_SHARE * took : LIST_NS;
	follow->look_again_ns = end + rest;
	return r;
}

int follow_start_netlink(struct follow *follow)
{
	static const struct missing blind[] = {
		{WHAT_SOCKETS, WHY_UNSUPPORTED, 0,
		 "without BPF these are not seen: what opens and closes within half a second, "
		 "refused "
		 "binds, failed connects, bytes, how a connection ended"},
		{WHAT_PROCESSES, WHY_UNSUPPORTED, 0,
		 "without BPF a process that ended before the next listing is not known"},
	};
	int r = find_ears(follow);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(blind); i++)
		r = follow_add_missing(follow, &blind[i]);
	follow->look_again_ns = follow->now_ns + LIST_NS;
	return r;
}

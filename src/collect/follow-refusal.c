/* Binds that the kernel refused. A bind begins with a record; one that was granted is told of at
 * once, so what is not by the next bind of that socket, by its release, or after a while, was
 * refused. Why follows from what the socket was, and from what was open at that moment. */
#include <errno.h>

#include "collect/collect.h"
#include "collect/following.h"

#define DECIDED_NS                                                                              \
	45000000u	    /* a bind takes microseconds, but its process may wait for its turn \
			     */
#define ASKED_NS 200000000u /* between two listings of a port that nobody is known to hold */
#define ASKED_AT_ONCE 10    /* when none was for a while */
#define TRIALS_MAX 65536

struct trial {
	struct found_event found;
	struct door in_the_way; /* as it was then; is_used: there is one */
	uint32_t holder;	/* of it: held */
	uint64_t position;	/* in the ring */
};

/* ---- what stands in the way ---- */

static bool is_in_the_way(const struct socket *door, const struct socket *tried)
{
	return door->proto == tried->proto && door->cookie != tried->cookie &&
	       (!door->interface || !tried->interface || door->interface == tried->interface) &&
	       socket_overlaps(door, tried);
}

/* A listener rather than its connections: listeners come first. */
static const struct door *find_in_the_way(const struct follow *follow,
					  const struct found_event *found)
{
	const struct door *door = NULL;
	while ((door = doors_on_port(&follow->doors, found->netns_inode, found->socket.local_port,
				     door)))
		if (is_in_the_way(&door->socket, &found->socket))
			return door;
	return NULL;
}

/* What is no event's: TIME_WAIT, connections that nobody wanted to hear of, the kernel's own. */
static void ask_kernel(struct follow *follow, struct trial *trial)
{
	const struct socket *tried = &trial->found.socket;
	struct query query = {.bounds = BOUNDS_ALL,
			      .needs = NEED_HOLDERS | NEED_STAT | NEED_COOKIE | NEED_V6ONLY,
			      .scope = {.choice = NETNS_ALL}};
	struct snapshot *snapshot = NULL;
	if (follow->asked_ns < follow->now_ns)
		follow->asked_ns = follow->now_ns;
	if (follow->asked_ns - follow->now_ns > (ASKED_AT_ONCE - 1) * (uint64_t)ASKED_NS)
		return;
	follow->asked_ns += ASKED_NS;
	query.bounds.protos = 1u << tried->proto;
	query.bounds.port_first = query.bounds.port_last = tried->local_port;
	if (collect_snapshot(follow->host, &query, &snapshot, NULL) < 0)
		return;
	for (uint32_t i = 0; i < snapshot->sockets.n && !trial->in_the_way.is_used; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		const struct netns *netns = snapshot_netns(snapshot, socket->netns);
		if (!netns || netns->inode != trial->found.netns_inode ||
		    socket->local_port != tried->local_port || !is_in_the_way(socket, tried))
			continue;
		trial->holder = follow_actor_of(follow, snapshot, socket);
		actors_hold(follow->actors, trial->holder);
		trial->in_the_way = (struct door){.socket = *socket,
						  .netns = netns->inode,
						  .actor = trial->holder,
						  .is_used = true};
	}
	snapshot_free(snapshot);
}

/* ---- why ---- */

static bool is_multicast(const struct ip *ip)
{
	return ip_is_mapped(ip) ? ip->bytes[12] >> 4 == 0xe : ip->bytes[0] == 0xff;
}

struct cause {
	int error;
	enum sure sure;
};

static struct cause find_address_cause(const struct socket *tried, const struct netns *netns)
{
	bool is_mapped = tried->family == FAMILY_IPV6 && ip_is_mapped(&tried->local);
	if (is_mapped && tried->flags & SOCKET_V6ONLY)
		return (struct cause){EINVAL, SURE_EXACT};
	/* the scope that a bind names is not seen */
	if (tried->family == FAMILY_IPV6 && !tried->interface &&
	    ip_reach(&tried->local) == REACH_LINK_LOCAL && !is_mapped)
		return (struct cause){EINVAL, SURE_PROBABLE};
	if (!netns || ip_is_any(&tried->local) || is_multicast(&tried->local) ||
	    netns_has_address(netns, &tried->local))
		return (struct cause){0};
	return (struct cause){EADDRNOTAVAIL, SURE_EXACT};
}

static struct cause find_right_cause(const struct trial *trial, const struct netns *netns)
{
	uint16_t port = trial->found.socket.local_port;
	if (netns && port && port < netns->unprivileged_start && trial->found.holder_uid != 0)
		return (struct cause){EACCES, SURE_PROBABLE};
	if (trial->found.had_port)
		return (struct cause){EINVAL, SURE_EXACT};
	return (struct cause){0};
}

/* In the order in which the kernel looks: __inet_bind the address first, __inet6_bind last. */
static struct cause find_cause(struct follow *follow, struct trial *trial)
{
	const struct socket *tried = &trial->found.socket;
	const struct netns *netns = follow_netns(follow, trial->found.netns_inode);
	if (netns && !netns->is_detailed)
		netns = NULL;
	struct cause of_address = find_address_cause(tried, netns),
		     of_right = find_right_cause(trial, netns);
	bool is_right_first = tried->family == FAMILY_IPV6 && of_right.error;
	if (of_address.error && !is_right_first)
		return of_address;
	if (of_right.error)
		return of_right;
	if (!tried->local_port)
		return (struct cause){0, SURE_PROBABLE};
	if (!trial->in_the_way.is_used)
		ask_kernel(follow, trial);
	return (struct cause){EADDRINUSE, trial->in_the_way.is_used ? SURE_EXACT : SURE_PROBABLE};
}

static int tell_refused(struct follow *follow, struct trial *trial)
{
	struct cause cause = find_cause(follow, trial);
	if (!cause.error)
		return 0; /* no port was asked for and none given: IP_BIND_ADDRESS_NO_PORT */
	uint32_t tried_by =
		actors_find_as(follow->actors, trial->found.holder, trial->found.holder_uid);
	bool is_taken = cause.error == EADDRINUSE;
	struct telling telling = {
		.event = {.uptime_ns = trial->found.time_ns,
			  .kind = EVENT_REFUSED,
			  .sure = SURE_EXACT,
			  .error = cause.error,
			  .error_sure = (uint8_t)cause.sure,
			  .duration_ns = EVENT_UNKNOWN,
			  .bytes_sent = EVENT_UNKNOWN,
			  .bytes_received = EVENT_UNKNOWN},
		.socket = trial->found.socket,
		.netns = trial->found.netns_inode,
		.actor = is_taken ? trial->holder : tried_by,
		.by = is_taken && tried_by != trial->holder ? tried_by : NONE,
		.in_the_way = is_taken && trial->in_the_way.is_used ? &trial->in_the_way : NULL,
	};
	if (telling.in_the_way) /* the holder is that of the port */
		telling.socket.held_by = telling.in_the_way->socket.held_by;
	return follow_tell(follow, &telling);
}

/* ---- what is not decided yet ---- */

static void drop(struct follow *follow, uint32_t index)
{
	struct trial *trials = follow->trials.data;
	actors_release(follow->actors, trials[index].holder);
	trials[index] = trials[--follow->trials.n];
}

static int decide(struct follow *follow, uint32_t index)
{
	int r = tell_refused(follow, vector_at(&follow->trials, index));
	drop(follow, index);
	return r;
}

static int add_trial(struct follow *follow, const struct found_event *found)
{
	if (follow->trials.n >= TRIALS_MAX) /* never: of each process at most one is under way */
		return decide(follow, 0);
	struct trial *trial = vector_add(&follow->trials);
	if (!trial)
		return -ENOMEM;
	*trial = (struct trial){
		.found = *found, .holder = NONE, .position = follow_position(follow)};
	const struct door *door = found->socket.local_port ? find_in_the_way(follow, found) : NULL;
	if (door) {
		trial->in_the_way = *door;
		trial->holder = door->actor;
		actors_hold(follow->actors, trial->holder);
	}
	return 0;
}

int follow_tried(struct follow *follow, const struct found_event *found)
{
	int r = follow_settled(follow, found->socket.cookie, true);
	return r < 0 ? r : add_trial(follow, found);
}

int follow_try_again(struct follow *follow, const struct found_event *found)
{
	/* By these alone it was decided then: it may listen or connect meanwhile. */
	if (found->deed != DEED_TRIED && found->deed != DEED_BOUND && found->deed != DEED_CLOSED)
		return 0;
	int r = follow_settled(follow, found->socket.cookie, false);
	return r < 0 || found->deed != DEED_TRIED ? r : add_trial(follow, found);
}

uint64_t follow_undecided(const struct follow *follow)
{
	uint64_t first = follow_position(follow);
	for (uint32_t i = 0; i < follow->trials.n; i++) {
		const struct trial *trial = vector_at(&follow->trials, i);
		first = trial->position < first ? trial->position : first;
	}
	return first;
}

int follow_settled(struct follow *follow, uint64_t cookie, bool is_refused)
{
	for (uint32_t i = follow->trials.n; i-- > 0;) {
		const struct trial *trial = vector_at(&follow->trials, i);
		if (trial->found.socket.cookie != cookie)
			continue;
		if (is_refused)
			return decide(follow, i);
		drop(follow, i);
		return 0;
	}
	return 0;
}

int follow_decide(struct follow *follow)
{
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < follow->trials.n;) {
		const struct trial *trial = vector_at(&follow->trials, i);
		if (follow->now_ns < trial->found.time_ns + DECIDED_NS)
			i++;
		else
			r = decide(follow, i);
	}
	return r;
}

void follow_trials_init(struct follow *follow)
{
	vector_init(&follow->trials, sizeof(struct trial));
}

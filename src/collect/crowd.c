/* A full namespace, looked at beside the pass over descriptors. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/debug.h"
#include "collect/crowd.h"
#include "collect/plan.h"
#include "source/bpf/unheld.h"
#include "source/dump.h"
#include "source/protocols.h"

/* From so many TCP sockets on threads, and the pass, are worth what it takes to start them. */
#define MANY_SOCKETS 4000

/* So long the crowd is watched before it is taken for calm. Nothing waits for it: the pass over
 * descriptors takes longer than all else. */
#define WATCH_NS 3000000

/* Connections that have a process, or wait for it: all others are few, and cost no walk more. */
#define STATES_ALIVE (1u << STATE_ESTABLISHED | 1u << STATE_CLOSE_WAIT)

struct crowd {
	struct host *host;
	struct join *join;
	struct found_netns place; /* its own copy: the list may grow, and move */
	struct query connections, others;
	/* in use, and opened ever, when it began; whether that is known */
	uint64_t n_tcp, opened, began_ns;
	bool knows_opened;
	bool is_calm; /* none is opened meanwhile, as far as is known: counting may do */
	struct unheld_pass *pass;
	struct dump *dump;
};

static const struct found_netns *fullest(struct host *host, const struct vector *found,
					 uint64_t *ret_n)
{
	const struct found_netns *fullest = NULL;
	*ret_n = MANY_SOCKETS;
	for (uint32_t i = 0; i < found->n; i++) {
		struct protocols protocols;
		protocols_read(host, vector_at(found, i), &protocols);
		if (protocols.n[PROTO_TCP] > *ret_n) {
			*ret_n = protocols.n[PROTO_TCP];
			fullest = vector_at(found, i);
		}
	}
	return fullest;
}

/* For few ports one dump is quicker than to tell apart what has a file. */
static bool wants_connections(const struct query *query)
{
	return query->bounds.states & STATES_CONNECTED && query->bounds.protos & 1u << PROTO_TCP &&
	       bounds_has_all_ports(&query->bounds);
}

/* Without room made before it grows as it is filled. */
static void make_room(struct join *join, uint64_t n)
{
	if (bounds_has_all_ports(&join->query->bounds) && n < UINT32_MAX / 2)
		join_reserve(join, (uint32_t)(n + n / 16));
}

struct crowd *crowd_choose(struct host *host, struct join *join, const struct vector *found)
{
	uint64_t n;
	const struct found_netns *place =
		join->query->needs & NEED_TCP_INFO ? NULL : fullest(host, found, &n);
	struct crowd *crowd = place ? calloc(1, sizeof(*crowd)) : NULL;
	if (!crowd)
		return NULL;
	make_room(join, n);
	*crowd = (struct crowd){
		.host = host,
		.join = join,
		.place = *place,
		.connections = *join->query,
		.others = *join->query,
		.n_tcp = n,
		.began_ns = clock_ns(),
	};
	crowd->connections.bounds.states &= STATES_CONNECTED;
	crowd->connections.bounds.protos = 1u << PROTO_TCP;
	const struct bounds *bounds = &join->query->bounds;
	if (wants_connections(join->query) && bounds->states == STATES_ALL &&
	    bounds->families == BOUNDS_ALL.families)
		crowd->knows_opened = protocols_opened(host, place, &crowd->opened);
	return crowd;
}

/* Was no connection opened in the time in which a busy host opens one? */
static bool seems_calm(const struct crowd *crowd)
{
	uint64_t opened, past = clock_ns() - crowd->began_ns;
	if (!crowd->knows_opened)
		return false;
	struct timespec rest = {.tv_nsec = past < WATCH_NS ? (long)(WATCH_NS - past) : 0};
	nanosleep(&rest, NULL);
	return protocols_opened(crowd->host, &crowd->place, &opened) && opened == crowd->opened;
}

void crowd_start(struct crowd *crowd)
{
	const struct query *query = crowd->join->query;
	if (wants_connections(query)) {
		crowd->is_calm = seems_calm(crowd);
		crowd->others.tcp_told = crowd->is_calm ? STATES_ALIVE : STATES_CONNECTED;
		if (!crowd->is_calm)
			crowd->pass = unheld_start_tcp(crowd->host, &crowd->place, query);
	}
	if (!crowd->join->packed) /* a stream keeps no second copy */
		crowd->dump = dump_start(crowd->host, &crowd->place, &crowd->others);
}

const struct found_netns *crowd_place(const struct crowd *crowd)
{
	return crowd ? &crowd->place : NULL;
}

/* The sum that unheld_finish_tcp() gives, of the sockets that have a holder here. */
static uint64_t held_sum(const struct join *join, uint32_t netns)
{
	uint64_t sum = 0;
	struct join_walk walk = {0};
	while (join_walk(join, &walk)) {
		const struct socket *socket = walk.socket;
		if (socket->netns == netns && socket->proto == PROTO_TCP && walk.is_held &&
		    socket->state != STATE_BOUND && socket->state != STATE_LISTEN)
			sum += socket->inode;
	}
	return sum;
}

/* True where what has a file is what is held here: then it need not be dumped. */
static int finish_pass(struct crowd *crowd, bool *ret_agree)
{
	struct join *join = crowd->join;
	uint64_t sum = 0, held = held_sum(join, join->current);
	struct error refused = {0};
	int r = unheld_finish_tcp(TAKE_POINTER(crowd->pass), &join->sink, &sum, &refused);
	debug(JOIN, "inodes of connections: %llu in BPF, %llu here%s%s", (unsigned long long)sum,
	      (unsigned long long)held, r < 0 ? ": " : "", refused.what);
	*ret_agree = r >= 0 && sum == held;
	join->told_tcp = r >= 0 ? join->current : NONE;
	return r == -ENOMEM ? r : 0;
}

/* How many there are here of the TCP sockets that the kernel counts as in use. */
static uint64_t count_in_use(const struct join *join)
{
	uint64_t n = 0;
	struct join_walk walk = {0};
	while (join_walk(join, &walk)) {
		const struct socket *socket = walk.socket;
		bool is_half_open = socket->state == STATE_SYN_RECV && !walk.is_held;
		n += socket->netns == join->current && socket->proto == PROTO_TCP &&
		     socket->state != STATE_BOUND && socket->state != STATE_TIME_WAIT &&
		     !is_half_open;
	}
	return n;
}

/* Where no connection was opened since the call began, and what is here is as many as the kernel
 * had in use then and has now, nothing is left to be found. */
static bool has_all(const struct crowd *crowd)
{
	uint64_t opened, n = count_in_use(crowd->join);
	struct protocols protocols;
	protocols_read(crowd->host, &crowd->place, &protocols);
	debug(JOIN, "%llu TCP sockets of %llu, of %llu before", (unsigned long long)n,
	      (unsigned long long)protocols.n[PROTO_TCP], (unsigned long long)crowd->n_tcp);
	return protocols.is_known && !protocols.n_mptcp && n == protocols.n[PROTO_TCP] &&
	       n == crowd->n_tcp && protocols_opened(crowd->host, &crowd->place, &opened) &&
	       opened == crowd->opened;
}

static int finish_connections(struct crowd *crowd, struct error *err)
{
	bool agree = false;
	int r = 0;
	if (!crowd->pass)
		crowd->pass = unheld_start_tcp(crowd->host, &crowd->place, crowd->join->query);
	if (crowd->pass)
		r = finish_pass(crowd, &agree);
	if (r >= 0 && !agree)
		r = dump_read(crowd->host, &crowd->place, &crowd->connections, &crowd->join->sink,
			      err);
	return r;
}

int crowd_finish(struct crowd *crowd, struct error *err)
{
	struct join *join = crowd->join;
	join->current = join_netns(join, crowd->place.inode);
	int r = join->current == NONE ? -ENOMEM : 0;
	if (r >= 0 && crowd->dump)
		r = dump_finish(TAKE_POINTER(crowd->dump), &join->sink, err);
	else if (r >= 0)
		r = dump_read(crowd->host, &crowd->place, &crowd->others, &join->sink, err);
	if (r >= 0 && wants_connections(join->query) && !(crowd->is_calm && has_all(crowd)))
		r = finish_connections(crowd, err);
	debug(JOIN, "%u sockets with the crowd", join_n(join));
	crowd_abandon(crowd);
	return r;
}

static int ignore_socket(struct sink *sink unused_argument,
			 const struct found_socket *found unused_argument)
{
	return 0;
}

void crowd_abandon(struct crowd *crowd)
{
	if (!crowd)
		return;
	uint64_t sum;
	struct sink nowhere = {.socket = ignore_socket};
	if (crowd->pass)
		unheld_finish_tcp(crowd->pass, &nowhere, &sum, NULL);
	if (crowd->dump)
		dump_finish(crowd->dump, NULL, NULL);
	free(crowd);
}

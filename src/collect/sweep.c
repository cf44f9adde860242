/* All sockets and holders of a host put into a join. With BPF the pass over all descriptors comes
 * first: it carries sockets and holders of all namespaces, so a socket that lives through the call
 * is never missed; dumps then add what no process holds. Without it the dumps come first, the /proc
 * walk second, and a descriptor whose socket no dump has shown is asked directly. */
#include <errno.h>

#include "base/debug.h"
#include "base/privilege.h"
#include "collect/plan.h"
#include "collect/sweep.h"
#include "source/bpf/files.h"
#include "source/bpf/record.h"
#include "source/bpf/unheld.h"
#include "source/descriptor.h"
#include "source/netns.h"
#include "source/proc-net.h"
#include "source/proc.h"
#include "source/sock-diag.h"

#define STRAYS_MAX 65536 /* asked one by one; more are told as missing */
#define THREADS 2

/* In this namespace a pass over its sockets in BPF is cheaper than a dump of them. */
#define MANY_SOCKETS 4000

static int dump_namespace(struct host *host, struct join *join, const struct found_netns *place,
			  const struct query *query, struct error *err)
{
	join->current = join_netns(join, place->inode);
	if (join->current == NONE)
		return -ENOMEM;

	cleanup(closep) int fd = netns_socket(place, NETLINK_SOCK_DIAG);
	if (fd == -EPERM || fd == -EACCES)
		return 0; /* told by netns_find */
	if (fd < 0)
		return error_set(err, fd, "open a netlink socket");

	uint32_t absent = 0;
	int r = sock_diag_read(host, fd, query, &join->sink, &absent, err);
	if (r >= 0 && absent)
		r = proc_net_read(host, place, absent, query, &join->sink, err);
	return r;
}

static bool is_listed(const struct vector *found, uint64_t inode)
{
	for (uint32_t i = 0; i < found->n; i++)
		if (((struct found_netns *)vector_at(found, i))->inode == inode)
			return true;
	return false;
}

static int list_namespace(struct join *join, struct vector *found, const struct found_netns *place)
{
	struct found_netns *added = vector_add(found);
	if (!added || join_netns(join, place->inode) == NONE)
		return -ENOMEM;
	*added = *place;
	return 0;
}

/* The namespaces that no list has: those that are a descriptor, and those of sockets, entered
 * through one of them. */
static int find_namespaces(struct host *host, struct join *join, struct vector *found,
			   uint32_t known)
{
	const struct snapshot *snapshot = join->snapshot;
	int r = 0;
	for (uint32_t i = 0; r >= 0 && !join->is_scoped && i < join->doors.n; i++) {
		const struct stray *door = vector_at(&join->doors, i);
		struct found_netns place;
		if (!is_listed(found, door->inode) &&
		    netns_of_descriptor(host, door->pid, door->fd, &place) == 0)
			r = list_namespace(join, found, &place);
	}
	for (uint32_t i = 0; r >= 0 && known < snapshot->netns.n && i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		const struct holder *holder = snapshot_holder(snapshot, socket->holder);
		if (socket->netns < known || socket->netns == NONE || !holder ||
		    is_listed(found, snapshot_netns(snapshot, socket->netns)->inode))
			continue;
		struct found_netns place;
		int32_t pid = snapshot_process(snapshot, holder->process)->pid;
		if (netns_of_socket(host, pid, holder->fd, &place) == 0)
			r = list_namespace(join, found, &place);
	}
	return r;
}

/* The sum that unheld_finish_tcp gives, of the sockets that have a holder here. */
static uint64_t held_sum(const struct join *join, uint32_t netns)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < join->snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(join->snapshot, i);
		if (socket->netns == netns && socket->proto == PROTO_TCP &&
		    socket->holder != NONE && socket->state != STATE_BOUND &&
		    socket->state != STATE_LISTEN)
			sum += socket->inode;
	}
	return sum;
}

/* What no process holds in one namespace: from a dump, in which sockets that are there already are
 * only completed. Where a pass in BPF has shown what no file holds, and that every connection with
 * a file has its holder, the connections need not be dumped. */
static int add_unheld(struct host *host, struct join *join, const struct found_netns *place,
		      struct unheld_pass *pass, struct error *err)
{
	struct query query = *join->query;
	join->current = join_netns(join, place->inode);
	if (join->current == NONE)
		return -ENOMEM;
	if (pass) {
		uint64_t sum = 0, held = held_sum(join, join->current);
		struct error refused = {0};
		int r = unheld_finish_tcp(pass, &join->sink, &sum, &refused);
		if (r == -ENOMEM)
			return r;
		debug(JOIN, "inodes of connections: %llu in BPF, %llu here%s%s",
		      (unsigned long long)sum, (unsigned long long)held, r < 0 ? ": " : "",
		      refused.what);
		if (r >= 0 && sum == held)
			query.bounds.states &= ~STATES_CONNECTED;
	}
	return dump_namespace(host, join, place, &query, err);
}

/* Which sockets of the namespace have an inode but no holder. */
static void find_leftover(const struct join *join, uint32_t netns, bool *ret_tcp, bool *ret_udp)
{
	*ret_tcp = *ret_udp = false;
	for (uint32_t i = 0; i < join->snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(join->snapshot, i);
		if (socket->netns != netns || !socket->inode || socket->holder != NONE ||
		    socket->held_by)
			continue;
		*ret_tcp |= socket->proto == PROTO_TCP;
		*ret_udp |= socket->proto == PROTO_UDP;
	}
}

/* The kernel's own sockets are told from the unseen by their file, which only BPF shows. A TCP
 * socket of our own namespace is not worth the 2 ms where there is a process that nobody may
 * inspect: it is that process's. */
static void tell_kernel_sockets(struct host *host, struct join *join, const struct vector *found)
{
	struct facility facility;
	if (!files_probe(host, &facility))
		return;
	cleanup(unheld_done) struct unheld unheld = {0};
	for (uint32_t i = 0; i < found->n; i++) {
		bool tcp, udp;
		struct error ignored = {0};
		const struct found_netns *place = vector_at(found, i);
		join->current = join_netns(join, place->inode);
		if (join->current == NONE)
			return;
		find_leftover(join, join->current, &tcp, &udp);
		if (tcp && !(join->has_refused && place->is_self))
			unheld_read(&unheld, host, place, join->query, PROTO_TCP, &join->sink,
				    &ignored);
		if (udp)
			unheld_read(&unheld, host, place, join->query, PROTO_UDP, &join->sink,
				    &ignored);
		if (ignored.code)
			debug(BPF, "%s", ignored.what);
	}
}

static int ignore_socket(struct sink *sink unused_argument,
			 const struct found_socket *found unused_argument)
{
	return 0;
}

/* The one namespace whose connections are so many that a pass in BPF beside the other is worth a
 * thread; NONE: there is none. */
static uint32_t crowded_namespace(struct host *host, const struct query *query,
				  const struct vector *found)
{
	if (!(query->bounds.states & STATES_CONNECTED) ||
	    !(query->bounds.protos & 1u << PROTO_TCP) || query->needs & NEED_TCP_INFO)
		return NONE;
	uint64_t most = MANY_SOCKETS;
	uint32_t crowded = NONE;
	for (uint32_t i = 0; i < found->n; i++) {
		uint64_t in_use = sock_diag_in_use(host, vector_at(found, i));
		if (in_use > most) {
			most = in_use;
			crowded = i;
		}
	}
	return crowded;
}

static int read_files(struct host *host, struct join *join, struct error *err)
{
	cleanup(vector_done) struct vector rings;
	vector_init(&rings, sizeof(struct found_ring));
	int r = files_read(host, join->query, &join->sink, &rings, err);
	for (uint32_t i = 0; r >= 0 && i < rings.n; i++) {
		const struct found_ring *ring = vector_at(&rings, i);
		r = proc_read_ring(host, ring->pid, ring->fd, &join->sink);
	}
	return r;
}

static int sweep_bpf(struct host *host, struct join *join, struct vector *found, struct error *err)
{
	char link[64];
	uint32_t known = join->snapshot->netns.n,
		 crowded = crowded_namespace(host, join->query, found);
	struct found_netns place = {.fd = -1};
	struct unheld_pass *pass = NULL;
	if (crowded != NONE) {
		place = *(struct found_netns *)vector_at(found, crowded);
		pass = unheld_start_tcp(host, &place, join->query);
	}
	join->has_refused = host_readlink(host, link, sizeof(link), "proc/1/ns/net") < 0;
	int r = read_files(host, join, err);
	if (r >= 0)
		r = find_namespaces(host, join, found, known);
	for (uint32_t i = 0; r >= 0 && i < found->n; i++) {
		r = add_unheld(host, join, vector_at(found, i), i == crowded ? pass : NULL, err);
		pass = i == crowded ? NULL : pass;
	}
	if (pass) { /* broken off before */
		uint64_t sum;
		struct sink nowhere = {.socket = ignore_socket};
		unheld_finish_tcp(pass, &nowhere, &sum, NULL);
	}
	if (r >= 0)
		r = join_strays(join);
	if (r >= 0)
		tell_kernel_sockets(host, join, found);
	return r;
}

/* Descriptors whose socket no dump has shown are asked directly: most are of other families. */
static int ask_strays(struct host *host, struct join *join)
{
	uint64_t n_refused = 0;
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < join->strays.n && i < STRAYS_MAX; i++) {
		const struct stray *stray = vector_at(&join->strays, i);
		struct found_socket asked;
		if (join_find(join, stray->inode) != NONE) {
			r = join->sink.holder(&join->sink, stray->inode, stray->pid, stray->fd);
			continue;
		}
		int told = descriptor_ask(host, stray->pid, stray->fd, stray->inode, &asked);
		if (told == 0)
			r = join->sink.held(&join->sink, &asked, stray->pid, stray->fd);
		n_refused += told == -EPERM;
	}
	if (join->strays.n > STRAYS_MAX)
		n_refused += join->strays.n - STRAYS_MAX;
	debug(JOIN, "%u strays, %llu refused", join->strays.n, (unsigned long long)n_refused);
	return r < 0 ? r : 0;
}

static int sweep_proc(struct host *host, struct join *join, struct vector *found, struct error *err)
{
	uint32_t known = join->snapshot->netns.n;
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < found->n; i++)
		r = dump_namespace(host, join, vector_at(found, i), join->query, err);
	if (r >= 0 && join->query->needs & NEED_HOLDERS)
		r = proc_walk(host, join->query, THREADS, &join->sink, err);
	if (r >= 0)
		r = join_strays(join);
	if (r >= 0)
		r = ask_strays(host, join);
	if (r < 0)
		return r;

	/* what a descriptor led to is dumped too: it may hold more than that socket */
	uint32_t listed = found->n;
	r = find_namespaces(host, join, found, known);
	for (uint32_t i = listed; r >= 0 && i < found->n; i++)
		r = dump_namespace(host, join, vector_at(found, i), join->query, err);
	if (r >= 0)
		r = join_strays(join);
	if (r >= 0 && join->query->needs & NEED_HOLDERS)
		tell_kernel_sockets(host, join, found);
	return r < 0 ? r : 0;
}

int sweep_sockets(struct host *host, struct join *join, struct vector *found, struct error *err)
{
	enum source_choice choice = join->query->source;
	if (choice == SOURCE_AUTO) {
		/* who may not read others' descriptors sees them through BPF alone */
		struct facility facility;
		bool may = join->query->needs & NEED_HOLDERS && files_probe(host, &facility);
		bool is_worth =
			may &&
			(!privilege_sees_others() ||
			 plan_prefers_bpf(proc_count_descriptors(host, PLAN_DESCRIPTORS_ENOUGH)));
		choice = is_worth ? SOURCE_BPF : SOURCE_PROC;
	}
	debug(PLAN, "holders come from %s", choice == SOURCE_BPF ? "bpf" : "proc");

	if (choice == SOURCE_BPF) {
		struct error refused = {0};
		int r = sweep_bpf(host, join, found, &refused);
		if (r >= 0 || join->query->source == SOURCE_BPF || join->snapshot->sockets.n) {
			if (r < 0 && err)
				*err = refused;
			return r;
		}
		debug(BPF, "%s", refused.what);
	}
	return sweep_proc(host, join, found, err);
}

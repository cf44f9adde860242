/* All sockets and holders of a host put into a join. With BPF the pass over all descriptors comes
 * first: it carries sockets and holders of all namespaces, so a socket that lives through the call
 * is never missed; dumps then add what no process holds. Without it the dumps come first, the /proc
 * walk second, and a descriptor whose socket no dump has shown is asked directly. */
#include <errno.h>
#include <linux/capability.h>

#include "base/debug.h"
#include "base/privilege.h"
#include "collect/again.h"
#include "collect/census.h"
#include "collect/crowd.h"
#include "collect/plan.h"
#include "collect/sweep.h"
#include "source/bpf/files.h"
#include "source/bpf/record.h"
#include "source/bpf/unheld.h"
#include "source/descriptor.h"
#include "source/dump.h"
#include "source/netns.h"
#include "source/proc.h"

#define STRAYS_MAX 65536 /* asked one by one; more are told as missing */
#define THREADS 2

static int dump_namespace(struct host *host, struct join *join, const struct found_netns *place,
			  struct error *err)
{
	join->current = join_netns(join, place->inode);
	return join->current == NONE ? -ENOMEM
				     : dump_read(host, place, join->query, &join->sink, err);
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
		if (is_listed(found, door->inode) ||
		    netns_of_descriptor(host, door->pid, door->fd, &place) < 0)
			continue;
		if (place.inode == door->inode)
			r = list_namespace(join, found, &place);
		else
			close(place.fd);
	}
	struct join_walk walk = {0};
	while (r >= 0 && known < snapshot->netns.n && join_walk(join, &walk)) {
		uint32_t netns = walk.socket->netns;
		int32_t pid, fd;
		if (netns < known || netns == NONE ||
		    is_listed(found, snapshot_netns(snapshot, netns)->inode) ||
		    !join_walk_holder(join, &walk, &pid, &fd))
			continue;
		struct found_netns place;
		if (netns_of_socket(host, pid, fd, &place) == 0)
			r = list_namespace(join, found, &place);
	}
	return r;
}

/* Which sockets of the namespace have an inode but no holder. A TCP socket of the host's namespace
 * is not worth the 2 ms where there is a process that nobody may inspect and no port was asked for:
 * it is that process's, but for those of MPTCP, which the kernel makes itself. */
static void find_leftover(const struct join *join, const struct found_netns *place, bool *ret_tcp,
			  bool *ret_udp)
{
	bool is_spared = join->has_refused && place->is_initial &&
			 bounds_has_all_ports(&join->query->bounds);
	*ret_tcp = *ret_udp = false;
	struct join_walk walk = {0};
	while (join_walk(join, &walk)) {
		const struct socket *socket = walk.socket;
		if (socket->netns != join->current || !socket->inode || walk.is_held ||
		    socket->held_by == HELD_KERNEL)
			continue;
		*ret_tcp |=
			socket->proto == PROTO_TCP && (!is_spared || socket->flags & SOCKET_MPTCP);
		*ret_udp |= socket->proto == PROTO_UDP;
	}
}

/* The kernel's own sockets are told from the unseen by their file, which only BPF shows. */
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
		find_leftover(join, place, &tcp, &udp);
		if (tcp && join->current != join->told_tcp)
			unheld_read(&unheld, host, place, join->query, PROTO_TCP, &join->sink,
				    &ignored);
		if (udp)
			unheld_read(&unheld, host, place, join->query, PROTO_UDP, &join->sink,
				    &ignored);
		if (ignored.code)
			debug(BPF, "%s", ignored.what);
	}
}

/* In other namespaces than our own and the crowd's (@crowd_inode) all sockets are counted, where
 * that may save the walk over the kernel's tables. */
static struct query query_of_pass(const struct query *query, uint32_t own_inode,
				  uint32_t crowd_inode)
{
	struct query pass = *query;
	bool walks_tables = query->bounds.protos & 1u << PROTO_TCP &&
			    query->bounds.states & (STATES_CONNECTED | 1u << STATE_BOUND);
	if (walks_tables && query->scope.choice == NETNS_ALL) {
		pass.not_tallied[0] = own_inode;
		pass.not_tallied[1] = crowd_inode;
	}
	return pass;
}

struct files_pass *sweep_start(struct host *host, const struct query *query)
{
	if (!(query->needs & NEED_HOLDERS) || !census_is_worth(host, query))
		return NULL;
	uint32_t own = (uint32_t)netns_own_inode();
	struct query pass = query_of_pass(query, own, own);
	return files_start(host, &pass);
}

static int read_files(struct host *host, struct join *join, struct files_pass *files,
		      const struct query *query, struct error *err)
{
	cleanup(vector_done) struct vector rings;
	vector_init(&rings, sizeof(struct found_ring));
	int r = files ? files_finish(files, &join->sink, &rings, err)
		      : files_read(host, query, &join->sink, &rings, err);
	for (uint32_t i = 0; r >= 0 && i < rings.n; i++) {
		const struct found_ring *ring = vector_at(&rings, i);
		r = proc_read_ring(host, ring->pid, ring->fd, &join->sink);
	}
	debug(JOIN, "%u sockets of descriptors", join_n(join));
	return r;
}

/* What no process holds in a namespace that has no threads of its own. */
static int add_unheld(struct host *host, struct join *join, const struct found_netns *place,
		      struct error *err)
{
	struct query query = *join->query;
	join->current = join_netns(join, place->inode);
	if (join->current == NONE)
		return -ENOMEM;
	if (join->tally.is_wanted && !place->is_self &&
	    tally_has_all_tcp(&join->tally, host, join->snapshot, join->current, place))
		query.bounds.protos &= ~(1u << PROTO_TCP);
	return dump_read(host, place, &query, &join->sink, err);
}

static int sweep_bpf(struct host *host, struct join *join, struct vector *found,
		     struct files_pass *files, struct error *err)
{
	char link[64];
	uint32_t known = join->snapshot->netns.n, own = (uint32_t)netns_own_inode();
	struct crowd *crowd = crowd_choose(host, join, found);
	uint32_t full = crowd ? (uint32_t)crowd_place(crowd)->inode : own;
	struct query query = query_of_pass(join->query, own, full);
	join->tally.is_wanted = query.not_tallied[0];
	join->tally.left_out = full;
	if (!files && crowd)
		files = files_start(host, &query);
	if (crowd)
		crowd_start(crowd);
	join->has_refused = host_readlink(host, link, sizeof(link), "proc/1/ns/net") < 0;
	int r = read_files(host, join, files, &query, err);
	if (r >= 0)
		r = find_namespaces(host, join, found, known);
	for (uint32_t i = 0; r >= 0 && i < found->n; i++) {
		const struct found_netns *place = vector_at(found, i);
		if (crowd && crowd_place(crowd)->inode == place->inode)
			r = crowd_finish(TAKE_POINTER(crowd), err);
		else
			r = add_unheld(host, join, place, err);
	}
	crowd_abandon(crowd);
	if (r >= 0)
		r = join_strays(join);
	if (r >= 0)
		r = again_look(host, join, found, true);
	if (r >= 0)
		tell_kernel_sockets(host, join, found);
	return r;
}

struct bound_sink {
	struct sink sink;
	uint32_t inode;
	bool is_there;
};

static int note_bound(struct sink *sink, const struct found_socket *found)
{
	struct bound_sink *bound = (struct bound_sink *)sink;
	bound->is_there |= found->socket.inode == bound->inode;
	return 0;
}

/* A TCP socket at rest tells its port also when it has given it back, as one that was a listener
 * and was ended: the kernel's list of bound sockets has it or not. */
static bool is_bound(struct host *host, const struct vector *found,
		     const struct found_socket *asked)
{
	struct bound_sink bound = {.sink = {.socket = note_bound}, .inode = asked->socket.inode};
	struct query query = {.bounds = BOUNDS_ALL, .lacks_mptcp = true};
	query.bounds.protos = 1u << PROTO_TCP;
	query.bounds.states = 1u << STATE_BOUND;
	query.bounds.port_first = query.bounds.port_last = asked->socket.local_port;
	for (uint32_t i = 0; i < found->n; i++) {
		const struct found_netns *place = vector_at(found, i);
		if (place->inode == asked->netns_inode)
			return dump_read(host, place, &query, &bound.sink, NULL) < 0 ||
			       bound.is_there;
	}
	return true; /* it cannot be asked there */
}

/* Descriptors whose socket no dump has shown are asked directly: most are of other families. */
static int ask_strays(struct host *host, struct join *join, const struct vector *found)
{
	struct descriptor_here here = {0};
	uint64_t n_refused = 0;
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < join->strays.n && i < STRAYS_MAX; i++) {
		const struct stray *stray = vector_at(&join->strays, i);
		struct found_socket asked;
		if (join_find(join, stray->inode) != NONE) {
			r = join->sink.holder(&join->sink, stray->inode, stray->pid, stray->fd);
			continue;
		}
		int told = descriptor_ask(host, &here, stray->pid, stray->fd, stray->inode, &asked);
		if (told == 0 && asked.socket.state == STATE_BOUND &&
		    asked.socket.proto == PROTO_TCP && !is_bound(host, found, &asked))
			continue;
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
		r = dump_namespace(host, join, vector_at(found, i), err);
	if (r >= 0 && join->query->needs & NEED_HOLDERS)
		r = proc_walk(host, join->query, THREADS, &join->sink, err);
	if (r >= 0)
		r = join_strays(join);
	if (r >= 0)
		r = ask_strays(host, join, found);
	if (r < 0)
		return r;

	/* what a descriptor led to is dumped too: it may hold more than that socket */
	uint32_t listed = found->n;
	r = find_namespaces(host, join, found, known);
	for (uint32_t i = listed; r >= 0 && i < found->n; i++)
		r = dump_namespace(host, join, vector_at(found, i), err);
	if (r >= 0)
		r = join_strays(join);
	if (r >= 0 && join->query->needs & NEED_HOLDERS)
		r = again_look(host, join, found, false);
	if (r >= 0 && join->query->needs & NEED_HOLDERS)
		tell_kernel_sockets(host, join, found);
	return r < 0 ? r : 0;
}

int sweep_sockets(struct host *host, struct join *join, struct vector *found,
		  struct files_pass *files, struct error *err)
{
	enum source_choice choice = files ? SOURCE_BPF : join->query->source;
	if (choice == SOURCE_AUTO) {
		/* who may not read others' descriptors sees them through BPF alone */
		struct facility facility;
		bool may = join->query->needs & NEED_HOLDERS && files_probe(host, &facility);
		bool is_worth =
			may &&
			(host->keeps_programs || !privilege_sees_others() ||
			 join->n_processes >= PLAN_PROCESSES_ENOUGH ||
			 plan_prefers_bpf(proc_count_descriptors(host, PLAN_DESCRIPTORS_ENOUGH)));
		choice = is_worth ? SOURCE_BPF : SOURCE_PROC;
	}
	debug(PLAN, "holders come from %s", choice == SOURCE_BPF ? "bpf" : "proc");

	if (choice == SOURCE_BPF) {
		struct error refused = {0};
		int r = sweep_bpf(host, join, found, files, &refused);
		if (r >= 0 || join->query->source == SOURCE_BPF || join_n(join)) {
			if (r < 0 && err) {
				*err = refused;
				if (!err->hint[0] && !privilege_has(CAP_SYS_ADMIN))
					error_hint(err, "run it with sudo, or without --source");
			}
			return r;
		}
		debug(BPF, "%s", refused.what);
	}
	return sweep_proc(host, join, found, err);
}

/* What else the holders of a target serve. */
#include <errno.h>

#include "act/beside.h"
#include "base/vector.h"
#include "source/proc.h"
#include "source/sock-diag.h"

#define PROCESSES_MAX 256 /* whose descriptors are read for it */

struct held {
	uint32_t inode;
	int32_t pid;
};

struct finding {
	struct sink sink;
	const struct snapshot *snapshot;
	const uint32_t *sockets;
	uint32_t n;
	struct vector pids; /* int32_t: looked at already */
	struct vector held; /* struct held: sockets that are no targets */
	struct vector *ret;
};

static bool is_target(const struct finding *finding, uint32_t inode)
{
	for (uint32_t i = 0; i < finding->n; i++)
		if (snapshot_socket(finding->snapshot, finding->sockets[i])->inode == inode)
			return true;
	return false;
}

static int on_holder(struct sink *sink, uint32_t inode, int32_t pid, int32_t fd)
{
	struct finding *finding = (struct finding *)sink;
	(void)fd;
	if (is_target(finding, inode))
		return 0;
	struct held *added = vector_add(&finding->held);
	if (!added)
		return -ENOMEM;
	*added = (struct held){inode, pid};
	return 0;
}

static int on_socket(struct sink *sink, const struct found_socket *found)
{
	struct finding *finding = (struct finding *)sink;
	for (uint32_t i = 0; i < finding->held.n; i++) {
		const struct held *held = vector_at(&finding->held, i);
		if (held->inode != found->socket.inode)
			continue;
		struct beside *added = vector_add(finding->ret);
		if (!added)
			return -ENOMEM;
		*added = (struct beside){held->pid, found->socket};
	}
	return 0;
}

static int read_process(struct host *host, struct finding *finding, int32_t pid)
{
	for (uint32_t i = 0; i < finding->pids.n; i++)
		if (*(const int32_t *)vector_at(&finding->pids, i) == pid)
			return 0;
	if (finding->pids.n == PROCESSES_MAX)
		return 0;
	int32_t *added = vector_add(&finding->pids);
	if (!added)
		return -ENOMEM;
	*added = pid;
	return proc_read_process(host, pid, &finding->sink) == -ENOMEM ? -ENOMEM : 0;
}

static int read_processes(struct host *host, struct finding *finding)
{
	const struct snapshot *snapshot = finding->snapshot;
	int r = 0;
	for (uint32_t i = 0; i < finding->n; i++)
		for (const struct holder *holder = snapshot_holder(
			     snapshot, snapshot_socket(snapshot, finding->sockets[i])->holder);
		     r >= 0 && holder; holder = snapshot_holder(snapshot, holder->next))
			r = read_process(host, finding,
					 snapshot_process(snapshot, holder->process)->pid);
	return r;
}

/* Which of their sockets are doors. */
static int read_doors(struct host *host, const struct netns_scope *scope, struct finding *finding)
{
	cleanup(netns_list_done) struct vector places;
	struct query query = {.bounds = BOUNDS_ALL};
	query.bounds.states = 1u << STATE_LISTEN | 1u << STATE_UNCONN;
	query.bounds.protos = 1u << PROTO_TCP | 1u << PROTO_UDP;
	vector_init(&places, sizeof(struct found_netns));
	int r = netns_find(host, scope, NULL, &places, NULL, NULL);
	for (uint32_t i = 0; r >= 0 && i < places.n; i++) {
		uint32_t absent = 0;
		cleanup(closep) int fd = netns_socket(vector_at(&places, i), NETLINK_SOCK_DIAG);
		if (fd >= 0)
			r = sock_diag_read(host, fd, &query, &finding->sink, &absent, NULL);
	}
	return r;
}

int beside_find(struct host *host, const struct netns_scope *scope, const struct snapshot *snapshot,
		const uint32_t *sockets, uint32_t n, struct vector *ret)
{
	struct finding finding = {.sink = {.socket = on_socket, .holder = on_holder},
				  .snapshot = snapshot,
				  .sockets = sockets,
				  .n = n,
				  .ret = ret};
	vector_init(&finding.pids, sizeof(int32_t));
	vector_init(&finding.held, sizeof(struct held));
	int r = read_processes(host, &finding);
	if (r >= 0 && finding.held.n)
		r = read_doors(host, scope, &finding);
	vector_done(&finding.pids);
	vector_done(&finding.held);
	return r == -ENOMEM ? r : 0; /* the plan is as good without it */
}

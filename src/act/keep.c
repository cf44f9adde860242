/* The connections that a listener accepted, made to bear a successor beside them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "act/keep.h"
#include "act/presence.h"
#include "source/proc.h"

#define CONNECTIONS                                                               \
	(1u << STATE_ESTABLISHED | 1u << STATE_SYN_RECV | 1u << STATE_FIN_WAIT1 | \
	 1u << STATE_FIN_WAIT2 | 1u << STATE_CLOSE_WAIT | 1u << STATE_LAST_ACK |  \
	 1u << STATE_CLOSING)

struct connection {
	uint32_t inode; /* 0: nobody holds it */
	bool is_set;
};

struct keeping {
	struct sink sink;
	const struct identity *target;
	struct vector connections; /* struct connection, sorted by inode */
};

static int take_connection(struct sink *sink, const struct found_socket *found)
{
	struct keeping *keeping = (struct keeping *)sink;
	const struct socket *socket = &found->socket;
	if (!ip_is_any(&keeping->target->local) &&
	    !ip_equal(&keeping->target->local, &socket->local))
		return 0;
	struct connection *connection = vector_add(&keeping->connections);
	if (!connection)
		return -ENOMEM;
	*connection = (struct connection){.inode = socket->inode};
	return 0;
}

static int by_inode(const void *a, const void *b)
{
	const struct connection *one = a, *other = b;
	return one->inode < other->inode ? -1 : one->inode > other->inode;
}

static int take_holder(struct sink *sink, uint32_t inode, int32_t pid, int32_t fd)
{
	static const int on = 1;
	struct keeping *keeping = (struct keeping *)sink;
	const struct connection wanted = {.inode = inode};
	struct connection *connection =
		inode && fd >= 0 ? bsearch(&wanted, keeping->connections.data,
					   keeping->connections.n, sizeof(wanted), by_inode)
				 : NULL;
	if (!connection || connection->is_set)
		return 0;
	cleanup(closep) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	cleanup(closep) int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	connection->is_set =
		copy >= 0 && setsockopt(copy, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0;
	return 0;
}

int keep_connections(const struct acting *acting, const struct step *step, uint32_t *ret_set,
		     uint32_t *ret_unset)
{
	struct query query = {.bounds = BOUNDS_ALL};
	struct keeping keeping = {.sink = {.socket = take_connection, .holder = take_holder},
				  .target = &step->target};
	vector_init(&keeping.connections, sizeof(struct connection));
	*ret_set = *ret_unset = 0;
	int r = presence_list(acting, &step->target, CONNECTIONS, &keeping.sink);
	if (r >= 0 && keeping.connections.n) {
		qsort(keeping.connections.data, keeping.connections.n, sizeof(struct connection),
		      by_inode);
		r = proc_walk(acting->host, &query, 2, &keeping.sink, NULL);
	}
	for (uint32_t i = 0; i < keeping.connections.n; i++) {
		const struct connection *connection = vector_at(&keeping.connections, i);
		*(connection->is_set ? ret_set : ret_unset) += 1;
	}
	vector_done(&keeping.connections);
	return r;
}

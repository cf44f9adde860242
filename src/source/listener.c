/* Who listens in another network namespace. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/numbers.h"
#include "source/listener.h"
#include "source/netns.h"
#include "source/proc.h"
#include "source/sock-diag.h"

#define OPEN_MAX_HERE 256 /* open sockets of one namespace that are looked at */

void places_init(struct places *places, struct host *host)
{
	*places = (struct places){.host = host};
	vector_init(&places->processes, sizeof(struct place));
}

void places_done(struct places *places)
{
	vector_done(&places->processes);
}

uint64_t listener_netns(const struct host *host, int32_t pid)
{
	static const char kind[] = "net:[";
	char link[64];
	uint64_t inode;
	const char *at = link + sizeof(kind) - 1;
	ssize_t n = host_readlink(host, link, sizeof(link), "proc/%d/ns/net", pid);
	if (n < (ssize_t)sizeof(kind) || memcmp(link, kind, sizeof(kind) - 1) != 0 ||
	    number_scan(&at, link + n, 10, &inode) < 0)
		return 0;
	return inode;
}

static int read_places(struct places *places)
{
	if (places->is_read)
		return 0;
	places->is_read = true;
	cleanup(vector_done) struct vector pids;
	vector_init(&pids, sizeof(int32_t));
	int r = proc_pids(places->host, &pids);
	for (uint32_t i = 0; r >= 0 && i < pids.n; i++) {
		int32_t pid = *(int32_t *)vector_at(&pids, i);
		uint64_t netns = listener_netns(places->host, pid);
		if (!netns)
			continue;
		struct place *place = vector_add(&places->processes);
		if (!place)
			return -ENOMEM;
		*place = (struct place){pid, netns};
	}
	return r;
}

struct open_socket {
	uint32_t inode;
	uint16_t port;
};

/* The open sockets of one namespace, as a dump gives them. */
struct open_sink {
	struct sink sink;
	unsigned n;
	struct open_socket sockets[OPEN_MAX_HERE];
};

static int take_socket(struct sink *sink, const struct found_socket *found)
{
	struct open_sink *open = (struct open_sink *)sink;
	if (open->n < OPEN_MAX_HERE && socket_is_open(&found->socket) && found->socket.inode)
		open->sockets[open->n++] =
			(struct open_socket){found->socket.inode, found->socket.local_port};
	return 0;
}

static void read_open(struct host *host, const struct place *place, enum proto proto, uint16_t port,
		      struct open_sink *ret)
{
	struct query query = {.bounds = BOUNDS_ALL};
	struct found_netns namespace = {.inode = place->netns, .pid = place->pid};
	uint32_t absent;
	*ret = (struct open_sink){.sink = {.socket = take_socket}};
	query.bounds.protos = 1u << proto;
	query.bounds.states = STATES_OPEN;
	if (port)
		query.bounds.port_first = query.bounds.port_last = port;
	namespace.fd = host_openat(host, O_RDONLY, "proc/%d/ns/net", place->pid);
	if (namespace.fd < 0)
		return;
	cleanup(closep) int fd = netns_socket(&namespace, NETLINK_SOCK_DIAG);
	if (fd >= 0)
		sock_diag_read(host, fd, &query, &ret->sink, &absent, NULL);
	closep(&namespace.fd);
}

/* Which port is meant where nobody says it: the only one that is open, or the likely one. */
static uint16_t choose_port(const struct open_sink *open, uint16_t likely)
{
	uint16_t only = open->n ? open->sockets[0].port : 0;
	for (unsigned i = 0; i < open->n; i++) {
		if (open->sockets[i].port == likely)
			return likely;
		if (open->sockets[i].port != only)
			only = 0;
	}
	return only;
}

/* A sink for the descriptors of one process after another: has it one of these sockets? */
struct holder_sink {
	struct sink sink;
	const struct open_sink *open;
	uint16_t port;
	bool is_found;
};

static int take_holder(struct sink *sink, uint32_t inode, int32_t pid, int32_t fd)
{
	struct holder_sink *holder = (struct holder_sink *)sink;
	(void)pid;
	(void)fd;
	for (unsigned i = 0; i < holder->open->n && !holder->is_found; i++)
		holder->is_found = holder->open->sockets[i].inode == inode &&
				   holder->open->sockets[i].port == holder->port;
	return holder->is_found ? -ECANCELED : 0;
}

/* Whether a process has the socket that is sought. */
struct seeker {
	struct places *places;
	uint64_t netns;
	enum proto proto;
	uint16_t port, likely;
	bool is_asked; /* the open sockets there are known */
	struct open_sink open;
	struct holder_sink holder;
};

static bool has_it(void *data, int32_t pid)
{
	struct seeker *seeker = data;
	if (seeker->is_asked && !seeker->holder.port)
		return false;
	if (!seeker->is_asked) {
		struct place place = {pid, seeker->netns};
		read_open(seeker->places->host, &place, seeker->proto, seeker->port, &seeker->open);
		seeker->holder.port = !seeker->open.n ? 0
				      : seeker->port  ? seeker->port
						      : choose_port(&seeker->open, seeker->likely);
		seeker->is_asked = true;
	}
	if (seeker->holder.port)
		proc_read_process(seeker->places->host, pid, &seeker->holder.sink);
	return seeker->holder.is_found;
}

static bool has_it_there(void *data, int32_t pid)
{
	struct seeker *seeker = data;
	return listener_netns(seeker->places->host, pid) == seeker->netns && has_it(seeker, pid);
}

int32_t listener_find(struct places *places, struct descent *descent, uint64_t netns,
		      int32_t inside, enum proto proto, uint16_t port, uint16_t likely)
{
	struct seeker seeker = {
		.places = places, .netns = netns, .proto = proto, .port = port, .likely = likely};
	seeker.holder = (struct holder_sink){.sink = {.holder = take_holder}, .open = &seeker.open};
	if (!netns || !places->host->is_live)
		return 0;
	if (inside && has_it_there(&seeker, inside))
		return inside;
	int32_t found = inside ? descent_find(descent, inside, has_it_there, &seeker) : 0;
	if (found || (seeker.is_asked && !seeker.holder.port) || read_places(places) < 0)
		return found;
	for (uint32_t i = 0; i < places->processes.n; i++) {
		const struct place *place = vector_at(&places->processes, i);
		if (place->netns == netns && has_it(&seeker, place->pid))
			return place->pid;
	}
	return 0;
}

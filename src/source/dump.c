/* The sockets of one network namespace as the kernel lists them. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "source/dump.h"
#include "source/proc-net.h"
#include "source/protocols.h"
#include "source/sock-diag.h"

/* Protocols that have no socket in the namespace need not be asked for, but for TCP: TIME_WAIT and
 * what is only bound are not counted. */
static struct query without_unused(struct host *host, const struct found_netns *place,
				   const struct query *query)
{
	struct query asked = *query;
	struct protocols protocols;
	protocols_read(host, place, &protocols);
	if (!protocols.is_known)
		return asked;
	for (enum proto proto = 0; proto < PROTO_MAX; proto++)
		if (proto != PROTO_TCP && !protocols.n[proto])
			asked.bounds.protos &= ~(1u << proto);
	asked.lacks_mptcp = !protocols.n_mptcp;
	return asked;
}

int dump_read(struct host *host, const struct found_netns *place, const struct query *query,
	      struct sink *sink, struct error *err)
{
	cleanup(closep) int fd = netns_socket(place, NETLINK_SOCK_DIAG);
	if (fd == -EPERM || fd == -EACCES)
		return 0;
	if (fd < 0)
		return error_set(err, fd, "open a netlink socket");

	uint32_t absent = 0;
	struct query asked = without_unused(host, place, query);
	int r = sock_diag_read(host, fd, &asked, sink, &absent, err);
	if (r >= 0 && absent)
		r = proc_net_read(host, place, absent, &asked, sink, err);
	return r;
}

struct kept {
	struct found_socket found;
	struct tcp_info_part info; /* the reader's is gone by the time it is given */
};

struct dump {
	struct sink sink;		/* keeps what comes */
	struct vector sockets, missing; /* struct kept, struct missing */
	struct host *host;
	const struct found_netns *place;
	const struct query *query;
	pthread_t thread;
	bool is_running;
	int result;
	struct error err;
};

static int keep_socket(struct sink *sink, const struct found_socket *found)
{
	struct kept *kept = vector_add(&((struct dump *)sink)->sockets);
	if (!kept)
		return -ENOMEM;
	kept->found = *found;
	if (found->info)
		kept->info = *found->info;
	return 0;
}

static int keep_missing(struct sink *sink, const struct missing *missing)
{
	struct missing *kept = vector_add(&((struct dump *)sink)->missing);
	if (!kept)
		return -ENOMEM;
	*kept = *missing;
	return 0;
}

static void *run(void *data)
{
	struct dump *dump = data;
	dump->result = dump_read(dump->host, dump->place, dump->query, &dump->sink, &dump->err);
	return NULL;
}

struct dump *dump_start(struct host *host, const struct found_netns *place,
			const struct query *query)
{
	struct dump *dump = malloc(sizeof(*dump));
	if (!dump)
		return NULL;
	*dump = (struct dump){
		.sink = {.socket = keep_socket, .missing = keep_missing},
		.host = host,
		.place = place,
		.query = query,
	};
	vector_init(&dump->sockets, sizeof(struct kept));
	vector_init(&dump->missing, sizeof(struct missing));
	dump->is_running = pthread_create(&dump->thread, NULL, run, dump) == 0;
	return dump;
}

static int give(struct sink *sink, const struct kept *kept)
{
	struct found_socket found = kept->found;
	found.info = found.info ? &kept->info : NULL;
	return sink->socket(sink, &found);
}

int dump_finish(struct dump *dump, struct sink *sink, struct error *err)
{
	if (dump->is_running)
		pthread_join(dump->thread, NULL);
	else if (sink)
		run(dump);
	int r = dump->result;
	if (r < 0 && err)
		*err = dump->err;
	for (uint32_t i = 0; sink && r >= 0 && i < dump->sockets.n; i++)
		r = give(sink, vector_at(&dump->sockets, i));
	for (uint32_t i = 0; sink && r >= 0 && i < dump->missing.n; i++)
		r = sink_tell(sink, vector_at(&dump->missing, i));
	vector_done(&dump->sockets);
	vector_done(&dump->missing);
	free(dump);
	return r;
}

/* OpenMetrics 1.0 (prometheus/OpenMetrics, specification/OpenMetrics.md): a family is its TYPE and
 * HELP, then its series; counters end in _total; the last line is # EOF. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/table.h"
#include "base/text.h"
#include "view/metrics.h"

#define LABEL_BYTES_MAX 200

/* What is counted together, in one series or, beyond the bound, in that of all others. */
struct series {
	const struct socket *socket; /* the first of them */
	const char *unit;	     /* NULL: none */
	uint64_t n, waiting, limit;
	uint64_t key;
};

struct counting {
	struct vector series; /* struct series */
	struct table table;
	bool (*is_same)(const struct series *, const struct series *);
};

static uint64_t series_key(const void *owner, uint32_t index)
{
	const struct counting *counting = owner;
	return ((const struct series *)vector_at(&counting->series, index))->key;
}

static void counting_init(struct counting *counting,
			  bool (*is_same)(const struct series *, const struct series *))
{
	vector_init(&counting->series, sizeof(struct series));
	table_init(&counting->table, series_key, counting);
	counting->is_same = is_same;
}

static void counting_done(struct counting *counting)
{
	vector_done(&counting->series);
	table_done(&counting->table);
}

static int count(struct counting *counting, const struct series *one)
{
	uint32_t place;
	for (uint32_t i = table_find(&counting->table, one->key, &place); i != TABLE_NONE;
	     i = table_next(&counting->table, one->key, &place)) {
		struct series *known = vector_at(&counting->series, i);
		if (!counting->is_same(known, one))
			continue;
		known->n++;
		known->waiting += one->waiting;
		known->limit += one->limit;
		return 0;
	}
	struct series *added = vector_add(&counting->series);
	if (!added)
		return -ENOMEM;
	*added = *one;
	added->n = 1;
	return table_add(&counting->table, one->key, counting->series.n - 1);
}

/* ---- words ---- */

static void put_family(struct out *out, const char *name, const char *type, const char *help)
{
	out_format(out, "# TYPE doorward_%s %s\n# HELP doorward_%s %s\n", name, type, name, help);
}

/* Foreign text: printable first, then as a label wants it. */
static void put_label(struct out *out, const char *text)
{
	cleanup(out_done) struct out shown = {.fd = -1};
	if (out_init(&shown, -1) < 0)
		return;
	size_t n = strlen(text);
	text_show(&shown, text, n < LABEL_BYTES_MAX ? n : LABEL_BYTES_MAX);
	for (size_t i = 0; i < shown.n; i++) {
		if (shown.data[i] == '"' || shown.data[i] == '\\')
			out_char(out, '\\');
		out_char(out, shown.data[i]);
	}
}

static void put_value(struct out *out, const char *name, const char *help, double value)
{
	put_family(out, name, "gauge", help);
	out_format(out, "doorward_%s %.6g\n", name, value);
}

static void put_total(struct out *out, const char *name, const char *help, uint64_t value)
{
	put_family(out, name, "counter", help);
	out_format(out, "doorward_%s_total %" PRIu64 "\n", name, value);
}

/* ---- listeners ---- */

static bool is_same_listener(const struct series *a, const struct series *b)
{
	return a->socket->proto == b->socket->proto &&
	       a->socket->local_port == b->socket->local_port &&
	       ip_reach(&a->socket->local) == ip_reach(&b->socket->local) && a->unit == b->unit;
}

static int count_listeners(const struct snapshot *snapshot, struct counting *counting)
{
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		if (!socket_is_open(socket) || socket->proto == PROTO_RAW)
			continue;
		const struct holder *holder = snapshot_holder(snapshot, socket->holder);
		const struct process *process =
			holder ? snapshot_process(snapshot, holder->process) : NULL;
		bool is_listener =
			socket->state == STATE_LISTEN && socket->flags & SOCKET_QUEUES_KNOWN;
		struct series one = {.socket = socket,
				     .unit = process ? process->unit : NULL,
				     .waiting = is_listener ? socket->recv_queue : 0,
				     .limit = is_listener ? socket->send_queue : 0};
		one.key = table_mix((uint64_t)socket->proto << 32 | socket->local_port) ^
			  (uintptr_t)one.unit ^ ip_reach(&socket->local);
		r = count(counting, &one);
	}
	return r;
}

/* TCP before UDP, the low ports before the high: what is bounded away are ports of the moment. */
static int compare_listeners(const void *a, const void *b)
{
	const struct socket *x = ((const struct series *)a)->socket,
			    *y = ((const struct series *)b)->socket;
	if (x->proto != y->proto)
		return (int)x->proto - (int)y->proto;
	return (int)x->local_port - (int)y->local_port;
}

static void put_listener(struct out *out, const char *name, const struct series *one, uint64_t n)
{
	out_format(out, "doorward_%s{proto=\"%s\",port=\"%u\",reach=\"%s\",unit=\"", name,
		   proto_words[one->socket->proto], one->socket->local_port,
		   reach_words[ip_reach(&one->socket->local)]);
	put_label(out, one->unit ? one->unit : "");
	out_format(out, "\"} %" PRIu64 "\n", n);
}

enum measure { OF_SOCKETS, OF_WAITING, OF_LIMIT };

static uint64_t measured(const struct series *one, enum measure measure)
{
	return measure == OF_SOCKETS ? one->n : measure == OF_WAITING ? one->waiting : one->limit;
}

static void put_listeners(struct out *out, const struct counting *counting, const char *name,
			  const char *help, enum measure measure)
{
	uint64_t others = 0;
	uint32_t n_put = 0;
	put_family(out, name, "gauge", help);
	for (uint32_t i = 0; i < counting->series.n; i++) {
		const struct series *one = vector_at(&counting->series, i);
		if (measure != OF_SOCKETS && one->socket->state != STATE_LISTEN)
			continue;
		if (n_put++ < METRICS_LISTENERS_MAX)
			put_listener(out, name, one, measured(one, measure));
		else
			others += measured(one, measure);
	}
	if (n_put > METRICS_LISTENERS_MAX)
		out_format(out,
			   "doorward_%s{proto=\"\",port=\"other\",reach=\"\",unit=\"\"} %" PRIu64
			   "\n",
			   name, others);
}

static int put_all_listeners(struct out *out, const struct snapshot *snapshot)
{
	cleanup(counting_done) struct counting counting;
	counting_init(&counting, is_same_listener);
	int r = count_listeners(snapshot, &counting);
	if (r < 0)
		return r;
	if (counting.series.n)
		qsort(counting.series.data, counting.series.n, sizeof(struct series),
		      compare_listeners);
	put_listeners(out, &counting, "listeners", "Open sockets by port, reach and unit.",
		      OF_SOCKETS);
	put_listeners(out, &counting, "backlog_connections",
		      "Connections that wait to be accepted.", OF_WAITING);
	put_listeners(out, &counting, "backlog_limit", "How many may wait.", OF_LIMIT);
	return 0;
}

/* ---- connections ---- */

static void put_connections(struct out *out, const struct snapshot *snapshot)
{
	uint64_t n[PROTO_MAX][STATE_MAX] = {{0}};
	put_family(out, "connections", "gauge", "Sockets that have another end, by state.");
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		if (socket_has_peer(socket))
			n[socket->proto][socket->state]++;
	}
	for (unsigned proto = 0; proto < PROTO_MAX; proto++)
		for (unsigned state = 0; state < STATE_MAX; state++)
			if (n[proto][state])
				out_format(
					out,
					"doorward_connections{proto=\"%s\",state=\"%s\"} %" PRIu64
					"\n",
					proto_words[proto], state_words[state], n[proto][state]);
}

static bool is_same_destination(const struct series *a, const struct series *b)
{
	return a->socket->proto == b->socket->proto &&
	       a->socket->peer_port == b->socket->peer_port &&
	       ip_equal(&a->socket->peer, &b->socket->peer);
}

static int count_destinations(const struct snapshot *snapshot, struct counting *counting)
{
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		const struct netns *netns = snapshot_netns(snapshot, socket->netns);
		if (!socket_has_peer(socket) || socket->role == ROLE_ACCEPTED || !netns ||
		    !netns_port_is_ephemeral(netns, socket->local_port))
			continue;
		uint64_t halves[2];
		memcpy(halves, socket->peer.bytes, sizeof(halves));
		r = count(counting,
			  &(struct series){.socket = socket,
					   .key = table_mix(halves[0] ^ table_mix(halves[1])) ^
						  socket->peer_port});
	}
	return r;
}

static int compare_destinations(const void *a, const void *b)
{
	const struct series *x = a, *y = b;
	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	int r = memcmp(&x->socket->peer, &y->socket->peer, sizeof(x->socket->peer));
	return r ? r : (int)x->socket->peer_port - (int)y->socket->peer_port;
}

static int put_destinations(struct out *out, const struct snapshot *snapshot)
{
	cleanup(counting_done) struct counting counting;
	uint64_t others = 0;
	counting_init(&counting, is_same_destination);
	int r = count_destinations(snapshot, &counting);
	if (r < 0)
		return r;
	if (counting.series.n)
		qsort(counting.series.data, counting.series.n, sizeof(struct series),
		      compare_destinations);
	put_family(out, "ephemeral_ports_used", "gauge",
		   "Ports of the ephemeral range that outgoing connections have, by destination.");
	for (uint32_t i = 0; i < counting.series.n; i++) {
		const struct series *one = vector_at(&counting.series, i);
		if (i >= METRICS_DESTINATIONS_MAX) {
			others += one->n;
			continue;
		}
		out_format(out, "doorward_ephemeral_ports_used{proto=\"%s\",destination=\"",
			   proto_words[one->socket->proto]);
		ip_put(out, &one->socket->peer, socket_is_v4(one->socket));
		out_format(out, ":%u\"} %" PRIu64 "\n", one->socket->peer_port, one->n);
	}
	if (counting.series.n > METRICS_DESTINATIONS_MAX)
		out_format(
			out,
			"doorward_ephemeral_ports_used{proto=\"\",destination=\"other\"} %" PRIu64
			"\n",
			others);
	return 0;
}

static void put_range(struct out *out, const struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->netns.n; i++) {
		const struct netns *netns = snapshot_netns(snapshot, i);
		if (netns->is_self && netns->ephemeral.last)
			put_value(out, "ephemeral_ports", "How many ports the ephemeral range has.",
				  netns->ephemeral.last - netns->ephemeral.first + 1);
	}
}

/* ---- the whole ---- */

static void put_counters(struct out *out, const struct metrics *metrics)
{
	static const struct {
		const char *counter, *name, *help;
	} overflows[] = {
		{"ListenOverflows", "listen_overflows",
		 "Connections refused because a backlog was full."},
		{"ListenDrops", "listen_drops",
		 "Connections dropped at a listener, for any reason."},
	};
	uint64_t value;
	for (size_t i = 0; metrics->statistics && i < ARRAY_SIZE(overflows); i++)
		if (statistics_find(metrics->statistics, "TcpExt", overflows[i].counter, &value))
			put_total(out, overflows[i].name, overflows[i].help, value);
	put_total(out, "wrong_tokens", "Requests to the page with a wrong token.",
		  metrics->n_wrong_tokens);
	put_total(out, "strangers", "Connections of other users that were turned away.",
		  metrics->n_strangers);
	put_total(out, "refused_requests", "Requests that were refused for another reason.",
		  metrics->n_refused);
}

int metrics_print(struct out *out, const struct metrics *metrics)
{
	const struct snapshot *snapshot = metrics->snapshot;
	int r = put_all_listeners(out, snapshot);
	if (r < 0)
		return r;
	put_connections(out, snapshot);
	r = put_destinations(out, snapshot);
	if (r < 0)
		return r;
	put_range(out, snapshot);
	put_value(out, "complete", "1 where every socket and its holder could be seen.",
		  snapshot->is_complete);
	put_value(out, "snapshot_seconds", "How long it took to look.", metrics->seconds);
	put_counters(out, metrics);
	out_string(out, "# EOF\n");
	return out->error;
}

/* Who talks to whom: processes and other hosts to ports, ports to the processes that answer. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/table.h"
#include "base/text.h"
#include "serve/graph.h"
#include "view/json.h"

enum kind { KIND_PROCESS, KIND_PORT, KIND_PEER };
static const char *const kind_words[] = {"process", "port", "peer"};

struct node {
	enum kind kind;
	uint32_t process; /* index, or NONE */
	uint8_t held_by;  /* where there is no process: what holds it instead */
	uint32_t netns;	  /* of a port */
	struct ip ip;	  /* of a peer */
	uint16_t port;	  /* of a port, or of a peer that was dialled */
	uint8_t proto;
	bool is_v4;
	uint32_t n;	/* connections */
	uint32_t place; /* among those that are shown, or NONE */
};

struct edge {
	uint32_t from, to, n;
};

struct graph {
	struct vector nodes, edges; /* struct node, struct edge */
	struct table by_key, by_ends;
};

static uint64_t key_of(const struct node *node)
{
	uint64_t halves[2];
	memcpy(halves, node->ip.bytes, sizeof(halves));
	uint64_t key = table_mix((uint64_t)node->held_by << 48 | (uint64_t)node->kind << 40 |
				 (uint64_t)node->proto << 32 | node->process);
	return table_mix(key ^ halves[0]) ^ table_mix(halves[1]) ^
	       ((uint64_t)node->netns << 16 | node->port);
}

static uint64_t node_key(const void *owner, uint32_t index)
{
	return key_of(vector_at(&((const struct graph *)owner)->nodes, index));
}

static uint64_t ends_of(const struct edge *edge)
{
	return (uint64_t)edge->from << 32 | edge->to;
}

static uint64_t edge_key(const void *owner, uint32_t index)
{
	return ends_of(vector_at(&((const struct graph *)owner)->edges, index));
}

static void graph_init(struct graph *graph)
{
	vector_init(&graph->nodes, sizeof(struct node));
	vector_init(&graph->edges, sizeof(struct edge));
	table_init(&graph->by_key, node_key, graph);
	table_init(&graph->by_ends, edge_key, graph);
}

static void graph_done(struct graph *graph)
{
	table_done(&graph->by_key);
	table_done(&graph->by_ends);
	vector_done(&graph->nodes);
	vector_done(&graph->edges);
}

static bool is_same(const struct node *a, const struct node *b)
{
	return a->kind == b->kind && a->process == b->process && a->held_by == b->held_by &&
	       a->port == b->port && a->proto == b->proto && a->netns == b->netns &&
	       ip_equal(&a->ip, &b->ip);
}

/* The node, counted; NONE: no memory. */
static uint32_t touch(struct graph *graph, const struct node *wanted)
{
	uint32_t place;
	for (uint32_t i = table_find(&graph->by_key, key_of(wanted), &place); i != TABLE_NONE;
	     i = table_next(&graph->by_key, key_of(wanted), &place)) {
		struct node *node = vector_at(&graph->nodes, i);
		if (!is_same(node, wanted))
			continue;
		node->n++;
		return i;
	}
	struct node *added = vector_add(&graph->nodes);
	if (!added)
		return NONE;
	*added = *wanted;
	added->n = 1;
	uint32_t index = graph->nodes.n - 1;
	return table_add(&graph->by_key, key_of(wanted), index) < 0 ? NONE : index;
}

static int join(struct graph *graph, uint32_t from, uint32_t to)
{
	struct edge wanted = {.from = from, .to = to, .n = 1};
	uint32_t place;
	if (from == NONE || to == NONE)
		return -ENOMEM;
	for (uint32_t i = table_find(&graph->by_ends, ends_of(&wanted), &place); i != TABLE_NONE;
	     i = table_next(&graph->by_ends, ends_of(&wanted), &place)) {
		struct edge *edge = vector_at(&graph->edges, i);
		if (ends_of(edge) != ends_of(&wanted))
			continue;
		edge->n++;
		return 0;
	}
	struct edge *added = vector_add(&graph->edges);
	if (!added)
		return -ENOMEM;
	*added = wanted;
	return table_add(&graph->by_ends, ends_of(&wanted), graph->edges.n - 1);
}

/* ---- from sockets ---- */

static struct node holder_of(const struct snapshot *snapshot, const struct socket *socket)
{
	const struct holder *holder = snapshot_holder(snapshot, socket->holder);
	struct node node = {.kind = KIND_PROCESS, .process = NONE, .netns = NONE};
	if (holder && snapshot_process(snapshot, holder->process))
		node.process = holder->process;
	else if (socket->held_by == HELD_KERNEL || socket->held_by == HELD_NOBODY)
		node.held_by = socket->held_by;
	else
		node.held_by = HELD_UNSEEN;
	return node;
}

static struct node port_of(const struct socket *socket)
{
	return (struct node){.kind = KIND_PORT,
			     .process = NONE,
			     .netns = socket->netns,
			     .port = socket->local_port,
			     .proto = socket->proto};
}

static struct node peer_of(const struct socket *socket, bool has_port)
{
	return (struct node){.kind = KIND_PEER,
			     .process = NONE,
			     .netns = NONE,
			     .ip = socket->peer,
			     .port = has_port ? socket->peer_port : 0,
			     .proto = has_port ? socket->proto : 0,
			     .is_v4 = socket_is_v4(socket)};
}

/* Of a connection within the host the accepted end tells all; the other only where that is not
 * among those that are shown. */
static int add_connection(struct graph *graph, const struct snapshot *snapshot,
			  const struct filter *filter, uint32_t index)
{
	const struct socket *socket = snapshot_socket(snapshot, index);
	uint32_t other = snapshot->peers ? snapshot->peers[index] : NONE;
	bool is_server = socket->role == ROLE_ACCEPTED;
	if (!is_server && other != NONE) {
		if (snapshot_socket(snapshot, other)->role == ROLE_ACCEPTED &&
		    filter_match(filter, snapshot, other))
			return 0;
		uint32_t mine = index;
		index = other;
		other = mine;
		socket = snapshot_socket(snapshot, index);
		is_server = true;
	}
	struct node own = holder_of(snapshot, socket);
	if (!is_server) {
		struct node peer = peer_of(socket, true);
		uint32_t from = touch(graph, &own);
		return join(graph, from, touch(graph, &peer));
	}
	struct node from = other == NONE ? peer_of(socket, false)
					 : holder_of(snapshot, snapshot_socket(snapshot, other));
	struct node door = port_of(socket);
	uint32_t port = touch(graph, &door);
	int r = join(graph, touch(graph, &from), port);
	return r < 0 ? r : join(graph, port, touch(graph, &own));
}

/* ---- what is shown ---- */

static int compare_sizes(const void *a, const void *b, void *data)
{
	const struct node *nodes = data;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	if (nodes[i].n != nodes[k].n)
		return nodes[i].n < nodes[k].n ? 1 : -1;
	return (i > k) - (i < k);
}

static void put_id(struct out *out, const struct snapshot *snapshot, const struct node *node)
{
	const struct process *process = snapshot_process(snapshot, node->process);
	const struct netns *netns = snapshot_netns(snapshot, node->netns);
	out_char(out, '"');
	if (node->kind == KIND_PROCESS && process)
		out_format(out, "p%d", process->pid);
	else if (node->kind == KIND_PROCESS)
		out_string(out, held_by_words[node->held_by]);
	else if (node->kind == KIND_PORT && netns && !netns->is_self)
		out_format(out, "%s/%u@%" PRIu64, proto_words[node->proto], node->port,
			   netns->inode);
	else if (node->kind == KIND_PORT && !netns && snapshot->origin == ORIGIN_HOST)
		out_format(out, "%s/%u@?", proto_words[node->proto], node->port);
	else if (node->kind == KIND_PORT)
		out_format(out, "%s/%u", proto_words[node->proto], node->port);
	else {
		out_char(out, 'a');
		ip_put(out, &node->ip, node->is_v4);
		if (node->port)
			out_format(out, ":%u", node->port);
	}
	out_char(out, '"');
}

static void put_label(struct out *out, const struct snapshot *snapshot, const struct node *node)
{
	char title[256];
	const struct process *process = snapshot_process(snapshot, node->process);
	cleanup(out_done) struct out text = {.fd = -1};
	if (out_init(&text, -1) < 0)
		return;
	if (process) {
		process_title(process, title, sizeof(title));
		text_show(&text, title, strlen(title));
	} else if (node->kind == KIND_PROCESS) {
		out_format(&text, "(%s)", held_by_words[node->held_by]);
	} else if (node->kind == KIND_PORT) {
		const char *service = service_name(snapshot->services, node->proto, node->port);
		out_format(&text, "%s/%u", proto_words[node->proto], node->port);
		if (service)
			out_format(&text, " %.60s", service);
	} else {
		ip_put(&text, &node->ip, node->is_v4);
		if (node->port)
			out_format(&text, ":%u", node->port);
	}
	json_quote(out, text.data, text.n);
}

static void put_edges(struct out *out, const struct snapshot *snapshot, const struct graph *graph)
{
	const char *before = "";
	for (uint32_t i = 0; i < graph->edges.n; i++) {
		const struct edge *edge = vector_at(&graph->edges, i);
		const struct node *from = vector_at(&graph->nodes, edge->from),
				  *to = vector_at(&graph->nodes, edge->to);
		if (from->place == NONE || to->place == NONE)
			continue;
		out_format(out, "%s{\"from\":", before);
		put_id(out, snapshot, from);
		out_string(out, ",\"to\":");
		put_id(out, snapshot, to);
		out_format(out, ",\"n\":%u}", edge->n);
		before = ",";
	}
}

static int print(struct out *out, const struct snapshot *snapshot, const struct graph *graph)
{
	uint32_t n = graph->nodes.n, n_shown = n < GRAPH_NODES_MAX ? n : GRAPH_NODES_MAX;
	cleanup(freep) uint32_t *order = malloc((n + 1u) * sizeof(*order));
	if (!order)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	qsort_r(order, n, sizeof(*order), compare_sizes, graph->nodes.data);
	out_string(out, "{\"nodes\":[");
	for (uint32_t i = 0; i < n; i++) {
		struct node *node = vector_at(&graph->nodes, order[i]);
		node->place = i < n_shown ? i : NONE;
		if (i >= n_shown)
			continue;
		out_string(out, i ? ",{\"id\":" : "{\"id\":");
		put_id(out, snapshot, node);
		out_format(out, ",\"kind\":\"%s\",\"label\":", kind_words[node->kind]);
		put_label(out, snapshot, node);
		out_format(out, ",\"n\":%u}", node->n);
	}
	out_string(out, "],\"edges\":[");
	put_edges(out, snapshot, graph);
	out_format(out, "],\"left_off\":%u}\n", n - n_shown);
	return out->error;
}

int graph_print(struct out *out, const struct snapshot *snapshot, const struct filter *filter)
{
	cleanup(graph_done) struct graph graph;
	graph_init(&graph);
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < snapshot->sockets.n; i++)
		if (socket_has_peer(snapshot_socket(snapshot, i)) &&
		    filter_match(filter, snapshot, i))
			r = add_connection(&graph, snapshot, filter, i);
	return r < 0 ? r : print(out, snapshot, &graph);
}

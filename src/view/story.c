/* The whole story of a port on one screen: what the number is, each socket and its holders, what is
 * remarkable, who is connected. */
#include <errno.h>
#include <inttypes.h>

#include "base/format.h"
#include "view/explanation.h"
#include "view/holders.h"
#include "view/json.h"
#include "view/reach.h"
#include "view/story.h"

#define DIALLED_MAX 8 /* outgoing connections told at length */
#define PEERS_MAX 20

static void write_endpoint(struct out *out, const struct socket *socket, const struct ip *ip,
			   uint16_t port)
{
	ip_put(out, ip, socket->family == FAMILY_IPV4 || ip_is_mapped(ip));
	out_char(out, ':');
	out_u64(out, port);
}

/* ---- the sockets ---- */

static bool is_same_door(const struct socket *a, const struct socket *b)
{
	return a->proto == b->proto && a->family == b->family && a->state == b->state &&
	       a->local_port == b->local_port && a->netns == b->netns &&
	       a->interface == b->interface && ip_equal(&a->local, &b->local) &&
	       a->peer_port == b->peer_port && ip_equal(&a->peer, &b->peer);
}

/* The connection came in by one of the open sockets of the story: a client, no holder of the port.
 */
static bool has_door(const struct snapshot *snapshot, const uint32_t *doors, uint32_t n_doors,
		     const struct socket *connection)
{
	for (uint32_t i = 0; i < n_doors; i++) {
		const struct socket *door = snapshot_socket(snapshot, doors[i]);
		if (door->proto == connection->proto && door->netns == connection->netns &&
		    door->local_port == connection->local_port && socket_is_open(door))
			return true;
	}
	return false;
}

/* First what is open or bound, then connections that came in by none of these. */
static uint32_t order_doors(const struct rows *rows, uint32_t *ret)
{
	uint32_t n = 0, n_doors;
	for (uint32_t i = 0; i < rows->n_sockets; i++)
		if (!socket_has_peer(snapshot_socket(rows->snapshot, rows->order[i])))
			ret[n++] = rows->order[i];
	n_doors = n;
	for (uint32_t i = 0; i < rows->n_sockets; i++) {
		const struct socket *socket = snapshot_socket(rows->snapshot, rows->order[i]);
		if (socket_has_peer(socket) && !has_door(rows->snapshot, ret, n_doors, socket))
			ret[n++] = rows->order[i];
	}
	return n;
}

static const char *state_in_words(const struct socket *socket)
{
	switch (socket->state) {
	case STATE_LISTEN:
		return "listening";
	case STATE_UNCONN:
		return "open";
	case STATE_BOUND:
		return "bound, not listening";
	default:
		return state_words[socket->state];
	}
}

static const char *families_in_words(const struct socket *socket)
{
	if (socket_is_v4(socket))
		return "IPv4";
	if (!ip_is_any(&socket->local))
		return "IPv6";
	return socket_is_dual_stack(socket) ? "IPv6 and IPv4" : "IPv6 only";
}

static void print_door_heading(const struct page *page, const struct socket *socket, uint32_t n,
			       struct out *text)
{
	out_format(text, "%s ", proto_words[socket->proto]);
	write_endpoint(text, socket, &socket->local, socket->local_port);
	if (socket_has_peer(socket)) {
		out_string(text, page->is_utf8 ? " → " : " -> ");
		write_endpoint(text, socket, &socket->peer, socket->peer_port);
	}
	out_format(text, ", %s", state_in_words(socket));
	if (socket->flags & SOCKET_MPTCP)
		out_string(text, ", MPTCP");
	out_format(text, ", %s", families_in_words(socket));
	if (n > 1)
		out_format(text, ", %u sockets", n);
	out_char(text, '\0');
	out_char(page->out, '\n');
	if (!text->error)
		page_heading(page, text->data);
	text->n = 0;
}

static void print_netns(const struct page *page, const struct snapshot *snapshot,
			const struct socket *socket, struct out *text)
{
	const struct netns *netns = snapshot_netns(snapshot, socket->netns);
	if (!netns && snapshot->origin == ORIGIN_HOST) {
		out_string(text, "another network namespace; which may not be told without root");
		page_flush(page, "inside", text);
	}
	if (!netns || netns->is_self || (netns->is_initial && !netns->name))
		return;
	out_format(text, "network namespace %s%s%" PRIu64, netns->name ? netns->name : "",
		   netns->name ? ", net:" : "net:", netns->inode);
	page_flush(page, "inside", text);
}

static void print_door(const struct page *page, const struct story *story, const uint32_t *sockets,
		       uint32_t n, struct out *text)
{
	const struct snapshot *snapshot = story->rows->snapshot;
	const struct socket *first = snapshot_socket(snapshot, sockets[0]);
	print_door_heading(page, first, n, text);
	print_netns(page, snapshot, first, text);
	if (!socket_has_peer(first)) {
		reach_write(text, snapshot, first);
		page_flush(page, "reached by", text);
	}
	if (first->state == STATE_LISTEN && first->flags & SOCKET_QUEUES_KNOWN && n == 1) {
		out_format(text, "%u of %u wait to be accepted", first->recv_queue,
			   first->send_queue);
		page_flush(page, "queue", text);
	}
	holders_print(page, snapshot, story->timed, sockets, n);
}

static void print_doors(const struct page *page, const struct story *story, struct out *text)
{
	const struct rows *rows = story->rows;
	const struct snapshot *snapshot = rows->snapshot;
	cleanup(freep) uint32_t *doors = calloc(rows->n_sockets + 1, sizeof(*doors));
	if (!doors) {
		page->out->error = -ENOMEM;
		return;
	}
	uint32_t n = order_doors(rows, doors), n_dialled = 0, left = 0;
	for (uint32_t i = 0; i < n;) {
		const struct socket *first = snapshot_socket(snapshot, doors[i]);
		uint32_t end = i + 1;
		while (end < n && is_same_door(first, snapshot_socket(snapshot, doors[end])))
			end++;
		if (!socket_has_peer(first) || n_dialled++ < DIALLED_MAX)
			print_door(page, story, doors + i, end - i, text);
		else
			left += end - i;
		i = end;
	}
	if (left) {
		out_char(page->out, '\n');
		out_format(text, "%u more connections of this port that nobody here listens for",
			   left);
		page_flush(page, "and", text);
	}
}

/* ---- what is remarkable ---- */

static void print_remarks(const struct page *page, const struct remarks *remarks)
{
	if (!remarks->list.n)
		return;
	out_char(page->out, '\n');
	page_heading(page, "Remarkable");
	for (uint32_t i = 0; i < remarks->list.n; i++) {
		const struct remark *remark = vector_at(&remarks->list, i);
		bool is_quiet = remark->what == REMARK_TWO_DOORS ||
				remark->what == REMARK_EPHEMERAL ||
				remark->what == REMARK_CONTAINER_ANSWERS ||
				remark->what == REMARK_UNIT_ANSWERS;
		if (is_quiet)
			page_line(page, "-", remark->text, strlen(remark->text));
		else
			page_warning(page, "!", remark->text, strlen(remark->text));
	}
}

/* ---- who is connected ---- */

static void write_states(struct out *out, uint32_t states)
{
	bool is_first = true;
	for (unsigned state = 0; state < STATE_MAX; state++) {
		if (!(states & 1u << state) || !state_words[state])
			continue;
		if (!is_first)
			out_string(out, ", ");
		out_string(out, state_words[state]);
		is_first = false;
	}
}

/* The process holds a door of the story itself, and was told of there. */
static bool holds_door(const struct rows *rows, uint32_t process)
{
	for (uint32_t i = 0; i < rows->n_sockets; i++) {
		const struct socket *socket = snapshot_socket(rows->snapshot, rows->order[i]);
		if (socket_has_peer(socket))
			continue;
		for (const struct holder *holder = snapshot_holder(rows->snapshot, socket->holder);
		     holder; holder = snapshot_holder(rows->snapshot, holder->next))
			if (holder->process == process)
				return true;
	}
	return false;
}

static void print_peer(const struct page *page, const struct rows *rows,
		       const struct peer_group *group, struct out *text)
{
	const struct snapshot *snapshot = rows->snapshot;
	char label[16], address[FORMAT_IP_MAX], title[256];
	snprintf(label, sizeof(label), "%7u", group->count);

	out_bytes(text, address, ip_format(address, &group->ip, group->is_v4));
	if (group->port && group->count == 1)
		out_format(text, " port %u", group->port);
	out_string(text, "  ");
	write_states(text, group->states);
	const struct process *process = snapshot_process(snapshot, group->process);
	if (process) {
		out_string(text, "  ");
		out_string(text, process_title(process, title, sizeof(title)));
		out_format(text, ", pid %d of this host", process->pid);
	} else if (group->n_local) {
		out_string(text, "  of this host");
	}
	const struct process *mine = snapshot_process(snapshot, group->mine);
	if (mine && group->role != ROLE_DIALLED && !holds_door(rows, group->mine)) {
		out_string(text, "  served by ");
		out_string(text, process_title(mine, title, sizeof(title)));
		out_format(text, ", pid %d", mine->pid);
	}
	page_flush(page, label, text);
}

static void print_peers(const struct page *page, const struct story *story, bool is_outgoing,
			struct out *text)
{
	uint64_t n_connections = 0, left = 0;
	uint32_t n = 0, shown = 0;
	for (uint32_t i = 0; i < story->peers->n; i++) {
		const struct peer_group *group = vector_at(story->peers, i);
		if ((group->role == ROLE_DIALLED) != is_outgoing)
			continue;
		n++;
		n_connections += group->count;
	}
	if (!n)
		return;
	out_format(text, "%s: %" PRIu64 " connection%s %s %u address%s",
		   is_outgoing ? "Going out" : "Connected", n_connections,
		   n_connections == 1 ? "" : "s", is_outgoing ? "to" : "from", n,
		   n == 1 ? "" : "es");
	out_char(text, '\0');
	out_char(page->out, '\n');
	if (!text->error)
		page_heading(page, text->data);
	text->n = 0;
	for (uint32_t i = 0; i < story->peers->n; i++) {
		const struct peer_group *group = vector_at(story->peers, i);
		if ((group->role == ROLE_DIALLED) != is_outgoing)
			continue;
		if (shown++ < PEERS_MAX)
			print_peer(page, story->rows, group, text);
		else
			left += group->count;
	}
	if (left) {
		out_format(text, "%" PRIu64 " more from %u other addresses", left, n - PEERS_MAX);
		page_flush(page, "and", text);
	}
}

/* ---- the whole ---- */

static void print_title(const struct page *page, const struct story *story, struct out *text)
{
	const struct explanation *explanation = story->explanation;
	if (explanation) {
		const char *service = explanation->protos[0].service
					      ? explanation->protos[0].service
					      : explanation->protos[1].service;
		out_format(text, "Port %u", explanation->port);
		if (service)
			out_format(text, ", %s", service);
	} else {
		struct ip ip;
		bool is_v4, is_address = ip_parse(story->target, strlen(story->target), &ip,
						  &is_v4) == 0;
		out_format(text, "%s %s", is_address ? "Address" : "Ports", story->target);
	}
	out_char(text, '\0');
	if (!text->error)
		page_heading(page, text->data);
	text->n = 0;
	if (explanation)
		explanation_print(page, explanation);
}

void story_print(const struct page *page, const struct story *story)
{
	struct out text;
	if (out_init(&text, -1) < 0) {
		page->out->error = -ENOMEM;
		return;
	}
	print_title(page, story, &text);
	if (!story->rows->n_sockets) {
		out_char(page->out, '\n');
		page_heading(page, story->rows->snapshot->is_complete
					   ? "Nobody is there."
					   : "Nobody is there, as far as may be seen.");
	}
	print_doors(page, story, &text);
	print_remarks(page, story->remarks);
	print_peers(page, story, false, &text);
	print_peers(page, story, true, &text);
	out_done(&text);
}

/* ---- JSON ---- */

static void json_process(struct out *out, const char *key, const struct process *process)
{
	out_format(out, ",\"%s\":", key);
	if (!process) {
		out_string(out, "null");
		return;
	}
	out_format(out, "{\"pid\":%d,\"name\":", process->pid);
	json_text(out, process->name);
	out_char(out, '}');
}

static void json_peer(struct out *out, const struct snapshot *snapshot,
		      const struct peer_group *group)
{
	char address[FORMAT_IP_MAX];
	size_t n = ip_format(address, &group->ip, group->is_v4);
	bool is_first = true;

	out_format(out,
		   "{\"proto\":\"%s\",\"local_port\":%u,\"peer_address\":\"%.*s\",\"count\":%u",
		   proto_words[group->proto], group->my_port, (int)n, address, group->count);
	out_string(out, ",\"role\":");
	if (group->role == ROLE_NONE)
		out_string(out, "null");
	else
		out_format(out, "\"%s\"", role_words[group->role]);
	out_string(out, ",\"states\":[");
	for (unsigned state = 0; state < STATE_MAX; state++) {
		if (!(group->states & 1u << state) || !state_words[state])
			continue;
		out_format(out, "%s\"%s\"", is_first ? "" : ",", state_words[state]);
		is_first = false;
	}
	out_char(out, ']');
	json_process(out, "process", snapshot_process(snapshot, group->mine));
	json_process(out, "peer_process", snapshot_process(snapshot, group->process));
	out_char(out, '}');
}

static void story_json(struct out *out, const struct story *story)
{
	out_string(out, "\"port\":");
	if (story->explanation)
		explanation_json(out, story->explanation);
	else
		out_string(out, "null");

	out_string(out, ",\"connections\":[");
	for (uint32_t i = 0; i < story->peers->n; i++) {
		if (i)
			out_char(out, ',');
		json_peer(out, story->rows->snapshot, vector_at(story->peers, i));
	}
	out_string(out, "],\"remarks\":[");
	for (uint32_t i = 0; i < story->remarks->list.n; i++) {
		const struct remark *remark = vector_at(&story->remarks->list, i);
		out_format(out, "%s{\"what\":\"%s\",\"text\":", i ? "," : "",
			   remark_words[remark->what]);
		json_text(out, remark->text);
		out_char(out, '}');
	}
	out_char(out, ']');
}

int story_document(struct out *out, const struct story *story)
{
	const struct rows *rows = story->rows;
	struct json_shape *shape = json_shape_all(true);
	if (!shape)
		return -ENOMEM;
	out_char(out, '{');
	json_envelope(out, rows->snapshot);
	out_string(out, ",\"sockets\":[");
	for (uint32_t i = 0; i < rows->n_sockets; i++) {
		if (i)
			out_char(out, ',');
		json_socket(out, shape, rows->snapshot, rows->order[i]);
	}
	out_string(out, "],");
	story_json(out, story);
	out_string(out, "}\n");
	json_shape_free(shape);
	return 0;
}

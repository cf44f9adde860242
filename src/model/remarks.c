/* What is remarkable about the sockets of a port. */
#include <errno.h>
#include <string.h>

#include "base/attributes.h"
#include "base/format.h"
#include "base/out.h"
#include "model/delivery.h"
#include "model/remarks.h"

const char *const remark_words[REMARK_MAX + 1] = {
	[REMARK_ROOT_PUBLIC] = "root-public",
	[REMARK_EXE_DELETED] = "exe-deleted",
	[REMARK_EXE_TEMPORARY] = "exe-temporary",
	[REMARK_TWO_OWNERS] = "two-owners",
	[REMARK_TWO_DOORS] = "two-doors",
	[REMARK_CONTAINER_ANSWERS] = "container-answers",
	[REMARK_UNIT_ANSWERS] = "unit-answers",
	[REMARK_KERNEL] = "kernel",
	[REMARK_UNSEEN] = "unseen",
	[REMARK_NOBODY] = "nobody",
	[REMARK_BACKLOG_FULL] = "backlog-full",
	[REMARK_NOT_LISTENING] = "not-listening",
	[REMARK_RISK] = "risk",
	[REMARK_EPHEMERAL] = "ephemeral",
	[REMARK_BLOCKED] = "blocked",
};

/* What a finder of remarks is given. */
struct finding {
	const struct rows *rows;
	const struct snapshot *snapshot;
	const struct explanation *explanation;
	const struct hosts *hosts;
	const struct block_table *blocks;
	struct remarks *ret;
	struct out text; /* of the sentence under way */
};

/* Keeps the sentence; the same one is said once. */
static int say(struct finding *finding, enum remark_kind what)
{
	struct out *text = &finding->text;
	const char *kept =
		text->error ? NULL : arena_intern(&finding->ret->arena, text->data, text->n);
	text->n = 0;
	if (!kept)
		return -ENOMEM;
	for (uint32_t i = 0; i < finding->ret->list.n; i++)
		if (((struct remark *)vector_at(&finding->ret->list, i))->text == kept)
			return 0;
	struct remark *added = vector_add(&finding->ret->list);
	if (!added)
		return -ENOMEM;
	*added = (struct remark){.what = what, .text = kept};
	return 0;
}

static void write_door(struct out *out, const struct socket *socket)
{
	char address[FORMAT_IP_MAX];
	bool is_v4 = socket_is_v4(socket);
	size_t n = ip_format(address, &socket->local, is_v4);
	out_string(out, proto_words[socket->proto]);
	out_string(out, is_v4 ? " " : " [");
	out_bytes(out, address, n);
	out_string(out, is_v4 ? ":" : "]:");
	out_u64(out, socket->local_port);
}

static void write_process(struct out *out, const struct process *process)
{
	char title[256];
	out_string(out, process_title(process, title, sizeof(title)));
	out_format(out, " (pid %d)", process->pid);
}

/* "nginx (pid 812) and 4 more". */
static void write_holders(struct out *out, const struct snapshot *snapshot,
			  const struct socket *socket)
{
	const struct holder *holder = snapshot_holder(snapshot, socket->holder);
	if (!holder) {
		out_string(out, socket->held_by == HELD_KERNEL	 ? "the kernel"
				: socket->held_by == HELD_NOBODY ? "nobody"
								 : "an unseen process");
		return;
	}
	const struct process *first = snapshot_process(snapshot, holder->process);
	uint32_t more = 0, last = holder->process;
	for (holder = snapshot_holder(snapshot, holder->next); holder;
	     holder = snapshot_holder(snapshot, holder->next)) {
		const struct process *process = snapshot_process(snapshot, holder->process);
		if (holder->process != last)
			more++;
		last = holder->process;
		if (process->pid < first->pid)
			first = process;
	}
	write_process(out, first);
	if (more)
		out_format(out, " and %u more", more);
}

/* How far the widest that can reach @socket is away: for a socket bound to any address that of the
 * namespace's interfaces; REACH_ANY where those are not known. */
static enum reach widest_reach(const struct snapshot *snapshot, const struct socket *socket)
{
	enum reach reach = ip_reach(&socket->local);
	const struct netns *netns =
		socket->netns == NONE ? NULL : snapshot_netns(snapshot, socket->netns);
	if (reach != REACH_ANY || !netns || !netns->is_detailed)
		return reach;
	bool is_v4 = socket_is_v4(socket);
	return netns_widest_reach(netns, is_v4 || socket_is_dual_stack(socket), !is_v4);
}

/* What is true of several holders of a socket alike is said once. */
typedef bool is_alike_t(const struct process *process, const struct process *first);

static bool is_root(const struct process *process, const struct process *first unused_argument)
{
	return process->known & KNOWN_UID && process->uid == 0 && process->container == NONE;
}

static bool is_of_file(const struct process *process, const struct process *first)
{
	return process->exe && first->exe && process->exe_deleted == first->exe_deleted &&
	       strcmp(process->exe, first->exe) == 0;
}

/* Of how many other holders it is true too; -1: of one before this, so that it is told already. */
static int count_alike(const struct snapshot *snapshot, const struct socket *socket,
		       const struct holder *holder, is_alike_t *is_alike)
{
	const struct process *first = snapshot_process(snapshot, holder->process);
	const struct holder *other = snapshot_holder(snapshot, socket->holder);
	for (; other != holder; other = snapshot_holder(snapshot, other->next))
		if (is_alike(snapshot_process(snapshot, other->process), first))
			return -1;

	int more = 0;
	uint32_t last = holder->process;
	for (other = snapshot_holder(snapshot, holder->next); other;
	     other = snapshot_holder(snapshot, other->next)) {
		if (other->process != last)
			more += is_alike(snapshot_process(snapshot, other->process), first);
		last = other->process;
	}
	return more;
}

/* "nginx (pid 812) runs", "nginx (pid 812) and 4 more run". */
static void write_runs(struct out *out, const struct process *process, int more)
{
	write_process(out, process);
	if (more)
		out_format(out, " and %d more run", more);
	else
		out_string(out, " runs");
}

static int find_root(struct finding *finding, const struct socket *socket,
		     const struct holder *holder)
{
	const struct process *process = snapshot_process(finding->snapshot, holder->process);
	if (!socket_is_open(socket) || !is_root(process, process) ||
	    widest_reach(finding->snapshot, socket) != REACH_PUBLIC)
		return 0;
	int more = count_alike(finding->snapshot, socket, holder, is_root);
	if (more < 0)
		return 0;
	write_runs(&finding->text, process, more);
	out_format(&finding->text, " as root and answer%s at a public address, ", more ? "" : "s");
	write_door(&finding->text, socket);
	out_format(&finding->text, ": a fault in %s gives strangers this host.",
		   more ? "one" : "it");
	return say(finding, REMARK_ROOT_PUBLIC);
}

static int find_exe(struct finding *finding, const struct socket *socket,
		    const struct holder *holder)
{
	static const char *const temporary[] = {"/tmp/", "/var/tmp/", "/dev/shm/"};
	const struct process *process = snapshot_process(finding->snapshot, holder->process);
	int more = process->exe ? count_alike(finding->snapshot, socket, holder, is_of_file) : -1;
	if (more < 0)
		return 0;
	if (process->exe_deleted) {
		write_runs(&finding->text, process, more);
		out_string(&finding->text, " from a file that was deleted or replaced since: ");
		out_string(&finding->text, process->exe);
		out_string(&finding->text, ". It stays the old one until it is started again.");
		int r = say(finding, REMARK_EXE_DELETED);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(temporary); i++) {
		if (strncmp(process->exe, temporary[i], strlen(temporary[i])) != 0)
			continue;
		write_runs(&finding->text, process, more);
		out_string(&finding->text, " from a place where every user may write: ");
		out_string(&finding->text, process->exe);
		out_char(&finding->text, '.');
		return say(finding, REMARK_EXE_TEMPORARY);
	}
	return 0;
}

static int find_of_holders(struct finding *finding, const struct socket *socket)
{
	for (const struct holder *holder = snapshot_holder(finding->snapshot, socket->holder);
	     holder; holder = snapshot_holder(finding->snapshot, holder->next)) {
		int r = find_root(finding, socket, holder);
		if (r >= 0)
			r = find_exe(finding, socket, holder);
		if (r < 0)
			return r;
	}
	return 0;
}

static int find_answer(struct finding *finding, uint32_t index)
{
	const struct answer_for *answer = snapshot_answer(finding->snapshot, index);
	if (!answer)
		return 0;
	const struct socket *socket = snapshot_socket(finding->snapshot, index);
	const struct container *container =
		snapshot_container(finding->snapshot, answer->container);
	const struct process *process = snapshot_process(finding->snapshot, answer->process);
	struct out *text = &finding->text;

	if (!container && !answer->unit && !process)
		return 0;
	write_holders(text, finding->snapshot, socket);
	out_string(text, " holds ");
	write_door(text, socket);
	out_string(text, " for ");
	if (container)
		out_format(text, "the %s container %s", engine_words[container->engine],
			   container->name ? container->name : container->id);
	else
		out_string(text, answer->unit ? answer->unit : "another");
	if (process) {
		out_string(text, ", where ");
		write_process(text, process);
		out_string(text, " answers");
	} else if (answer->unit) {
		out_string(text, ", which is started when somebody comes");
	}
	out_char(text, '.');
	return say(finding, container ? REMARK_CONTAINER_ANSWERS : REMARK_UNIT_ANSWERS);
}

static int find_held_by(struct finding *finding, const struct socket *socket)
{
	static const struct {
		enum remark_kind what;
		const char *text;
	} told[HELD_MAX] = {
		[HELD_KERNEL] =
			{REMARK_KERNEL,
			 " is the kernel's own (a tunnel, NFS, MPTCP): no process holds it."},
		[HELD_NOBODY] = {REMARK_NOBODY, " belongs to no process any more."},
		[HELD_UNSEEN] = {REMARK_UNSEEN, " is held by a process that may not be looked at."},
	};
	if (!socket_is_open(socket) || !told[socket->held_by].text)
		return 0;
	write_door(&finding->text, socket);
	out_string(&finding->text, told[socket->held_by].text);
	return say(finding, told[socket->held_by].what);
}

static int find_state(struct finding *finding, const struct socket *socket)
{
	if (socket->state == STATE_LISTEN && socket->flags & SOCKET_QUEUES_KNOWN &&
	    socket->send_queue && socket->recv_queue > socket->send_queue) {
		write_door(&finding->text, socket);
		out_format(&finding->text,
			   ": its queue is full (%u of %u wait to be accepted): new clients get no "
			   "answer.",
			   socket->recv_queue, socket->send_queue);
		return say(finding, REMARK_BACKLOG_FULL);
	}
	if (socket->state == STATE_BOUND) {
		write_door(&finding->text, socket);
		out_string(&finding->text,
			   " is bound, but does not listen: clients are refused, and "
			   "nobody else can have it.");
		return say(finding, REMARK_NOT_LISTENING);
	}
	return 0;
}

static int find_risk(struct finding *finding, const struct socket *socket)
{
	if (!finding->explanation || !socket_is_open(socket))
		return 0;
	enum reach reach = widest_reach(finding->snapshot, socket);
	if (reach == REACH_LOOPBACK)
		return 0;
	for (unsigned p = 0; p < ARRAY_SIZE(finding->explanation->protos); p++) {
		const struct explained_proto *proto = &finding->explanation->protos[p];
		for (unsigned i = 0; proto->proto == socket->proto && i < proto->n_risks; i++) {
			out_format(&finding->text, "%s/%u is open beyond this host; %s.",
				   proto_words[proto->proto], finding->explanation->port,
				   proto->risks[i]);
			int r = say(finding, REMARK_RISK);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int find_ephemeral(struct finding *finding, const struct socket *socket)
{
	const struct netns *netns =
		socket->netns == NONE ? NULL : snapshot_netns(finding->snapshot, socket->netns);
	if (!netns || !netns->is_detailed || !socket_is_open(socket) ||
	    !netns_port_is_ephemeral(netns, socket->local_port) ||
	    netns_port_is_reserved(netns, socket->local_port))
		return 0;
	out_format(&finding->text,
		   "%u lies in the ephemeral range %u-%u: while its owner is away, any outgoing "
		   "connection may take it.",
		   socket->local_port, netns->ephemeral.first, netns->ephemeral.last);
	return say(finding, REMARK_EPHEMERAL);
}

/* Which of the sockets of a port gets what is sent to @to; NONE. */
static uint32_t receiver(const struct snapshot *snapshot, const struct socket *like,
			 const struct ip *to)
{
	struct delivery delivery;
	delivery_init(&delivery);
	delivery.proto = like->proto;
	delivery.to = *to;
	delivery.is_v4 = ip_is_mapped(to);
	delivery.to_port = like->local_port;
	delivery.netns = like->netns;
	uint32_t chosen = delivery_work_out(snapshot, &delivery) < 0 ? NONE : delivery.chosen;
	delivery_done(&delivery);
	return chosen;
}

static void write_localhost(struct finding *finding, const struct socket *like)
{
	struct out *text = &finding->text;
	struct ip order[2];
	char address[FORMAT_IP_MAX];
	const struct netns *netns =
		like->netns == NONE ? NULL : snapshot_netns(finding->snapshot, like->netns);
	unsigned n = hosts_localhost(finding->hosts, netns, order);

	for (unsigned i = 0; i < n; i++) {
		uint32_t index = receiver(finding->snapshot, like, &order[i]);
		if (index == NONE)
			continue;
		/* of a saved snapshot the names of its host are not known: the common order */
		out_string(text, finding->hosts ? " `localhost` reaches "
						: " `localhost` by default reaches ");
		write_holders(text, finding->snapshot, snapshot_socket(finding->snapshot, index));
		out_string(text, " first, as ");
		out_bytes(text, address, ip_format(address, &order[i], true));
		if (i)
			out_string(text, " is the first of its addresses that anybody answers at.");
		else
			out_string(text, " is the first of its addresses.");
		return;
	}
	out_string(text, " `localhost` reaches neither.");
}

static bool is_same_number(const struct socket *a, const struct socket *b)
{
	return a->proto == b->proto && a->local_port == b->local_port && a->netns == b->netns;
}

/* Said once for each number, at the first of its sockets. */
static int find_two_owners(struct finding *finding, uint32_t row_socket)
{
	const struct snapshot *snapshot = finding->snapshot;
	const struct socket *first = snapshot_socket(snapshot, finding->rows->order[row_socket]);
	struct out *text = &finding->text;
	unsigned n = 0;

	if (!(first->flags & SOCKET_TWO_OWNERS) || socket_has_peer(first))
		return 0;
	for (uint32_t i = 0; i < finding->rows->n_sockets; i++) {
		const struct socket *socket = snapshot_socket(snapshot, finding->rows->order[i]);
		if (!is_same_number(first, socket) || !(socket->flags & SOCKET_TWO_OWNERS) ||
		    socket_has_peer(socket))
			continue;
		if (i < row_socket) {
			text->n = 0;
			return 0;
		}
		if (n < 8) {
			out_string(text, n ? "; " : "One number, several owners: ");
			write_door(text, socket);
			out_string(text, " is held by ");
			write_holders(text, snapshot, socket);
		}
		n++;
	}
	if (n < 2) {
		text->n = 0;
		return 0;
	}
	out_string(text, n > 8 ? "; and others." : ".");
	write_localhost(finding, first);
	return say(finding, REMARK_TWO_OWNERS);
}

static int find_two_doors(struct finding *finding)
{
	bool tcp = false, udp = false;
	if (!finding->explanation)
		return 0;
	for (uint32_t i = 0; i < finding->rows->n_sockets; i++) {
		const struct socket *socket =
			snapshot_socket(finding->snapshot, finding->rows->order[i]);
		tcp |= socket->proto == PROTO_TCP && socket_is_open(socket);
		udp |= socket->proto == PROTO_UDP && socket_is_open(socket);
	}
	if (!tcp || !udp)
		return 0;
	out_format(&finding->text,
		   "tcp/%u and udp/%u are two doors: they share a number and nothing else.",
		   finding->explanation->port, finding->explanation->port);
	return say(finding, REMARK_TWO_DOORS);
}

static int say_blocked(struct finding *finding, const struct block *block)
{
	char ports[160], from[128];
	block_text(block, ports, sizeof(ports));
	block_end_text(&block->scope.from, from, sizeof(from));
	out_format(&finding->text,
		   "Doorward's own table blocks %s from %s%s%s: nothing new from there reaches it "
		   "until `doorward unblock %s`.",
		   ports, from, block->reason[0] ? ", for the reason: " : "", block->reason, ports);
	return say(finding, REMARK_BLOCKED);
}

static int find_blocked(struct finding *finding)
{
	static const uint8_t protos[] = {PROTO_TCP, PROTO_UDP, PROTO_SCTP};
	int r = 0;
	if (!finding->explanation || !finding->blocks)
		return 0;
	for (unsigned i = 0; i < ARRAY_SIZE(protos); i++) {
		const struct block *block;
		uint32_t at = 0;
		while (r >= 0 && (block = block_of_port(finding->blocks, protos[i],
							(uint16_t)finding->explanation->port, &at)))
			r = say_blocked(finding, block);
	}
	return r;
}

static int find_of_socket(struct finding *finding, uint32_t row_socket)
{
	uint32_t index = finding->rows->order[row_socket];
	const struct socket *socket = snapshot_socket(finding->snapshot, index);
	int r = find_two_owners(finding, row_socket);
	if (r >= 0)
		r = find_answer(finding, index);
	if (r >= 0 && !socket_has_peer(socket))
		r = find_of_holders(finding, socket);
	if (r >= 0)
		r = find_held_by(finding, socket);
	if (r >= 0)
		r = find_state(finding, socket);
	if (r >= 0)
		r = find_risk(finding, socket);
	if (r >= 0)
		r = find_ephemeral(finding, socket);
	return r;
}

int remarks_find(const struct rows *rows, const struct explanation *explanation,
		 const struct hosts *hosts, const struct block_table *blocks, struct remarks *ret)
{
	struct finding finding = {
		.rows = rows,
		.snapshot = rows->snapshot,
		.explanation = explanation,
		.hosts = hosts,
		.blocks = blocks,
		.ret = ret,
	};
	vector_init(&ret->list, sizeof(struct remark));
	arena_init(&ret->arena);
	int r = out_init(&finding.text, -1);
	for (uint32_t i = 0; r >= 0 && i < rows->n_sockets; i++)
		if (!socket_has_peer(snapshot_socket(rows->snapshot, rows->order[i])))
			r = find_of_socket(&finding, i);
	if (r >= 0)
		r = find_two_doors(&finding);
	if (r >= 0)
		r = find_blocked(&finding);
	out_done(&finding.text);
	return r;
}

void remarks_done(struct remarks *remarks)
{
	vector_done(&remarks->list);
	arena_done(&remarks->arena);
}

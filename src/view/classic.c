/* netstat as Windows prints it. */
#include "base/format.h"
#include "base/text.h"
#include "model/services.h"
#include "view/classic.h"

#define WIDTH_END 23 /* of an address with its port */
#define WIDTH_STATE 16

static const char *const states[STATE_MAX] = {
	[STATE_ESTABLISHED] = "ESTABLISHED",
	[STATE_SYN_SENT] = "SYN_SENT",
	[STATE_SYN_RECV] = "SYN_RECEIVED",
	[STATE_FIN_WAIT1] = "FIN_WAIT_1",
	[STATE_FIN_WAIT2] = "FIN_WAIT_2",
	[STATE_TIME_WAIT] = "TIME_WAIT",
	[STATE_CLOSE_WAIT] = "CLOSE_WAIT",
	[STATE_LAST_ACK] = "LAST_ACK",
	[STATE_LISTEN] = "LISTENING",
	[STATE_CLOSING] = "CLOSING",
	[STATE_BOUND] = "BOUND",
};

static bool shows_v4(const struct socket *socket)
{
	return socket->family == FAMILY_IPV4 || ip_is_mapped(&socket->local);
}

static bool is_shown(const struct socket *socket, const struct netstat_view *view)
{
	bool is_v4 = shows_v4(socket);
	if (socket->proto != PROTO_TCP && socket->proto != PROTO_UDP)
		return false;
	if (!view->all && (socket->proto != PROTO_TCP || socket->state == STATE_LISTEN ||
			   socket->state == STATE_BOUND))
		return false;
	switch (view->proto) {
	case CLASSIC_TCP:
		return socket->proto == PROTO_TCP && is_v4;
	case CLASSIC_UDP:
		return socket->proto == PROTO_UDP && is_v4;
	case CLASSIC_TCP6:
		return socket->proto == PROTO_TCP && !is_v4;
	case CLASSIC_UDP6:
		return socket->proto == PROTO_UDP && !is_v4;
	default:
		return true;
	}
}

/* Returns the columns that it took. */
static size_t put_address(struct out *out, const struct ip *ip, bool is_v4,
			  const struct netstat_view *view)
{
	const char *name = view->is_numeric || ip_is_any(ip) ? NULL : hosts_name(view->hosts, ip);
	if (name)
		return text_show(out, name, strlen(name));
	return ip_put(out, ip, is_v4);
}

static size_t put_port(struct out *out, const struct snapshot *snapshot,
		       const struct socket *socket, uint16_t port, const struct netstat_view *view)
{
	char digits[FORMAT_NUMBER_MAX];
	const char *name = view->is_numeric || !port
				   ? NULL
				   : service_name(snapshot->services, socket->proto, port);
	out_char(out, ':');
	if (name)
		return 1 + text_show(out, name, strlen(name));
	size_t n = format_u64(digits, port);
	out_bytes(out, digits, n);
	return 1 + n;
}

static void pad(struct out *out, size_t width, size_t columns)
{
	out_spaces(out, columns < width ? width - columns : 1);
}

/* A TCP socket without a peer shows 0.0.0.0:0, a UDP one *:*. */
static void put_foreign(struct out *out, const struct snapshot *snapshot,
			const struct socket *socket, const struct netstat_view *view, bool has_more)
{
	size_t n;
	if (socket->proto == PROTO_UDP && !socket_has_peer(socket)) {
		out_string(out, "*:*");
		n = 3;
	} else {
		n = put_address(out, &socket->peer, shows_v4(socket), view);
		n += put_port(out, snapshot, socket, socket->peer_port, view);
	}
	if (has_more)
		pad(out, WIDTH_END, n);
}

static const struct process *lowest_holder(const struct snapshot *snapshot,
					   const struct socket *socket)
{
	const struct process *lowest = NULL;
	for (const struct holder *holder = snapshot_holder(snapshot, socket->holder); holder;
	     holder = snapshot_holder(snapshot, holder->next)) {
		const struct process *process = snapshot_process(snapshot, holder->process);
		if (!lowest || process->pid < lowest->pid)
			lowest = process;
	}
	return lowest;
}

static void put_name(struct out *out, const struct process *process)
{
	const char *exe = process->exe ? strrchr(process->exe, '/') : NULL;
	const char *name = exe && exe[1] ? exe + 1 : process->name ? process->name : "?";
	out_string(out, " [");
	text_show(out, name, strlen(name));
	out_string(out, "]\n");
}

/* Each distinct executable of the holders, at most eight. */
static void put_executables(struct out *out, const struct snapshot *snapshot,
			    const struct socket *socket)
{
	const char *told[8];
	unsigned n = 0;
	for (const struct holder *holder = snapshot_holder(snapshot, socket->holder); holder;
	     holder = snapshot_holder(snapshot, holder->next)) {
		const struct process *process = snapshot_process(snapshot, holder->process);
		const char *key = process->exe ? process->exe : process->name;
		bool is_told = n == ARRAY_SIZE(told);
		for (unsigned i = 0; i < n && !is_told; i++)
			is_told = key == told[i] || (key && strcmp(key, told[i]) == 0);
		if (is_told)
			continue;
		told[n++] = key ? key : "";
		put_name(out, process);
	}
	if (!n && socket->held_by == HELD_KERNEL)
		out_string(out, " [kernel]\n");
	else if (!n && socket->held_by == HELD_UNSEEN)
		out_string(out, " Can not obtain ownership information\n");
}

static void put_row(struct out *out, const struct snapshot *snapshot, const struct socket *socket,
		    const struct netstat_view *view)
{
	bool is_tcp = socket->proto == PROTO_TCP;
	const char *state = is_tcp ? states[socket->state] : NULL;

	out_string(out, is_tcp ? "  TCP    " : "  UDP    ");
	size_t n = put_address(out, &socket->local, shows_v4(socket), view);
	n += put_port(out, snapshot, socket, socket->local_port, view);
	pad(out, WIDTH_END, n);
	put_foreign(out, snapshot, socket, view, is_tcp || view->has_pids);
	if (state)
		out_string(out, state);
	if (view->has_pids) {
		const struct process *process = lowest_holder(snapshot, socket);
		pad(out, WIDTH_STATE, state ? strlen(state) : 0);
		out_i64(out, process ? process->pid : 0);
	}
	out_char(out, '\n');
	if (view->has_executables)
		put_executables(out, snapshot, socket);
}

/* TCP before UDP, IPv4 before IPv6, as Windows has them. */
static unsigned section_of(const struct socket *socket)
{
	return (socket->proto == PROTO_UDP) * 2u + !shows_v4(socket);
}

void netstat_print(struct out *out, const struct rows *rows, const struct netstat_view *view)
{
	out_string(out, "\nActive Connections\n\n"
			"  Proto  Local Address          Foreign Address        State");
	out_string(out, view->has_pids ? "           PID\n" : "\n");
	for (unsigned section = 0; section < 4; section++) {
		for (uint32_t i = 0; i < rows->n_sockets; i++) {
			const struct socket *socket =
				snapshot_socket(rows->snapshot, rows->order[i]);
			if (section_of(socket) == section && is_shown(socket, view))
				put_row(out, rows->snapshot, socket, view);
		}
	}
}

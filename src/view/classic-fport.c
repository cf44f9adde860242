/* fport and mport: which process holds which port. */
#include <errno.h>
#include <stdlib.h>

#include "base/format.h"
#include "base/text.h"
#include "base/vector.h"
#include "view/classic.h"

struct port_row {
	const struct process *process; /* NULL: no process is known */
	const char *name, *path;
	uint16_t port;
	uint8_t proto, order;
};

static int32_t pid_of(const struct port_row *row)
{
	return row->process ? row->process->pid : 0;
}

static int compare_ports(const struct port_row *a, const struct port_row *b)
{
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return a->proto < b->proto ? -1 : a->proto > b->proto;
}

static int compare_pids(const struct port_row *a, const struct port_row *b)
{
	return pid_of(a) < pid_of(b) ? -1 : pid_of(a) > pid_of(b);
}

static int compare(const void *left, const void *right)
{
	const struct port_row *a = left, *b = right;
	int r = 0;
	if (a->order == FPORT_BY_PID)
		r = compare_pids(a, b);
	else if (a->order == FPORT_BY_APPLICATION)
		r = strcmp(a->name, b->name);
	else if (a->order == FPORT_BY_PATH)
		r = strcmp(a->path, b->path);
	if (!r)
		r = compare_ports(a, b);
	return r ? r : compare_pids(a, b);
}

static int add_row(struct vector *ret, const struct socket *socket, const struct process *process,
		   enum fport_order order)
{
	struct port_row *added = vector_add(ret);
	if (!added)
		return -ENOMEM;
	*added = (struct port_row){
		.process = process,
		.name = process && process->name ? process->name : "",
		.path = process && process->exe ? process->exe : "",
		.port = socket->local_port,
		.proto = socket->proto,
		.order = (uint8_t)order,
	};
	if (!process && socket->held_by == HELD_KERNEL)
		added->name = "kernel";
	return 0;
}

/* What has holders, seen or not; of what has none only what is open: a TIME_WAIT holds no port. */
static int collect_rows(const struct rows *rows, enum fport_order order, struct vector *ret)
{
	const struct snapshot *snapshot = rows->snapshot;
	for (uint32_t i = 0; i < rows->n_sockets; i++) {
		const struct socket *socket = snapshot_socket(snapshot, rows->order[i]);
		const struct holder *holder = snapshot_holder(snapshot, socket->holder);
		int r = 0;
		if (socket->proto != PROTO_TCP && socket->proto != PROTO_UDP)
			continue;
		if (!holder && (socket_is_open(socket) || socket->held_by == HELD_UNSEEN))
			r = add_row(ret, socket, NULL, order);
		for (; holder && r >= 0; holder = snapshot_holder(snapshot, holder->next))
			r = add_row(ret, socket, snapshot_process(snapshot, holder->process),
				    order);
		if (r < 0)
			return r;
	}
	return 0;
}

static void put_padded(struct out *out, size_t width, size_t columns)
{
	out_spaces(out, columns < width ? width - columns : 1);
}

static void put_row(struct out *out, const struct port_row *row, size_t pid_width)
{
	char digits[FORMAT_NUMBER_MAX];
	size_t n = format_i64(digits, pid_of(row));
	out_bytes(out, digits, n);
	put_padded(out, pid_width, n);
	put_padded(out, 15, text_show(out, row->name, strlen(row->name)));
	out_string(out, "->  ");
	n = format_u64(digits, row->port);
	out_bytes(out, digits, n);
	put_padded(out, 6, n);
	out_string(out, row->proto == PROTO_TCP ? "TCP" : "UDP");
	if (row->path[0]) {
		out_spaces(out, 3);
		text_show(out, row->path, strlen(row->path));
	}
	out_char(out, '\n');
}

int fport_print(struct out *out, const struct rows *rows, enum fport_order order)
{
	struct vector found;
	size_t pid_width = 6;

	vector_init(&found, sizeof(struct port_row));
	int r = collect_rows(rows, order, &found);
	if (r >= 0 && found.n)
		qsort(found.data, found.n, sizeof(struct port_row), compare);
	for (uint32_t i = 0; i < found.n; i++)
		if (pid_of(vector_at(&found, i)) > 99999)
			pid_width = 8;

	out_string(out, "Pid");
	out_spaces(out, pid_width - 3);
	out_string(out, "Process            Port  Proto Path\n");
	for (uint32_t i = 0; r >= 0 && i < found.n; i++) {
		const struct port_row *row = vector_at(&found, i), *last = row - 1;
		if (i && last->process == row->process && !compare_ports(last, row))
			continue;
		put_row(out, row, pid_width);
	}
	vector_done(&found);
	return r;
}

/* The sockets of one namespace that no file holds. */
#include <errno.h>

#include "source/bpf/pass.h"
#include "source/bpf/record.h"
#include "source/bpf/unheld.h"

#ifdef HAVE_BPF
#include "bpf/record.h"
#include "unheld-tcp.skel.h"
#include "unheld-udp.skel.h"

static void tcp_destroyp(struct unheld_tcp_bpf **program)
{
	if (*program)
		unheld_tcp_bpf__destroy(*program);
}

static void udp_destroyp(struct unheld_udp_bpf **program)
{
	if (*program)
		unheld_udp_bpf__destroy(*program);
}

/* An iterator reads the namespace of the thread that created it. */
struct inside {
	int program;
	struct sink *sink;
	const struct stop *stop;
};

static int run_inside(void *data)
{
	struct inside *inside = data;
	return pass_run(inside->program, inside->sink, NULL, inside->stop);
}

int unheld_read_tcp(struct host *host, const struct found_netns *netns, const struct query *query,
		    struct sink *sink, uint64_t *ret_sum, struct error *err)
{
	cleanup(tcp_destroyp) struct unheld_tcp_bpf *program = unheld_tcp_bpf__open();
	if (!program)
		return error_set(err, -ENOMEM, "load the BPF pass over TCP sockets");
	struct bpf_wanted wanted = record_wanted(query);
	memcpy((void *)(uintptr_t)&program->rodata->wanted, &wanted, sizeof(wanted));
	int r = unheld_tcp_bpf__load(program);
	if (r < 0)
		return error_set(err, r, "load the BPF pass over TCP sockets");

	struct inside inside = {program->progs.unheld_tcp.prog_fd, sink, host->stop};
	r = netns_call(netns, run_inside, &inside);
	*ret_sum = program->bss->sum_with_file;
	return r < 0 ? error_set(err, r, "read the TCP sockets through BPF") : 0;
}

int unheld_read_udp(struct host *host, const struct found_netns *netns, const struct query *query,
		    struct sink *sink, struct error *err)
{
	cleanup(udp_destroyp) struct unheld_udp_bpf *program = unheld_udp_bpf__open();
	if (!program)
		return error_set(err, -ENOMEM, "load the BPF pass over UDP sockets");
	struct bpf_wanted wanted = record_wanted(query);
	memcpy((void *)(uintptr_t)&program->rodata->wanted, &wanted, sizeof(wanted));
	int r = unheld_udp_bpf__load(program);
	if (r < 0)
		return error_set(err, r, "load the BPF pass over UDP sockets");

	struct inside inside = {program->progs.unheld_udp.prog_fd, sink, host->stop};
	r = netns_call(netns, run_inside, &inside);
	return r < 0 ? error_set(err, r, "read the UDP sockets through BPF") : 0;
}
#else
int unheld_read_tcp(struct host *host unused_argument,
		    const struct found_netns *netns unused_argument,
		    const struct query *query unused_argument, struct sink *sink unused_argument,
		    uint64_t *ret_sum unused_argument, struct error *err)
{
	return error_text(err, -ENOTSUP, "this program was built without BPF");
}

int unheld_read_udp(struct host *host unused_argument,
		    const struct found_netns *netns unused_argument,
		    const struct query *query unused_argument, struct sink *sink unused_argument,
		    struct error *err)
{
	return error_text(err, -ENOTSUP, "this program was built without BPF");
}
#endif

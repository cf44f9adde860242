/* The sockets of one namespace that no file holds. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

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

struct unheld_pass {
	struct host *host;
	const struct found_netns *netns;
	const struct query *query;
	pthread_t thread;
	bool is_running;
	int result;
	struct error err;
	uint64_t sum;
	struct out records; /* struct bpf_record, as they came */
};

/* An iterator reads the namespace of the thread that created it. */
struct inside {
	int program;
	struct out *records;
	const struct stop *stop;
};

static ssize_t keep_bytes(void *data, const void *bytes, size_t n)
{
	struct out *records = data;
	out_bytes(records, bytes, n);
	return records->error ? records->error : (ssize_t)n;
}

static int give(const struct out *records, struct sink *sink)
{
	ssize_t n = record_parse(records->data, records->n, sink, NULL);
	return n < 0 ? (int)n : (size_t)n == records->n ? 0 : -EBADMSG;
}

static int run_inside(void *data)
{
	struct inside *inside = data;
	return pass_run(inside->program, keep_bytes, inside->records, inside->stop);
}

static void *run_tcp(void *data)
{
	struct unheld_pass *pass = data;
	cleanup(tcp_destroyp) struct unheld_tcp_bpf *program = unheld_tcp_bpf__open();
	pass->result = program ? 0 : -ENOMEM;
	if (program) {
		struct bpf_wanted wanted = record_wanted(pass->query);
		memcpy((void *)(uintptr_t)&program->rodata->wanted, &wanted, sizeof(wanted));
		pass->result = unheld_tcp_bpf__load(program);
	}
	if (pass->result < 0) {
		error_set(&pass->err, pass->result, "load the BPF pass over TCP sockets");
		return NULL;
	}
	struct inside inside = {program->progs.unheld_tcp.prog_fd, &pass->records,
				pass->host->stop};
	pass->result = netns_call(pass->netns, run_inside, &inside);
	pass->sum = program->bss->sum_with_file;
	if (pass->result < 0)
		error_set(&pass->err, pass->result, "read the TCP sockets through BPF");
	return NULL;
}

struct unheld_pass *unheld_start_tcp(struct host *host, const struct found_netns *netns,
				     const struct query *query)
{
	struct unheld_pass *pass = calloc(1, sizeof(*pass));
	if (!pass)
		return NULL;
	*pass = (struct unheld_pass){.host = host, .netns = netns, .query = query};
	if (out_init(&pass->records, -1) < 0) {
		free(pass);
		return NULL;
	}
	pass->is_running = pthread_create(&pass->thread, NULL, run_tcp, pass) == 0;
	return pass;
}

int unheld_finish_tcp(struct unheld_pass *pass, struct sink *sink, uint64_t *ret_sum,
		      struct error *err)
{
	if (!pass)
		return error_set(err, -ENOTSUP, "read the TCP sockets through BPF");
	if (pass->is_running)
		pthread_join(pass->thread, NULL);
	else
		run_tcp(pass);
	int r = pass->result;
	*ret_sum = pass->sum;
	if (r < 0 && err)
		*err = pass->err;
	if (r >= 0)
		r = give(&pass->records, sink);
	out_done(&pass->records);
	free(pass);
	return r;
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

	cleanup(out_done) struct out records = {.fd = -1};
	r = out_init(&records, -1);
	struct inside inside = {program->progs.unheld_udp.prog_fd, &records, host->stop};
	if (r >= 0)
		r = netns_call(netns, run_inside, &inside);
	if (r >= 0)
		r = give(&records, sink);
	return r < 0 ? error_set(err, r, "read the UDP sockets through BPF") : 0;
}
#else
struct unheld_pass *unheld_start_tcp(struct host *host unused_argument,
				     const struct found_netns *netns unused_argument,
				     const struct query *query unused_argument)
{
	return NULL;
}

int unheld_finish_tcp(struct unheld_pass *pass unused_argument, struct sink *sink unused_argument,
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

/* The sockets of one namespace that no file holds. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "source/bpf/pass.h"
#include "source/bpf/record.h"
#include "source/bpf/unheld.h"

static const char *const names[PROTO_MAX] = {
	[PROTO_TCP] = "bpf iter tcp", [PROTO_UDP] = "bpf iter udp"};

#ifdef HAVE_BPF
#include "bpf/record.h"
#include "unheld-tcp.skel.h"
#include "unheld-udp.skel.h"

static const char *const loading[PROTO_MAX] = {[PROTO_TCP] = "load the BPF pass over TCP sockets",
					       [PROTO_UDP] = "load the BPF pass over UDP sockets"};
static const char *const reading[PROTO_MAX] = {[PROTO_TCP] = "read the TCP sockets through BPF",
					       [PROTO_UDP] = "read the UDP sockets through BPF"};

static int load_tcp(const struct query *query, struct unheld *ret)
{
	struct unheld_tcp_bpf *program = unheld_tcp_bpf__open();
	if (!program)
		return -ENOMEM;
	struct bpf_wanted wanted = record_wanted(query);
	memcpy((void *)(uintptr_t)&program->rodata->wanted, &wanted, sizeof(wanted));
	ret->tcp = program;
	return unheld_tcp_bpf__load(program);
}

static int load_udp(const struct query *query, struct unheld *ret)
{
	struct unheld_udp_bpf *program = unheld_udp_bpf__open();
	if (!program)
		return -ENOMEM;
	struct bpf_wanted wanted = record_wanted(query);
	memcpy((void *)(uintptr_t)&program->rodata->wanted, &wanted, sizeof(wanted));
	ret->udp = program;
	return unheld_udp_bpf__load(program);
}

void unheld_done(struct unheld *unheld)
{
	if (unheld->tcp)
		unheld_tcp_bpf__destroy(unheld->tcp);
	if (unheld->udp)
		unheld_udp_bpf__destroy(unheld->udp);
	*unheld = (struct unheld){0};
}

/* The descriptor of the program, loaded where it is not yet, or negative errno. */
static int program_of(struct unheld *unheld, const struct query *query, enum proto proto)
{
	if (proto == PROTO_TCP) {
		int r = unheld->tcp ? 0 : load_tcp(query, unheld);
		return r < 0 ? r : ((struct unheld_tcp_bpf *)unheld->tcp)->progs.unheld_tcp.prog_fd;
	}
	int r = unheld->udp ? 0 : load_udp(query, unheld);
	return r < 0 ? r : ((struct unheld_udp_bpf *)unheld->udp)->progs.unheld_udp.prog_fd;
}

static bool try_loading(const struct host *host, enum proto proto, struct facility *ret)
{
	*ret = (struct facility){.name = names[proto], .gives = "what is the kernel's own socket"};
	if (!pass_possible(host, ret))
		return false;
	cleanup(unheld_done) struct unheld unheld = {0};
	struct query query = {.bounds = BOUNDS_ALL};
	pass_loaded(program_of(&unheld, &query, proto), ret);
	return ret->works;
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
	struct vector records; /* bytes: struct bpf_record, as they came */
};

/* An iterator reads the namespace of the thread that created it. */
struct inside {
	int program;
	struct vector *records;
	const struct stop *stop;
};

static ssize_t keep_bytes(void *data, const void *bytes, size_t n)
{
	int r = vector_append(data, bytes, (uint32_t)n);
	return r < 0 ? r : (ssize_t)n;
}

static int give(const struct vector *records, struct sink *sink)
{
	ssize_t n = record_parse(records->data, records->n, sink, NULL);
	return n < 0 ? (int)n : (size_t)n == records->n ? 0 : -EBADMSG;
}

static int run_inside(void *data)
{
	struct inside *inside = data;
	return pass_run(inside->program, keep_bytes, inside->records, inside->stop);
}

/* One pass over one namespace, its records kept. */
static int run(int program, const struct host *host, const struct found_netns *netns,
	       struct vector *records)
{
	struct inside inside = {program, records, host->stop};
	return netns_call(netns, run_inside, &inside);
}

static void *run_tcp(void *data)
{
	struct unheld_pass *pass = data;
	cleanup(unheld_done) struct unheld unheld = {0};
	pass->result = program_of(&unheld, pass->query, PROTO_TCP);
	if (pass->result < 0) {
		error_set(&pass->err, pass->result, "%s", loading[PROTO_TCP]);
		return NULL;
	}
	pass->result = run(pass->result, pass->host, pass->netns, &pass->records);
	pass->sum = ((struct unheld_tcp_bpf *)unheld.tcp)->bss->sum_with_file;
	if (pass->result < 0)
		error_set(&pass->err, pass->result, "%s", reading[PROTO_TCP]);
	return NULL;
}

struct unheld_pass *unheld_start_tcp(struct host *host, const struct found_netns *netns,
				     const struct query *query)
{
	struct unheld_pass *pass = calloc(1, sizeof(*pass));
	if (!pass)
		return NULL;
	*pass = (struct unheld_pass){.host = host, .netns = netns, .query = query};
	vector_init(&pass->records, 1);
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
	vector_done(&pass->records);
	free(pass);
	return r;
}

int unheld_read(struct unheld *unheld, struct host *host, const struct found_netns *netns,
		const struct query *query, enum proto proto, struct sink *sink, struct error *err)
{
	int program = program_of(unheld, query, proto);
	if (program < 0) {
		unheld_done(unheld);
		return error_set(err, program, "%s", loading[proto]);
	}
	cleanup(vector_done) struct vector records;
	vector_init(&records, 1);
	int r = run(program, host, netns, &records);
	if (r >= 0)
		r = give(&records, sink);
	return r < 0 ? error_set(err, r, "%s", reading[proto]) : 0;
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

int unheld_read(struct unheld *unheld unused_argument, struct host *host unused_argument,
		const struct found_netns *netns unused_argument,
		const struct query *query unused_argument, enum proto proto unused_argument,
		struct sink *sink unused_argument, struct error *err)
{
	return error_text(err, -ENOTSUP, "this program was built without BPF");
}

void unheld_done(struct unheld *unheld unused_argument)
{
}

static bool try_loading(const struct host *host, enum proto proto, struct facility *ret)
{
	*ret = (struct facility){.name = names[proto], .gives = "what is the kernel's own socket"};
	return pass_possible(host, ret);
}
#endif

bool unheld_try_tcp(const struct host *host, struct facility *ret)
{
	return try_loading(host, PROTO_TCP, ret);
}

bool unheld_try_udp(const struct host *host, struct facility *ret)
{
	return try_loading(host, PROTO_UDP, ret);
}

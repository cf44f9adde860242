/* The pass over all descriptors of all processes. */
#include <errno.h>
#include <string.h>

#include "source/bpf/files.h"
#include "source/bpf/record.h"

bool files_probe(const struct host *host, struct facility *ret)
{
	*ret = (struct facility){.name = "bpf task_file",
				 .gives =
					 "sockets and their holders of all namespaces in one pass"};
	return pass_possible(host, ret);
}

#ifdef HAVE_BPF
#include "bpf/record.h"
#include "files.skel.h"

static void destroyp(struct files_bpf **program)
{
	if (*program)
		files_bpf__destroy(*program);
}

static int load(const struct bpf_wanted *wanted, struct files_bpf **ret)
{
	*ret = files_bpf__open();
	if (!*ret)
		return -ENOMEM;
	memcpy((void *)(uintptr_t) & (*ret)->rodata->wanted, wanted, sizeof(*wanted));
	return files_bpf__load(*ret);
}

bool files_try(const struct host *host, struct facility *ret)
{
	if (!files_probe(host, ret))
		return false;
	cleanup(destroyp) struct files_bpf *program = NULL;
	struct query query = {.bounds = BOUNDS_ALL};
	struct bpf_wanted wanted = record_wanted(&query);
	pass_loaded(load(&wanted, &program), ret);
	return ret->works;
}

int files_read_bytes(struct host *host, const struct query *query, enum pass_way way,
		     pass_take *take, void *data, struct error *err)
{
	cleanup(destroyp) struct files_bpf *program = NULL;
	struct bpf_wanted wanted = record_wanted(query);
	int r = load(&wanted, &program);
	if (r < 0)
		return error_set(err, r, "load the BPF pass over descriptors");
	r = pass_run(program->progs.files.prog_fd, way, take, data, host->stop);
	return r < 0 ? error_set(err, r, "read all descriptors through BPF") : 0;
}
#else
bool files_try(const struct host *host, struct facility *ret)
{
	return files_probe(host, ret);
}

int files_read_bytes(struct host *host unused_argument, const struct query *query unused_argument,
		     enum pass_way way unused_argument, pass_take *take unused_argument,
		     void *data unused_argument, struct error *err)
{
	return error_text(err, -ENOTSUP, "this program was built without BPF");
}
#endif

struct target {
	struct sink *sink;
	struct vector *rings;
};

static ssize_t parse_bytes(void *data, const void *bytes, size_t n)
{
	struct target *target = data;
	return record_parse(bytes, n, target->sink, target->rings);
}

int files_read(struct host *host, const struct query *query, enum pass_way way, struct sink *sink,
	       struct vector *rings, struct error *err)
{
	struct target target = {sink, rings};
	return files_read_bytes(host, query, way, parse_bytes, &target, err);
}

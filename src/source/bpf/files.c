/* The pass over all descriptors of all processes. */
#include <errno.h>
#include <string.h>

#include "source/bpf/files.h"
#include "source/bpf/pass.h"
#include "source/bpf/record.h"

int files_probe(const struct host *host, struct facility *ret)
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

struct target {
	struct sink *sink;
	struct vector *rings;
};

static int parse_bytes(void *data, const void *bytes, size_t n)
{
	struct target *target = data;
	return record_parse(bytes, n, target->sink, target->rings);
}

int files_read(struct host *host, const struct query *query, struct sink *sink,
	       struct vector *rings, struct error *err)
{
	cleanup(destroyp) struct files_bpf *program = files_bpf__open();
	if (!program)
		return error_set(err, -ENOMEM, "load the BPF pass over descriptors");
	struct bpf_wanted wanted = record_wanted(query);
	memcpy((void *)(uintptr_t)&program->rodata->wanted, &wanted, sizeof(wanted));

	int r = files_bpf__load(program);
	if (r < 0)
		return error_set(err, r, "load the BPF pass over descriptors");
	struct target target = {sink, rings};
	r = pass_run(program->progs.files.prog_fd, parse_bytes, &target, host->stop);
	return r < 0 ? error_set(err, r, "read all descriptors through BPF") : 0;
}
#else
int files_read(struct host *host unused_argument, const struct query *query unused_argument,
	       struct sink *sink unused_argument, struct vector *rings unused_argument,
	       struct error *err)
{
	return error_text(err, -ENOTSUP, "this program was built without BPF");
}
#endif

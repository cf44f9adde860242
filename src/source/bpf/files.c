/* The pass over all descriptors of all processes. */
#include <errno.h>
#include <stdlib.h>
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

#define LOADING "load the BPF pass over descriptors"
#define READING "read all descriptors through BPF"

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

static void destroy(void *program)
{
	files_bpf__destroy(program);
}

/* The one that is loaded for the same already, else loads it. */
static int take(struct host *host, const struct bpf_wanted *wanted, struct files_bpf **ret)
{
	*ret = host_take_program(host, KEPT_FILES, wanted, sizeof(*wanted));
	return *ret ? 0 : load(wanted, ret);
}

static void give(struct host *host, const struct bpf_wanted *wanted, struct files_bpf *program)
{
	host_give_program(host, KEPT_FILES, program, wanted, sizeof(*wanted), destroy);
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

int files_read_bytes(struct host *host, const struct query *query, pass_take *take_bytes,
		     void *data, struct error *err)
{
	cleanup(destroyp) struct files_bpf *program = NULL;
	struct bpf_wanted wanted = record_wanted(query);
	int r = take(host, &wanted, &program);
	if (r < 0)
		return error_set(err, r, LOADING);
	r = pass_run(program->progs.files.prog_fd, take_bytes, data, host->stop);
	give(host, &wanted, TAKE_POINTER(program));
	return r < 0 ? error_set(err, r, READING) : 0;
}

struct files_pass {
	struct host *host;
	struct bpf_wanted wanted;
	struct files_bpf *program;
	struct pass *pass;
};

static int load_pass(void *data)
{
	struct files_pass *files = data;
	int r = take(files->host, &files->wanted, &files->program);
	return r < 0 ? r : files->program->progs.files.prog_fd;
}

struct files_pass *files_start(struct host *host, const struct query *query)
{
	struct files_pass *files = malloc(sizeof(*files));
	if (!files)
		return NULL;
	files->host = host;
	files->wanted = record_wanted(query);
	files->program = NULL;
	files->pass = pass_start(load_pass, files, host->stop);
	if (!files->pass)
		free(TAKE_POINTER(files));
	return files;
}

static int finish(struct files_pass *files, pass_take *take_bytes, void *data, struct error *err)
{
	bool is_loaded;
	int r = pass_finish(files->pass, take_bytes, data, &is_loaded);
	if (is_loaded)
		give(files->host, &files->wanted, TAKE_POINTER(files->program));
	destroyp(&files->program);
	free(files);
	return r < 0 ? error_set(err, r, is_loaded ? READING : LOADING) : 0;
}

void files_abandon(struct files_pass *files)
{
	if (!files)
		return;
	pass_abandon(files->pass);
	destroyp(&files->program);
	free(files);
}
#else
bool files_try(const struct host *host, struct facility *ret)
{
	return files_probe(host, ret);
}

int files_read_bytes(struct host *host unused_argument, const struct query *query unused_argument,
		     pass_take *take unused_argument, void *data unused_argument, struct error *err)
{
	return error_text(err, -ENOTSUP, "this program was built without BPF");
}

struct files_pass *files_start(struct host *host unused_argument,
			       const struct query *query unused_argument)
{
	return NULL;
}

static int finish(struct files_pass *files unused_argument, pass_take *take unused_argument,
		  void *data unused_argument, struct error *err)
{
	return error_text(err, -ENOTSUP, "this program was built without BPF");
}

void files_abandon(struct files_pass *files unused_argument)
{
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

int files_read(struct host *host, const struct query *query, struct sink *sink,
	       struct vector *rings, struct error *err)
{
	struct target target = {sink, rings};
	return files_read_bytes(host, query, parse_bytes, &target, err);
}

int files_finish(struct files_pass *files, struct sink *sink, struct vector *rings,
		 struct error *err)
{
	struct target target = {sink, rings};
	return finish(files, parse_bytes, &target, err);
}

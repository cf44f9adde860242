/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as what the BPF programs write: the first says which of them. */
#include <assert.h>
#include <string.h>

#include "bpf/record.h"
#include "source/bpf/record.h"
#include "source/bpf/tasks.h"

static int take_socket(struct sink *sink, const struct found_socket *found)
{
	(void)sink;
	const struct socket *socket = &found->socket;
	assert(socket->proto < PROTO_MAX && socket->family < FAMILY_MAX);
	assert(socket->state && socket->state < STATE_MAX);
	return 0;
}

static int take_held(struct sink *sink, const struct found_socket *found, int32_t pid, int32_t fd)
{
	assert(pid > 0 && fd >= 0 && found->has_file == FILE_THERE);
	return take_socket(sink, found);
}

static int take_task(void *data, const struct found_task *task)
{
	(void)data;
	assert(task->pid > 0 && task->ppid >= 0 && strlen(task->name) <= 16);
	assert(!task->exe || task->exe[0] == '/');
	assert(!task->cwd || task->cwd[0] == '/');
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (!n)
		return 0;
	const void *bytes = data + 1;
	ssize_t taken = 0;
	n--;
	if (data[0] == 't') {
		taken = tasks_parse(bytes, n, take_task, NULL);
	} else {
		struct sink sink = {.socket = take_socket, .held = take_held};
		cleanup(vector_done) struct vector rings;
		vector_init(&rings, sizeof(struct found_ring));
		taken = record_parse(bytes, n, &sink, &rings);
		assert(rings.n <= n / sizeof(struct bpf_record));
	}
	assert(taken < 0 || (size_t)taken <= n);
	return 0;
}

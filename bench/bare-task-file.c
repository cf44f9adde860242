/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What any listing of holders through BPF costs at least: the pass over all descriptors loaded, run
 * once, its records read and thrown away. Prints how many there were. */
#include <stdio.h>

#include "bpf/record.h"
#include "source/bpf/files.h"

static ssize_t discard(void *data, const void *bytes, size_t n)
{
	(void)bytes;
	*(size_t *)data += n;
	return (ssize_t)n;
}

int main(void)
{
	struct host host;
	struct error err = {0};
	struct query query = {.bounds = BOUNDS_ALL};
	size_t n = 0;
	if (host_open(NULL, &host, &err) < 0 ||
	    files_read_bytes(&host, &query, discard, &n, &err) < 0) {
		fprintf(stderr, "bare-task-file: %s\n", err.what);
		return 3;
	}
	host_close(&host);
	printf("%zu\n", n / sizeof(struct bpf_record));
	return 0;
}

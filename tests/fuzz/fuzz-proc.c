/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as what /proc/PID gives: the first says which file. */
#include <assert.h>
#include <string.h>

#include "source/interpreter.h"
#include "source/proc.h"
#include "source/process.h"

static int count(void *data, uint32_t inode)
{
	assert(inode != 0);
	++*(unsigned *)data;
	return 0;
}

static void check_stat(const char *text, size_t n)
{
	struct process_stat stat;
	if (process_parse_stat(text, n, &stat) == 0)
		assert(stat.name >= text && stat.n_name <= n &&
		       stat.name + stat.n_name <= text + n && stat.ppid >= 0);
}

static void check_runs(const char *text, size_t n)
{
	const char *separator = memchr(text, '\0', n);
	if (!separator)
		return;
	const char *arguments = separator + 1;
	size_t left = n - (size_t)(arguments - text);
	const char *runs = interpreter_runs(text, arguments, left);
	if (runs)
		assert(runs >= arguments && runs + strlen(runs) < arguments + left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	unsigned registered = 0;
	if (!n)
		return 0;
	const char *text = (const char *)data + 1;
	n--;
	switch (data[0]) {
	case 's':
		check_stat(text, n);
		break;
	case 'r':
		check_runs(text, n);
		break;
	case 'l':
		proc_parse_link(text, n);
		break;
	case 'u':
		proc_parse_ring(text, n, count, &registered);
		assert(registered <= n);
		break;
	}
	return 0;
}

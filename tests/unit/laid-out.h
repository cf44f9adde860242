/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host that a test lays out in a folder of its own: /proc, /etc and what else is put there. */
#ifndef TESTS_LAID_OUT_H
#define TESTS_LAID_OUT_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "source/host.h"

struct laid_out {
	char directory[64];
	struct host host;
};

static inline void laid_out_put(const struct laid_out *laid, const char *path, const char *text,
				size_t n)
{
	char whole[512];
	snprintf(whole, sizeof(whole), "%s/%s", laid->directory, path);
	for (char *slash = strchr(whole + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(whole, 0755);
		*slash = '/';
	}
	cleanup(fclosep) FILE *file = fopen(whole, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, n, file), n);
}

static inline void laid_out_text(const struct laid_out *laid, const char *path, const char *text)
{
	laid_out_put(laid, path, text, strlen(text));
}

static inline void laid_out_link(const struct laid_out *laid, const char *path, const char *to)
{
	char whole[512];
	laid_out_put(laid, path, "", 0);
	snprintf(whole, sizeof(whole), "%s/%s", laid->directory, path);
	unlink(whole);
	assert_int_equal(symlink(to, whole), 0);
}

static inline int laid_out_start(void **state)
{
	struct laid_out *laid = calloc(1, sizeof(*laid));
	struct error err = {0};
	assert_non_null(laid);
	snprintf(laid->directory, sizeof(laid->directory), "/tmp/doorward-host-XXXXXX");
	assert_non_null(mkdtemp(laid->directory));
	laid_out_text(laid, "proc/stat", "cpu 1\nbtime 1000\n");
	assert_int_equal(host_open(laid->directory, &laid->host, &err), 0);
	*state = laid;
	return 0;
}

static inline int laid_out_end(void **state)
{
	struct laid_out *laid = *state;
	pid_t child = fork();
	if (child == 0) {
		execlp("rm", "rm", "-rf", "--", laid->directory, (char *)NULL);
		_exit(127);
	}
	waitpid(child, NULL, 0);
	host_close(&laid->host);
	free(laid);
	return 0;
}

#define LAID_OUT(test) cmocka_unit_test_setup_teardown(test, laid_out_start, laid_out_end)

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds each file of a corpus to a fuzz harness, so that the suite goes over what fuzzing found. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/attributes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int replay(const char *path)
{
	cleanup(fclosep) FILE *file = fopen(path, "rb");
	if (!file)
		return -1;
	/* exactly as long as the input: a sanitizer sees a read beyond its end */
	cleanup(freep) uint8_t *data = NULL;
	fseek(file, 0, SEEK_END);
	long n = ftell(file);
	rewind(file);
	data = malloc(n > 0 ? (size_t)n : 1);
	if (n < 0 || !data || fread(data, 1, (size_t)n, file) != (size_t)n)
		return -1;
	return LLVMFuzzerTestOneInput(data, (size_t)n);
}

int main(int n_arguments, char **arguments)
{
	DIR *corpus = n_arguments == 2 ? opendir(arguments[1]) : NULL;
	unsigned n = 0;
	if (!corpus) {
		fprintf(stderr, "usage: %s CORPUS\n", arguments[0]);
		return 2;
	}
	for (struct dirent *entry; (entry = readdir(corpus)); n++) {
		char path[4096];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", arguments[1], entry->d_name);
		if (replay(path) < 0) {
			fprintf(stderr, "%s: not readable\n", path);
			return 1;
		}
	}
	closedir(corpus);
	return n ? 0 : 1;
}

/* What `--debug` prints. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/debug.h"

const char *const debug_words[DEBUG_MAX + 1] = {"plan", "join", "source", "bpf", "netns", "act"};

static unsigned enabled;
static struct timespec start;

static double milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start.tv_sec) * 1e3 +
	       (double)(now.tv_nsec - start.tv_nsec) / 1e6;
}

bool debug_enable(const char *list, const char **wrong)
{
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (*list) {
		size_t n = strcspn(list, ",");
		bool is_known = n == 3 && strncmp(list, "all", n) == 0;
		if (is_known)
			enabled = ~0u;
		for (unsigned i = 0; i < DEBUG_MAX; i++)
			if (strlen(debug_words[i]) == n && strncmp(list, debug_words[i], n) == 0) {
				enabled |= 1u << i;
				is_known = true;
			}
		if (!is_known) {
			*wrong = list;
			return false;
		}
		list += n + (list[n] == ',');
	}
	return true;
}

bool debug_is_on(enum debug_part part)
{
	return enabled & 1u << part;
}

void debug_print(enum debug_part part, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fprintf(stderr, "doorward: %s: %.1f ms: ", debug_words[part], milliseconds());
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
}

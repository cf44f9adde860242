/* The only thing that library code may print: nothing unless `--debug join` names the part. */
#ifndef BASE_DEBUG_H
#define BASE_DEBUG_H

#include <stdbool.h>

#include "base/attributes.h"

enum debug_part {
	DEBUG_PLAN,
	DEBUG_JOIN,
	DEBUG_SOURCE,
	DEBUG_BPF,
	DEBUG_NETNS,
	DEBUG_ACT,
	DEBUG_MAX
};

extern const char *const debug_words[DEBUG_MAX + 1];

/* "join,bpf" or "all". False for a word that is none; it is then in *@wrong. */
bool debug_enable(const char *list, const char **wrong);
bool debug_is_on(enum debug_part part);
void debug_print(enum debug_part part, const char *format, ...) printf_like(2, 3);

#define debug(part, ...)                                        \
	do {                                                    \
		if (debug_is_on(DEBUG_##part))                  \
			debug_print(DEBUG_##part, __VA_ARGS__); \
	} while (0)

#endif

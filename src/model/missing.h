/* What a result does not hold, and why: "nothing is listening" and "I may not look" are never the
 * same. */
#ifndef MODEL_MISSING_H
#define MODEL_MISSING_H

#include <stdint.h>

enum what {
	WHAT_SOCKETS,
	WHAT_HOLDERS,
	WHAT_NETNS,
	WHAT_PROCESSES,
	WHAT_ADDRESSES,
	WHAT_NAMES,
	WHAT_MAX
};
extern const char
	*const what_words[WHAT_MAX + 1]; /* "sockets", "holders", "network namespaces", ... */

enum why {
	WHY_PERMISSION,
	WHY_UNSUPPORTED,
	WHY_INTERRUPTED, /* changed under way, or broken off */
	WHY_CUT,	 /* a saved file ends early */
	WHY_GONE,
	WHY_UNSEEN, /* another pid namespace, in flight in a message: no privilege would help */
	WHY_INIT,   /* a process that nobody may inspect here */
	WHY_ERROR,
	WHY_MAX,
};
extern const char *const why_words[WHY_MAX + 1]; /* "permission", ... */

struct missing {
	enum what what;
	enum why why;
	uint64_t count;	  /* how many; 0 where that is not known */
	const char *hint; /* how to see them, or NULL; constant or in the arena */
};

#endif

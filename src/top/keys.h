/* The one table of keys: what they do, `?`, and the manual. */
#ifndef TOP_KEYS_H
#define TOP_KEYS_H

#include <stdint.h>

struct top;

struct key_binding {
	const char *shown;	      /* "Enter" */
	const char *label;	      /* of the bottom line; NULL: it is not there */
	const char *help;	      /* one line */
	uint8_t kind, kind2;	      /* enum input_kind; 0 none */
	char point, point2;	      /* of INPUT_CHAR; 0: none */
	void (*act)(struct top *top); /* NULL: the tab does it, and the table only tells */
	const char *(*why_not)(const struct top *top); /* NULL, or returns NULL: it can be done */
};

extern const struct key_binding top_keys[]; /* shown NULL ends */

#endif

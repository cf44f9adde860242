/* How a call that failed tells a person why. Lives on the caller's stack. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/attributes.h"

struct error {
	int code;	/* negative errno, 0 when nothing was told */
	char what[192]; /* "open /proc/net/tcp: not permitted", without the program's name */
	char hint[128]; /* how to mend it, empty where nothing fits */
	unsigned place; /* of a text that was read: the byte at which it is wrong, from 1; 0 none */
};

/* Tells @err (may be NULL) "WHAT: REASON", the reason from @code (negative errno); returns @code.
 */
int error_set(struct error *err, int code, const char *format, ...) printf_like(3, 4);

/* The same without a reason of the system's: the text is the whole message. */
int error_text(struct error *err, int code, const char *format, ...) printf_like(3, 4);

/* Adds how to mend it. */
void error_hint(struct error *err, const char *format, ...) printf_like(2, 3);

/* Words for a negative errno as our messages have them ("not permitted", "no such file"). */
const char *error_reason(int code);

#endif

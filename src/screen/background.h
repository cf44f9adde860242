/* Is the terminal light or dark? Asked of it (OSC 11, xterm's control sequences), with an end. */
#ifndef SCREEN_BACKGROUND_H
#define SCREEN_BACKGROUND_H

#include <stdbool.h>
#include <stddef.h>

#define BACKGROUND_WAIT_MS 150

enum background { BACKGROUND_UNKNOWN, BACKGROUND_DARK, BACKGROUND_LIGHT };

#define TYPED_MAX 256

/* What a person typed while the terminal was asked. */
struct typed {
	char bytes[TYPED_MAX];
	size_t n;
};

/* The terminal at @in and @out, which is in raw mode. */
enum background background_ask(int in, int out, struct typed *typed);

/* What came back. *@ret_is_whole: it has answered all, nothing more is to come. Pure. */
enum background background_parse(const char *bytes, size_t n, bool *ret_is_whole);

/* What is no answer of all that came; of one that is not whole its beginning too, for its end is
 * still to come. Pure. */
void background_typed(const char *bytes, size_t n, struct typed *ret);

/* "15;0" as COLORFGBG has it. Pure. */
enum background background_of_variable(const char *text);

#endif

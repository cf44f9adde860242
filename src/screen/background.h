/* Is the terminal light or dark? Asked of it (OSC 11, xterm's control sequences), with an end. */
#ifndef SCREEN_BACKGROUND_H
#define SCREEN_BACKGROUND_H

#include <stdbool.h>
#include <stddef.h>

#define BACKGROUND_WAIT_MS 150

enum background { BACKGROUND_UNKNOWN, BACKGROUND_DARK, BACKGROUND_LIGHT };

/* The terminal at @in and @out, which is in raw mode. What a person types meanwhile is lost. */
enum background background_ask(int in, int out);

/* What came back. *@ret_is_whole: it has answered all, nothing more is to come. Pure. */
enum background background_parse(const char *bytes, size_t n, bool *ret_is_whole);

/* "15;0" as COLORFGBG has it. Pure. */
enum background background_of_variable(const char *text);

#endif

/* Text that came from elsewhere: UTF-8, what a terminal may see of it, how wide it is. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/out.h"

/* Decodes one character at @bytes: its code point and length in *@length, or -1 for a byte that is
 * not UTF-8 (then *@length is 1; overlong forms, surrogates and above U+10FFFF are not UTF-8). */
int32_t text_decode(const char *bytes, size_t n, size_t *length);

/* A terminal may see it: no control (C0, DEL, C1), no bidi override or isolate, no zero width, no
 * line or paragraph separator, assigned enough to have a width. */
bool text_is_printable(int32_t code_point);

/* Columns of a printable code point: 0 combining, 1, or 2 for wide ones. No locale. */
unsigned text_columns(int32_t code_point);

/* The text with all that a terminal must not see escaped: \e \n \t \xHH (bytes) \u{HHHH}; the
 * backslash itself stays. Returns the columns that it takes. @out may be NULL to measure only. */
size_t text_show(struct out *out, const char *bytes, size_t n);

/* The same, cut to at most @columns with "…" (or "~" where @ascii) as the last. */
size_t text_show_cut(struct out *out, const char *bytes, size_t n, size_t columns, bool ascii);

/* The word of @words (NULL ends them) nearest to @typed, or NULL where none is near enough. */
const char *text_nearest(const char *typed, const char *const *words);

/* @needle stands in @text, letters of either case. */
bool text_contains(const char *text, const char *needle);

#endif

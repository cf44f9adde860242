/* Prose for a person: headings, labels, sentences wrapped to the width of the terminal. */
#ifndef VIEW_PAGE_H
#define VIEW_PAGE_H

#include <stdbool.h>

#include "base/out.h"

struct page {
	struct out *out;
	bool has_colour, is_utf8;
	unsigned columns; /* 0: no limit, nothing is wrapped */
};

#define PAGE_LABEL 13 /* columns of a label, its indent of two included */

/* A line of its own, bold where there is colour. */
void page_heading(const struct page *page, const char *text);

/* "  label    " and then @n bytes of @text, which may be foreign: escaped, wrapped, continued
 * beneath the text. Label "" for a line that goes on. Ends the line. */
void page_line(const struct page *page, const char *label, const char *text, size_t n);

/* The same, @mark as a warning (yellow where there is colour). */
void page_warning(const struct page *page, const char *label, const char *text, size_t n);

/* The same for a text under construction, which is emptied. */
void page_flush(const struct page *page, const char *label, struct out *text);

/* The same in one line that is cut instead of wrapped: a command line, a path. */
void page_cut(const struct page *page, const char *label, const char *text, size_t n);

#endif

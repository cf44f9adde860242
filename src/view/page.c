/* Prose for a person. */
#include "base/text.h"
#include "view/page.h"

#define BOLD "\033[1m"
#define DIM "\033[2m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

static void paint(const struct page *page, const char *colour)
{
	if (page->has_colour)
		out_string(page->out, colour);
}

void page_heading(const struct page *page, const char *text)
{
	paint(page, BOLD);
	text_show(page->out, text, strlen(text));
	paint(page, PLAIN);
	out_char(page->out, '\n');
}

static void put_label(const struct page *page, const char *label)
{
	size_t n = 2 + strlen(label);
	out_spaces(page->out, 2);
	paint(page, DIM);
	out_string(page->out, label);
	paint(page, PLAIN);
	out_spaces(page->out, n < PAGE_LABEL ? PAGE_LABEL - n : 1);
}

/* Columns left of the line that begins with @label. */
static size_t room_behind(const struct page *page, const char *label)
{
	size_t n = 2 + strlen(label);
	size_t used = n < PAGE_LABEL ? PAGE_LABEL : n + 1;
	return page->columns > used + 20 ? page->columns - used : 0;
}

/* Word for word; a word that is wider than the line stands alone on one. */
static void put_wrapped(const struct page *page, const char *text, size_t n, size_t room)
{
	size_t column = 0;
	for (size_t at = 0; at < n;) {
		size_t end = at;
		while (end < n && text[end] != ' ')
			end++;
		size_t width = text_show(NULL, text + at, end - at);
		if (room && column && column + 1 + width > room) {
			out_char(page->out, '\n');
			out_spaces(page->out, PAGE_LABEL);
			column = 0;
			room = page->columns - PAGE_LABEL;
		} else if (at) {
			out_char(page->out, ' ');
			column++;
		}
		text_show(page->out, text + at, end - at);
		column += width;
		at = end + 1;
	}
}

void page_line(const struct page *page, const char *label, const char *text, size_t n)
{
	put_label(page, label);
	put_wrapped(page, text, n, room_behind(page, label));
	out_char(page->out, '\n');
}

void page_warning(const struct page *page, const char *label, const char *text, size_t n)
{
	put_label(page, label);
	paint(page, YELLOW);
	put_wrapped(page, text, n, room_behind(page, label));
	paint(page, PLAIN);
	out_char(page->out, '\n');
}

void page_flush(const struct page *page, const char *label, struct out *text)
{
	page_line(page, label, text->data, text->n);
	text->n = 0;
}

void page_cut(const struct page *page, const char *label, const char *text, size_t n)
{
	size_t room = room_behind(page, label);
	put_label(page, label);
	if (room)
		text_show_cut(page->out, text, n, room, !page->is_utf8);
	else
		text_show(page->out, text, n);
	out_char(page->out, '\n');
}

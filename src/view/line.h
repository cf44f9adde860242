/* One event, one line: for a person, or as JSON. */
#ifndef VIEW_LINE_H
#define VIEW_LINE_H

#include <stdbool.h>

#include "base/out.h"
#include "model/event.h"

struct line_style {
	unsigned columns; /* that a line is fitted to; 0: no limit, and the whole date on each */
	bool has_colour, is_utf8;
};

/* What a line says the same as the line before is made once: a second, a process. */
struct line;
struct line *line_new(const struct line_style *style); /* NULL: no memory */
void line_free(struct line *line);		       /* NULL is fine */

/* In local time. Neither the ports nor the addresses are ever cut. */
void line_text(struct line *line, struct out *out, const struct event *event);

/* {"event":...}, with a newline. Of `started` the whole envelope stands in it: schema, host,
 * boot_id, and @missing (of struct missing; may be NULL). */
void line_json(struct line *line, struct out *out, const struct event *event,
	       const struct vector *missing);

/* What one of the watching itself says, without its time and its end: "lost  3 events are not
 * known: the kernel's ring was full". */
void line_watching(struct out *out, const struct event *event);

/* The events of @rows (model/events.h) as lines, or as one object: {"schema":...,"events":[...]}. 0
 * or negative errno. */
struct rows;
int lines_print(struct out *out, const struct rows *rows, bool is_document);

/* Of its keys those of the socket and its holders, without braces; a process, or null for NONE. */
void line_json_socket(struct line *line, struct out *out, const struct snapshot *snapshot,
		      uint32_t socket);
void line_json_process(struct line *line, struct out *out, const struct snapshot *snapshot,
		       uint32_t process);

/* "1.5 s", "12 ms": at @to of 32 bytes, without NUL. Returns how many. */
size_t line_duration(char *to, uint64_t ns);

#endif

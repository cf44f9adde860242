/* One row as a page gets it. */
#ifndef SERVE_ROW_H
#define SERVE_ROW_H

#include "model/difference.h"
#include "view/cell.h"
#include "view/line.h"

/* The same row has the same from one snapshot to the next: of a connection its ends, of a socket
 * its cookie or inode too, of several what they have in common. */
uint64_t row_id(const struct rows *rows, uint32_t row, enum rows_by by);

/* What became of its sockets. @change: of each socket; NULL: nothing is known. */
enum change row_change(const struct rows *rows, uint32_t row, const uint8_t *change);

struct row_writer {
	const struct rows *rows;
	const struct field *const *fields;
	struct column *columns;
	enum rows_by by;
	struct line *line;	   /* of who writes events */
	const struct event *event; /* that the next row tells of; NULL: it is of a listing */
	struct out cell, json;
};

/* @by: what the rows are united by. 0 or -ENOMEM; row_writer_done in either case. */
int row_writer_init(struct row_writer *writer, const struct rows *rows, enum rows_by by,
		    const struct field *const *fields);
void row_writer_done(struct row_writer *writer);

/* "n":2,"target":"tcp/80","chooses":null,"netns":null,"cells":[...], malloc'ed; NULL: no memory.
 */
char *row_writer_json(struct row_writer *writer, uint32_t row);

#endif

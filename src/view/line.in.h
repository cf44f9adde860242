/* What the two kinds of line share. Only for view/line*.c. */
#ifndef VIEW_LINE_IN_H
#define VIEW_LINE_IN_H

#include "view/json.h"
#include "view/line.h"

#define LINE_KEPT 64 /* processes, by pid: a power of two */

/* A process as JSON, as it was written last, and what it was made of. */
struct line_kept {
	struct process process; /* its numbers; the texts are not ours */
	struct out texts;	/* what its texts were, one after another */
	struct out before, behind;
	bool is_used;
};

struct line {
	struct line_style style;
	struct json_shape *shape;
	struct line_kept *kept[LINE_KEPT];
	uint64_t second; /* whose text stands in time */
	char time[EVENT_TIME_MAX];
	size_t n_time;
	int day;       /* of people's lines: the last that was told, with its year; 0 none */
	unsigned ends; /* columns that both ends get */
	struct out tail;
};

#endif

/* Events that are kept, as JSON. */
#include <errno.h>

#include "model/events.h"
#include "view/json.h"
#include "view/line.h"

static void linep(struct line **line)
{
	line_free(*line);
}

static const struct event *event_of(const struct rows *rows, uint32_t i)
{
	return events_at(rows->snapshot, rows->order[i]);
}

int lines_print(struct out *out, const struct rows *rows, bool is_document)
{
	const struct line_style style = {.is_utf8 = true};
	cleanup(linep) struct line *line = line_new(&style);
	cleanup(out_done) struct out one = {.fd = -1};
	if (!line || out_init(&one, -1) < 0)
		return -ENOMEM;
	if (is_document) {
		out_char(out, '{');
		json_envelope(out, rows->snapshot);
		out_string(out, ",\"events\":[");
	}
	for (uint32_t i = 0; i < rows->n_sockets; i++) {
		const struct event *event = event_of(rows, i);
		one.n = 0;
		line_json(line, &one, event, &rows->snapshot->missing);
		if (is_document)
			out_string(out, i ? ",\n" : "\n");
		out_bytes(out, one.data, one.n - (is_document && one.n ? 1 : 0));
	}
	if (is_document)
		out_string(out, "\n]}\n");
	return one.error;
}

/* The record of what was, opened for reading. */
#include <errno.h>

#include "cmd/archive.h"
#include "journal/record-of.h"
#include "model/moment.h"
#include "source/zone.h"

int archive_open(struct context *context, const char *path, struct error *err)
{
	struct archived *archived = arena_alloc(&context->arena, sizeof(*archived));
	if (!archived)
		return error_set(err, -ENOMEM, "open the record");
	if (path && !path[0])
		return error_text(err, -EINVAL, "--db: it takes the file of a record");
	struct record_of of;
	int r = record_open(path, &of, err);
	if (r < 0)
		return r;
	archived->history = of.history;
	archived->archive = of.archive;
	context->archived = archived;
	return 0;
}

void archive_close(struct context *context)
{
	if (context->archived)
		context->archived->history->close(context->archived->archive);
	context->archived = NULL;
}

int archive_moment(const char *option, const char *text, bool is_past, uint64_t *ret_ns,
		   struct error *err)
{
	uint64_t now = zone_now_ns();
	struct error why = {0};
	int r = moment_parse(text, now, &zone_local, ret_ns, &why);
	if (r < 0) {
		error_text(err, r, "%s: %s", option, why.what);
		if (why.hint[0])
			error_hint(err, "%s", why.hint);
		return r;
	}
	if (is_past && *ret_ns > now) {
		char shown[RFC3339_MAX];
		calendar_plain(shown, *ret_ns, &zone_local);
		return error_text(err, -EINVAL, "%s %.60s: that is still to come (%s)", option,
				  text, shown);
	}
	return 0;
}

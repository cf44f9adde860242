/* The record of what was, opened for reading. */
#include <errno.h>
#include <string.h>

#include "base/module.h"
#include "cmd/archive.h"
#include "model/moment.h"
#include "source/zone.h"

static int tell(const char *path, int r, struct error *err)
{
	if (r == -ENOENT) {
		error_text(err, r, "nothing is recorded in %.150s", path);
		error_hint(err, "begin with: systemctl enable --now doorward-record, or sudo "
				"doorward record");
	} else if (r == -EACCES || r == -EPERM) {
		error_text(err, r, "%.130s may be read by root and by members of its group alone",
			   path);
		error_hint(err, "run it with sudo, or be of the group: sudo usermod -aG doorward "
				"$USER");
	} else if (r == -EINVAL) {
		return -EBADMSG; /* what is in a file is no fault of the command line */
	}
	return r;
}

int archive_open(struct context *context, const char *path, struct error *err)
{
	struct archived *archived = arena_alloc(&context->arena, sizeof(*archived));
	if (!archived)
		return error_set(err, -ENOMEM, "open the record");
	if (path && !path[0])
		return error_text(err, -EINVAL, "--db: it takes the file of a record");
	if (!path)
		path = HISTORY_PATH;
	archived->history = module_get("history", HISTORY_VERSION, err);
	if (!archived->history)
		return -ENOTSUP;
	int r = archived->history->open(path, &archived->archive, err);
	if (r < 0)
		return tell(path, r, err);
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

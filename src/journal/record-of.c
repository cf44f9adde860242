/* The record of what was. */
#include <errno.h>

#include "base/module.h"
#include "base/privilege.h"
#include "journal/record-of.h"

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

int record_open(const char *path, struct record_of *ret, struct error *err)
{
	*ret = (struct record_of){0};
	if (!path)
		path = HISTORY_PATH;
	const struct history *history = module_get("history", HISTORY_VERSION, err);
	if (!history)
		return -ENOTSUP;
	int r = history->open(path, &ret->archive, err);
	if (r < 0)
		return tell(path, r, err);
	ret->history = history;
	return 0;
}

int record_open_as_caller(const char *path, struct record_of *ret, struct error *err)
{
	privilege_lay_aside();
	int r = record_open(path, ret, err);
	privilege_resume();
	return r;
}

void record_close(struct record_of *of)
{
	if (of->history)
		of->history->close(of->archive);
	*of = (struct record_of){0};
}

/* The record of what was. */
#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/module.h"
#include "base/privilege.h"
#include "journal/record-of.h"

/* Its unit is where systemd looks for one. */
static bool has_service(void)
{
	static const char *const places[] = {
		"/etc/systemd/system/doorward-record.service",
		"/usr/local/lib/systemd/system/doorward-record.service",
		"/usr/lib/systemd/system/doorward-record.service",
		"/lib/systemd/system/doorward-record.service",
	};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (access(places[i], F_OK) == 0)
			return true;
	return false;
}

static int tell(const char *path, int r, struct error *err)
{
	if (r == -ENOENT) {
		error_text(err, r, "nothing is recorded in %.150s", path);
		error_hint(err, "begin with: %s",
			   has_service()
				   ? "sudo systemctl enable --now doorward-record"
				   : "sudo doorward record (as a service: doorward-record(1))");
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

/* The module's table. */
#include <errno.h>

#include "base/module.h"
#include "history/history.h"

static int no_record(const struct recorder_wish *wish, struct recorder **ret, struct error *err)
{
	(void)ret;
	return error_set(err, -ENOSYS, "record to %s", wish->path);
}

static int no_open(const char *path, struct archive **ret, struct error *err)
{
	(void)ret;
	return error_set(err, -ENOSYS, "read %s", path);
}

static const struct history functions = {.record = no_record, .open = no_open};

MODULE_DEFINE(history) = {.name = "history", .version = HISTORY_VERSION, .functions = &functions};

/* The module's table. */
#include <errno.h>

#include "base/module.h"
#include "history/record.h"

static int no_open(const char *path, struct archive **ret, struct error *err)
{
	(void)ret;
	return error_set(err, -ENOSYS, "read %s", path);
}

static const struct history functions = {.record = record_open,
					 .sink = record_sink,
					 .turn = record_turn,
					 .due = record_due,
					 .state = record_state,
					 .stop = record_stop,
					 .open = no_open};

MODULE_DEFINE(history) = {.name = "history", .version = HISTORY_VERSION, .functions = &functions};

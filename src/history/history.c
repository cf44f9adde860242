/* The module's table. */
#include "base/module.h"
#include "history/archive.h"
#include "history/record.h"

static const struct history functions = {.record = record_open,
					 .sink = record_sink,
					 .turn = record_turn,
					 .due = record_due,
					 .state = record_state,
					 .stop = record_stop,
					 .open = recall_open,
					 .close = recall_close,
					 .snapshot_at = recall_at,
					 .intervals = recall_intervals,
					 .change = recall_change,
					 .first_seen = recall_first_seen,
					 .changes = recall_changes,
					 .idle = recall_idle,
					 .replay = recall_replay,
					 .status = recall_status};

MODULE_DEFINE(history) = {.name = "history", .version = HISTORY_VERSION, .functions = &functions};

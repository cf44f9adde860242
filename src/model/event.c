/* The words of events. */
#include "model/event.h"

const char *const event_words[EVENT_MAX + 1] = {
	"started", "opened",	     "closed", "established", "ended",
	"refused", "connect_failed", "lost",   "gap",	      "standing"};
const char *const sure_words[SURE_MAX + 1] = {"", "exact", "probable"};
const char *const how_words[HOW_MAX + 1] = {"",	       "closed",    "reset",
					    "aborted", "timed_out", "destroyed"};
const char *const told_by_words[TOLD_BY_MAX + 1] = {"bpf", "netlink", "resync"};

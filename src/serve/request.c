/* The words of requests, and whether one may be looked at. */
#include <string.h>

#include "base/attributes.h"
#include "serve/request.h"

const char *const tab_words[TAB_MAX + 1] = {"doors", "connections", "events"};
const char *const group_words[GROUP_MAX + 1] = {"none", "service",   "process",
						"unit", "container", "peer"};
const char *const act_words[ACT_MAX + 1] = {"close", "block", "unblock"};
const char *const step_words[STEP_MAX + 1] = {"none", "earlier", "later"};
const char *const rates_words[RATES_MAX + 1] = {"host", "port", "process"};
const char *const by_words[] = {"auto", "unit", "container", "process", "socket", "release", NULL};

#define BY_MAX (ARRAY_SIZE(by_words) - 1)

static bool ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool is_flag(uint8_t value)
{
	return value <= 1;
}

static bool is_wish(const struct wish *wish)
{
	return !(wish->parts & ~(uint32_t)WISH_ALL) && wish->tab < TAB_MAX &&
	       wish->group < GROUP_MAX && is_flag(wish->is_paused) && is_flag(wish->has_map) &&
	       wish->count <= WINDOW_ROWS_MAX && wish->moment_ms <= MOMENT_MAX_MS &&
	       ends(wish->filter, sizeof(wish->filter)) && ends(wish->sort, sizeof(wish->sort)) &&
	       ends(wish->columns, sizeof(wish->columns));
}

static bool is_deed(const struct deed *deed)
{
	return deed->kind < ACT_MAX && deed->by < BY_MAX && is_flag(deed->is_forced) &&
	       is_flag(deed->takes_connections) && is_flag(deed->keeps_connections) &&
	       is_flag(deed->cuts) && is_flag(deed->has_end) &&
	       ends(deed->target, sizeof(deed->target)) &&
	       ends(deed->filter, sizeof(deed->filter)) && ends(deed->from, sizeof(deed->from)) &&
	       ends(deed->reason, sizeof(deed->reason));
}

bool request_is_valid(const struct request *request)
{
	if (request->verb >= VERB_MAX || request->proto > 1 || request->rates_of >= RATES_MAX ||
	    request->step >= STEP_MAX || request->n_identities > STEPS_MAX ||
	    !ends(request->target, sizeof(request->target)))
		return false;
	return request->verb == VERB_PLAN ? is_deed(&request->deed) : is_wish(&request->wish);
}

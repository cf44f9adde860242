/* The words of events. */
#include <string.h>
#include <time.h>

#include "base/attributes.h"
#include "model/event.h"

const char *const event_words[EVENT_MAX + 1] = {
	"started",	  "opened", "closed", "established", "ended", "refused",
	"connect_failed", "lost",   "gap",    "standing",    "knock"};
const char *const sure_words[SURE_MAX + 1] = {"", "exact", "probable"};
const char *const how_words[HOW_MAX + 1] = {"",	       "closed",    "reset",
					    "aborted", "timed_out", "destroyed"};
const char *const told_by_words[TOLD_BY_MAX + 1] = {"bpf", "netlink", "resync"};

static char *put_digits(char *to, uint64_t number, unsigned n)
{
	for (unsigned i = n; i--; number /= 10)
		to[i] = (char)('0' + number % 10);
	return to + n;
}

size_t event_time_text(uint64_t time_ns, char *to)
{
	static const char between[] = "--T::.";
	time_t seconds = (time_t)(time_ns / 1000000000);
	struct tm day = {0};
	gmtime_r(&seconds, &day);
	const uint64_t parts[] = {(uint64_t)(day.tm_year + 1900) % 10000,
				  (uint64_t)day.tm_mon + 1,
				  (uint64_t)day.tm_mday,
				  (uint64_t)day.tm_hour,
				  (uint64_t)day.tm_min,
				  (uint64_t)day.tm_sec};
	char *at = to;
	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
		at = put_digits(at, parts[i], i ? 2 : 4);
		*at++ = between[i];
	}
	at = put_digits(at, time_ns % 1000000000, 9);
	memcpy(at, "Z", 2);
	return (size_t)(at + 1 - to);
}

bool event_is_of_watching(const struct event *event)
{
	return event->kind == EVENT_STARTED || event->kind == EVENT_LOST ||
	       event->kind == EVENT_GAP;
}

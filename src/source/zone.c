/* The time zone of whoever calls. */
#include <stdio.h>
#include <time.h>

#include "source/zone.h"

static int32_t local_offset(int64_t unix_seconds, char name[ZONE_NAME_MAX])
{
	time_t when = (time_t)unix_seconds;
	struct tm tm;
	if (!localtime_r(&when, &tm)) /* it reads the zone at first use, here as with musl */
		return zone_utc.offset(unix_seconds, name);
	if (name)
		snprintf(name, ZONE_NAME_MAX, "%s", tm.tm_zone ? tm.tm_zone : "");
	return (int32_t)tm.tm_gmtoff;
}

const struct zone zone_local = {.offset = local_offset};

uint64_t zone_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

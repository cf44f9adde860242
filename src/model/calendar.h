/* Days and clocks of the proleptic Gregorian calendar, in any zone, without a look at this host. */
#ifndef MODEL_CALENDAR_H
#define MODEL_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_SECOND 1000000000u

/* How far the clocks on the wall stand ahead of UTC, in seconds, at a moment (Unix seconds); its
 * abbreviation ("CET") to @name, where that is not NULL. source/zone.h has this host's. */
#define ZONE_NAME_MAX 16
struct zone {
	int32_t (*offset)(int64_t unix_seconds, char name[ZONE_NAME_MAX]);
};
extern const struct zone zone_utc;

struct civil {
	int year;				   /* as it is said: 2026 */
	unsigned month, day, hour, minute, second; /* month and day from 1 */
};

/* Such a day exists, and such a time of day; 60 is no second. */
bool civil_is_valid(const struct civil *civil);
/* Days since 1970-01-01 of a date; days may be added to it. */
int64_t civil_days(int year, unsigned month, unsigned day);
/* As if it were UTC. */
int64_t civil_seconds(const struct civil *civil);
void civil_from_seconds(int64_t seconds, struct civil *ret);
/* 0 is Sunday. */
unsigned civil_weekday(int64_t days);

/* When the clocks of @zone show @local (seconds of civil_seconds). Of two such moments (the hour
 * that comes twice) the first; where none is (the hour that is left out) the clocks' jump. */
int64_t zone_resolve(const struct zone *zone, int64_t local);

/* RFC 3339 with the zone's offset and @digits (0 to 9) of the second's fraction, NUL behind it:
 * "2026-03-01T03:00:00.250+01:00", Z for UTC. Returns its length. */
#define RFC3339_MAX 40
size_t calendar_rfc3339(char to[RFC3339_MAX], uint64_t unix_ns, const struct zone *zone,
			unsigned digits);
/* As people read it: "2026-03-01 03:00:00", without zone. */
size_t calendar_plain(char to[RFC3339_MAX], uint64_t unix_ns, const struct zone *zone);

#endif

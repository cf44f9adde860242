/* A moment as people type it. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/attributes.h"
#include "base/numbers.h"
#include "base/text.h"
#include "model/moment.h"

#define DAY 86400
#define LENGTH_MAX 64
#define YEAR_FIRST 1970
#define YEAR_LAST 2400

struct parser {
	const char *text, *at, *end;
	const struct zone *zone;
	uint64_t now_ns;
	int64_t today; /* days since 1970, by the zone */
	struct error *err;
};

static int fail(const struct parser *parser, const char *place, const char *what)
{
	char excerpt[LENGTH_MAX + 1];
	size_t n = 0;
	for (const char *c = parser->text; c < parser->end && n < LENGTH_MAX; c++)
		excerpt[n++] = *c >= 0x20 && *c < 0x7f ? *c : '?';
	excerpt[n] = '\0';
	error_text(parser->err, -EINVAL, "time: %s\n  %s\n  %*s^", what, excerpt,
		   (int)(place - parser->text), "");
	if (parser->err)
		parser->err->place = (unsigned)(place - parser->text) + 1;
	return -EINVAL;
}

static void skip_spaces(struct parser *parser)
{
	while (parser->at < parser->end && (*parser->at == ' ' || *parser->at == ','))
		parser->at++;
}

static char peek(const struct parser *parser, size_t ahead)
{
	return (size_t)(parser->end - parser->at) > ahead ? parser->at[ahead] : '\0';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static size_t word_length(const struct parser *parser)
{
	size_t n = 0;
	while (is_letter(peek(parser, n)))
		n++;
	return n;
}

static bool take_word(struct parser *parser, const char *word)
{
	size_t n = strlen(word);
	if (word_length(parser) != n || strncasecmp(parser->at, word, n) != 0)
		return false;
	parser->at += n;
	skip_spaces(parser);
	return true;
}

static bool take_char(struct parser *parser, char c)
{
	if (peek(parser, 0) != c)
		return false;
	parser->at++;
	return true;
}

/* Between @least and @most digits. */
static bool take_digits(struct parser *parser, unsigned least, unsigned most, unsigned *ret)
{
	unsigned n = 0, number = 0;
	for (; n < most && is_digit(peek(parser, n)); n++)
		number = number * 10 + (unsigned)(peek(parser, n) - '0');
	if (n < least)
		return false;
	parser->at += n;
	*ret = number;
	return true;
}

/* ".25" as nanoseconds; more than nine digits are dropped. */
static unsigned take_fraction(struct parser *parser)
{
	unsigned ns = 0, unit = NS_PER_SECOND / 10;
	if (peek(parser, 0) != '.' || !is_digit(peek(parser, 1)))
		return 0;
	for (parser->at++; is_digit(peek(parser, 0)); parser->at++, unit /= 10)
		ns += (unsigned)(*parser->at - '0') * unit;
	return ns;
}

static int nearest_word(struct parser *parser, const char *place)
{
	static const char *const words[] = {
		"now",	    "today",  "yesterday", "tomorrow", "monday",   "tuesday", "wednesday",
		"thursday", "friday", "saturday",  "sunday",   "midnight", "noon",    "since",
		"until",    "ago",    "second",	   "seconds",  "minute",   "minutes", "hour",
		"hours",    "day",    "days",	   "week",     "weeks",	   "month",   "months",
		"year",	    "years",  NULL};
	char word[16];
	size_t n = 0;
	for (; n < sizeof(word) - 1 && place + n < parser->end && is_letter(place[n]); n++)
		word[n] = (char)(place[n] | 32);
	word[n] = '\0';
	fail(parser, place, "it is no time that is known here");
	const char *nearest = n ? text_nearest(word, words) : NULL;
	if (nearest)
		error_hint(parser->err, "did you mean %s?", nearest);
	else
		error_hint(parser->err, "such as 10m, 2 hours ago, yesterday 14:00, "
					"2026-03-01 03:00, @1772330400");
	return -EINVAL;
}

/* "14:00", "14:00:30.5", "2pm", "2:30 pm". 1: there was one; 0: there is none. */
static int take_clock(struct parser *parser, struct civil *civil, unsigned *ns)
{
	const char *place = parser->at;
	if (take_word(parser, "midnight"))
		return 1;
	if (take_word(parser, "noon")) {
		civil->hour = 12;
		return 1;
	}
	if (!take_digits(parser, 1, 2, &civil->hour))
		return 0;
	bool has_minutes = take_char(parser, ':');
	if (has_minutes && !take_digits(parser, 2, 2, &civil->minute))
		return fail(parser, parser->at, "two digits of minutes stand here");
	if (has_minutes && take_char(parser, ':')) {
		if (!take_digits(parser, 2, 2, &civil->second))
			return fail(parser, parser->at, "two digits of seconds stand here");
		*ns = take_fraction(parser);
	}
	const char *behind = parser->at;
	skip_spaces(parser);
	bool is_am = take_word(parser, "am"), is_pm = !is_am && take_word(parser, "pm");
	if (!is_am && !is_pm && !has_minutes) {
		parser->at = place;
		return 0;
	}
	if ((is_am || is_pm) && (civil->hour < 1 || civil->hour > 12))
		return fail(parser, place, "there is no such hour");
	if (is_am || is_pm)
		civil->hour = civil->hour % 12 + (is_pm ? 12 : 0);
	else
		parser->at = behind;
	if (civil->hour > 23 || civil->minute > 59 || civil->second > 59)
		return fail(parser, place, "there is no such time of day");
	return 1;
}

/* "Z", "UTC", "+01:00", "+0100", "+01". 1: there was one. */
static int take_zone(struct parser *parser, int *ret_offset)
{
	const char *place = parser->at;
	unsigned hours, minutes = 0;
	skip_spaces(parser);
	*ret_offset = 0;
	if (take_word(parser, "z") || take_word(parser, "utc") || take_word(parser, "gmt"))
		return 1;
	char sign = peek(parser, 0);
	if (sign != '+' && sign != '-') {
		parser->at = place;
		return 0;
	}
	parser->at++;
	if (!take_digits(parser, 2, 2, &hours))
		return fail(parser, parser->at, "a zone is +01:00, Z or UTC");
	bool has_colon = take_char(parser, ':');
	if (!take_digits(parser, 2, 2, &minutes) && has_colon)
		return fail(parser, parser->at, "a zone is +01:00, Z or UTC");
	if (hours > 23 || minutes > 59)
		return fail(parser, place, "there is no such zone");
	*ret_offset = (int)(hours * 60 + minutes) * (sign == '-' ? -60 : 60);
	return 1;
}

static int give(const struct parser *parser, int64_t seconds, unsigned ns, uint64_t *ret)
{
	static const int64_t last = INT64_C(13601088000); /* the end of YEAR_LAST */
	if (seconds < 0 || seconds >= last)
		return fail(parser, parser->text, "years go from 1970 to 2400");
	*ret = (uint64_t)seconds * NS_PER_SECOND + ns;
	return 0;
}

/* A day, and perhaps a time of it, and perhaps the zone of both. */
static int take_day_time(struct parser *parser, const struct civil *day, uint64_t *ret)
{
	struct civil civil = *day;
	unsigned ns = 0;
	int offset;
	skip_spaces(parser);
	if (is_digit(peek(parser, 1)) && (peek(parser, 0) | 32) == 't')
		parser->at++;
	int r = take_clock(parser, &civil, &ns);
	if (r >= 0)
		r = take_zone(parser, &offset);
	if (r < 0)
		return r;
	int64_t local = civil_seconds(&civil);
	return give(parser, r ? local - offset : zone_resolve(parser->zone, local), ns, ret);
}

static int take_days_time(struct parser *parser, int64_t days, uint64_t *ret)
{
	struct civil civil;
	civil_from_seconds(days * DAY, &civil);
	return take_day_time(parser, &civil, ret);
}

/* "2026-03-01", and what stands behind it. */
static int take_date(struct parser *parser, uint64_t *ret)
{
	struct civil civil = {0};
	const char *place = parser->at;
	unsigned year = 0;
	if (!take_digits(parser, 4, 4, &year) || !take_char(parser, '-') ||
	    !take_digits(parser, 1, 2, &civil.month) || !take_char(parser, '-') ||
	    !take_digits(parser, 1, 2, &civil.day))
		return fail(parser, parser->at, "a date is 2026-03-01");
	civil.year = (int)year;
	if (year < YEAR_FIRST || year > YEAR_LAST)
		return fail(parser, place, "years go from 1970 to 2400");
	if (!civil_is_valid(&civil))
		return fail(parser, place, "there is no such day");
	return take_day_time(parser, &civil, ret);
}

static int take_unix(struct parser *parser, uint64_t *ret)
{
	uint64_t seconds;
	const char *place = ++parser->at;
	if (number_scan(&parser->at, parser->end, 10, &seconds) < 0)
		return fail(parser, place, "@ is followed by seconds since 1970");
	return give(parser, seconds > INT64_MAX ? -1 : (int64_t)seconds, take_fraction(parser),
		    ret);
}

static int before_now(struct parser *parser, uint64_t ms, uint64_t *ret)
{
	uint64_t ns;
	skip_spaces(parser);
	take_word(parser, "ago");
	if (__builtin_mul_overflow(ms, 1000000, &ns) || ns > parser->now_ns)
		return fail(parser, parser->text, "that was before 1970");
	*ret = parser->now_ns - ns;
	return 0;
}

/* "10m", "2 hours ago", "-10m"; "a week ago" with @ms of one. */
static int take_length(struct parser *parser, uint64_t *ret)
{
	uint64_t ms;
	const char *place = parser->at;
	int r = number_span(&parser->at, parser->end, &ms);
	if (r == -ERANGE)
		return fail(parser, place, "that was before 1970");
	if (r < 0 && parser->at < parser->end && is_letter(*parser->at))
		return nearest_word(parser, parser->at);
	if (r < 0) {
		fail(parser, parser->at, "a number alone is no time");
		error_hint(parser->err, "such as 10s, 10m, 10:00, or @10 for seconds since 1970");
		return -EINVAL;
	}
	return before_now(parser, ms, ret);
}

static int take_one_length(struct parser *parser, uint64_t *ret)
{
	char one[24];
	uint64_t ms;
	size_t n = word_length(parser);
	snprintf(one, sizeof(one), "1%.*s", (int)(n < 20 ? n : 20), parser->at);
	const char *at = one;
	if (!n || number_span(&at, one + strlen(one), &ms) < 0)
		return nearest_word(parser, parser->at);
	parser->at += n;
	return before_now(parser, ms, ret);
}

/* The latest such day before today; today's own name is a week ago. */
static bool take_weekday(struct parser *parser, int64_t *ret_days)
{
	static const char *const names[] = {"sunday",	"monday", "tuesday", "wednesday",
					    "thursday", "friday", "saturday"};
	size_t n = word_length(parser);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (strncasecmp(parser->at, names[i], n) != 0 || (n != 3 && n != strlen(names[i])))
			continue;
		unsigned back = (civil_weekday(parser->today) + 7 - i) % 7;
		*ret_days = parser->today - (back ? back : 7);
		parser->at += n;
		return true;
	}
	return false;
}

static bool take_day_word(struct parser *parser, int64_t *ret_days)
{
	*ret_days = parser->today;
	if (take_word(parser, "today"))
		return true;
	if (take_word(parser, "yesterday")) {
		*ret_days = parser->today - 1;
		return true;
	}
	if (take_word(parser, "tomorrow")) {
		*ret_days = parser->today + 1;
		return true;
	}
	const char *place = parser->at;
	take_word(parser, "last");
	if (take_weekday(parser, ret_days))
		return true;
	parser->at = place;
	return false;
}

/* A time of day first; the day may follow it: "14:00 yesterday". */
static int take_clock_day(struct parser *parser, uint64_t *ret)
{
	struct civil clock = {0}, civil;
	unsigned ns = 0;
	int offset, r = take_clock(parser, &clock, &ns);
	if (r <= 0)
		return r < 0 ? r : take_length(parser, ret);
	skip_spaces(parser);
	int64_t days;
	take_day_word(parser, &days);
	r = take_zone(parser, &offset);
	if (r < 0)
		return r;
	civil_from_seconds(days * DAY, &civil);
	civil.hour = clock.hour;
	civil.minute = clock.minute;
	civil.second = clock.second;
	int64_t local = civil_seconds(&civil);
	return give(parser, r ? local - offset : zone_resolve(parser->zone, local), ns, ret);
}

static bool looks_like_date(const struct parser *parser)
{
	return is_digit(peek(parser, 0)) && is_digit(peek(parser, 1)) &&
	       is_digit(peek(parser, 2)) && is_digit(peek(parser, 3)) && peek(parser, 4) == '-';
}

static int take(struct parser *parser, uint64_t *ret)
{
	int64_t days;
	if (peek(parser, 0) == '@')
		return take_unix(parser, ret);
	if (looks_like_date(parser))
		return take_date(parser, ret);
	if (peek(parser, 0) == '-' && is_digit(peek(parser, 1))) {
		parser->at++;
		return take_length(parser, ret);
	}
	if (take_word(parser, "now")) {
		*ret = parser->now_ns;
		return 0;
	}
	if (take_word(parser, "a") || take_word(parser, "an") || take_word(parser, "one"))
		return take_one_length(parser, ret);
	if (take_day_word(parser, &days))
		return take_days_time(parser, days, ret);
	size_t n = word_length(parser);
	if (is_digit(peek(parser, 0)) || (n == 8 && strncasecmp(parser->at, "midnight", n) == 0) ||
	    (n == 4 && strncasecmp(parser->at, "noon", n) == 0))
		return take_clock_day(parser, ret);
	return nearest_word(parser, parser->at);
}

int moment_parse(const char *text, uint64_t now_ns, const struct zone *zone, uint64_t *ret_ns,
		 struct error *err)
{
	static const char *const before[] = {"since", "until", "from", "at"};
	int64_t now = (int64_t)(now_ns / NS_PER_SECOND);
	struct parser parser = {.text = text,
				.at = text,
				.end = text + strlen(text),
				.zone = zone,
				.now_ns = now_ns,
				.today = (now + zone->offset(now, NULL)) / DAY,
				.err = err};
	if (parser.end - text > LENGTH_MAX)
		return error_text(err, -EINVAL, "time: %.40s...: it is too long for a time", text);
	skip_spaces(&parser);
	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		if (take_word(&parser, before[i]))
			break;
	uint64_t ns;
	int r = take(&parser, &ns);
	if (r < 0)
		return r;
	skip_spaces(&parser);
	if (parser.at < parser.end)
		return is_letter(*parser.at) ? nearest_word(&parser, parser.at)
					     : fail(&parser, parser.at, "this is too much");
	*ret_ns = ns;
	return 0;
}

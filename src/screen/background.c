/* Is the terminal light or dark? */
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "screen/background.h"

/* A terminal that does not know the first question still answers the second (DA1), so that nobody
 * waits for long. */
static const char question[] = "\033]11;?\033\\\033[c";

/* One to four hexadecimal digits to 0..255; -1: it is none. */
static int component(const char **at, const char *end)
{
	unsigned value = 0, n = 0;
	for (; *at < end && n < 4; (*at)++, n++) {
		char c = **at;
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0)
			break;
		value = value * 16 + (unsigned)digit;
	}
	if (!n)
		return -1;
	return (int)(value * 255 / ((1u << 4 * n) - 1));
}

/* "rgb:1c1c/1c1c/1c1c", rgba: too. */
static enum background parse_colour(const char *at, const char *end)
{
	static const int weight[3] = {299, 587, 114}; /* of ITU-R BT.601 */
	int light = 0;
	const char *colon = memchr(at, ':', (size_t)(end - at));
	if (!colon || end - at < 4 || memcmp(at, "rgb", 3) != 0)
		return BACKGROUND_UNKNOWN;
	at = colon + 1;
	for (unsigned i = 0; i < 3; i++) {
		int value = component(&at, end);
		if (value < 0 || (i < 2 && (at == end || *at++ != '/')))
			return BACKGROUND_UNKNOWN;
		light += value * weight[i];
	}
	return light > 127 * 1000 ? BACKGROUND_LIGHT : BACKGROUND_DARK;
}

enum background background_parse(const char *bytes, size_t n, bool *ret_is_whole)
{
	enum background found = BACKGROUND_UNKNOWN;
	const char *end = bytes + n;
	*ret_is_whole = false;
	for (const char *at = bytes; at < end; at++) {
		if (*at != '\033')
			continue;
		if (end - at > 5 && memcmp(at + 1, "]11;", 4) == 0)
			found = parse_colour(at + 5, end);
		else if (end - at > 2 && at[1] == '[' && at[2] == '?' &&
			 memchr(at, 'c', (size_t)(end - at)))
			*ret_is_whole = true;
	}
	return found;
}

/* Where the answer that begins at @at ends; NULL: it is none, or its end has not come. */
static const char *end_of_answer(const char *at, const char *end)
{
	if (end - at > 4 && memcmp(at, "\033]11;", 5) == 0) {
		for (at += 5; at < end; at++)
			if (*at == '\a' || (*at == '\\' && at[-1] == '\033'))
				return at + 1;
	} else if (end - at > 3 && memcmp(at, "\033[?", 3) == 0) {
		for (at += 3; at < end && strchr("0123456789;", *at) && *at; at++)
			continue;
		return at < end && *at == 'c' ? at + 1 : NULL;
	}
	return NULL;
}

void background_typed(const char *bytes, size_t n, struct typed *ret)
{
	const char *end = bytes + n;
	ret->n = 0;
	while (bytes < end && ret->n < sizeof(ret->bytes)) {
		const char *behind = end_of_answer(bytes, end);
		if (behind)
			bytes = behind;
		else
			ret->bytes[ret->n++] = *bytes++;
	}
}

enum background background_of_variable(const char *text)
{
	const char *last = text ? strrchr(text, ';') : NULL;
	if (!last || last[1] < '0' || last[1] > '9')
		return BACKGROUND_UNKNOWN;
	long colour = strtol(last + 1, NULL, 10);
	return colour == 7 || colour == 15 ? BACKGROUND_LIGHT : BACKGROUND_DARK;
}

enum background background_ask(int in, int out, struct typed *typed)
{
	char bytes[TYPED_MAX];
	size_t n = 0;
	bool is_whole = false;
	enum background found = BACKGROUND_UNKNOWN;
	int64_t until = clock_ms() + BACKGROUND_WAIT_MS, left;
	typed->n = 0;
	if (write(out, question, sizeof(question) - 1) < 0)
		return found;
	while (!is_whole && n < sizeof(bytes) && (left = until - clock_ms()) > 0) {
		struct pollfd wait = {.fd = in, .events = POLLIN};
		if (poll(&wait, 1, (int)left) != 1 || !(wait.revents & POLLIN))
			break;
		ssize_t got = read(in, bytes + n, sizeof(bytes) - n);
		if (got <= 0)
			break;
		n += (size_t)got;
		found = background_parse(bytes, n, &is_whole);
	}
	background_typed(bytes, n, typed);
	return found;
}

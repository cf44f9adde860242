/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as a moment, a length and a size. A moment that was understood is written and read again
 * as the same, in whatever zone; what was not leaves one clean message. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/numbers.h"
#include "model/moment.h"

static int32_t jumping(int64_t when, char *name)
{
	(void)name;
	return when / 15000000 % 2 ? 7200 : -12600;
}
static const struct zone zone = {.offset = jumping};

static void check_moment(const char *text)
{
	uint64_t ns = 0, again = 0;
	struct error err = {0};
	int r = moment_parse(text, UINT64_C(1772638220000000500), &zone, &ns, &err);
	if (r < 0) {
		assert(err.what[0] && err.code == r);
		for (const char *c = err.what; *c; c++)
			assert(*c == '\n' || (*c >= 0x20 && *c < 0x7f) || strlen(text) > 64);
		return;
	}
	char written[RFC3339_MAX];
	size_t n = calendar_rfc3339(written, ns, &zone, 9);
	assert(n == strlen(written));
	r = moment_parse(written, 0, &zone_utc, &again, NULL);
	assert(r == 0 && again == ns);
	calendar_plain(written, ns, &zone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = malloc(n + 1);
	uint64_t number;
	assert(text);
	memcpy(text, data, n);
	text[n] = '\0';
	check_moment(text);
	number_duration(text, &number);
	number_size(text, &number);
	free(text);
	return 0;
}

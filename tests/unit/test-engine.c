/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a container engine answers. */
#include <errno.h>

#include "check.h"

#include "act/engine.h"

static void test_the_status_and_the_body_are_read(unused_argument void **state)
{
	const char *body;
	assert_int_equal(engine_parse_answer("HTTP/1.1 204 No Content\r\nA: b\r\n\r\n", &body),
			 204);
	assert_string_equal(body, "");
	assert_int_equal(
		engine_parse_answer("HTTP/1.0 404 Not Found\r\n\r\n{\"message\":\"no\"}", &body),
		404);
	assert_string_equal(body, "{\"message\":\"no\"}");
	assert_int_equal(engine_parse_answer("HTTP/1.1 304", &body), 304);
	assert_string_equal(body, "");
}

static void test_what_is_no_answer_is_refused(unused_argument void **state)
{
	static const char *const texts[] = {"",
					    "HTTP",
					    "HTTP/1.",
					    "HTTP/1.1",
					    "HTTP/1.1 ",
					    "HTTP/1.1 2",
					    "HTTP/1.1 20",
					    "HTTP/1.1 abc",
					    "HTTP/1.1 099 x",
					    "HTTP/2 204",
					    "HTTP/1.x 204",
					    "HTTP/1.1 999 x",
					    "\n204",
					    "HTTP/1.1 -20 "};
	const char *body;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(engine_parse_answer(texts[i], &body), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_status_and_the_body_are_read),
		cmocka_unit_test(test_what_is_no_answer_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

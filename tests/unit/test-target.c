/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A TARGET as people write it, and the filter that it becomes. */
#include <errno.h>

#include "check.h"

#include "model/target.h"

#define ALL ((1u << PROTO_MAX) - 1)
#define ONE(proto) (1u << PROTO_##proto)

static void test_what_people_write_is_understood(unused_argument void **state)
{
	static const struct {
		const char *text;
		uint32_t protos;
		uint16_t first, last;
		const char *filter;
	} cases[] = {
		{"8080", ALL, 8080, 8080, "port in 8080-8080"},
		{":8080", ALL, 8080, 8080, "port in 8080-8080"},
		{"*:8080", ALL, 8080, 8080, "port in 8080-8080"},
		{"8000-8010", ALL, 8000, 8010, "port in 8000-8010"},
		{"tcp/53", ONE(TCP), 53, 53, "port in 53-53 and proto = tcp"},
		{"UDP/53", ONE(UDP), 53, 53, "port in 53-53 and proto = udp"},
		{"53/udp", ONE(UDP), 53, 53, "port in 53-53 and proto = udp"},
		{"tcp/8000-8010", ONE(TCP), 8000, 8010, "port in 8000-8010 and proto = tcp"},
		{"https", ALL, 443, 443, "port in 443-443"},
		{"tcp/https", ONE(TCP), 443, 443, "port in 443-443 and proto = tcp"},
		{"https/tcp", ONE(TCP), 443, 443, "port in 443-443 and proto = tcp"},
		{"127.0.0.1:5432", ALL, 5432, 5432,
		 "port in 5432-5432 and (address in (127.0.0.1, 0.0.0.0) or address = :: and not "
		 "v6only)"},
		{"localhost:8080", ALL, 8080, 8080,
		 "port in 8080-8080 and (address in (::1, ::, 127.0.0.1, 0.0.0.0) or address = :: "
		 "and not v6only)"},
		{"[::1]:443", ALL, 443, 443, "port in 443-443 and address in (::1, ::)"},
		{"::1", ALL, 0, 65535, "address in (::1, ::)"},
		{"tcp/[::1]:443", ONE(TCP), 443, 443,
		 "port in 443-443 and proto = tcp and address in (::1, ::)"},
		{"[::1]:https", ALL, 443, 443, "port in 443-443 and address in (::1, ::)"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct target target;
		struct error err;
		struct filter *filter;
		char text[256];
		assert_int_equal(target_parse(cases[i].text, NULL, &target, &err), 0);
		assert_int_equal(target.protos, cases[i].protos);
		assert_int_equal(target.first, cases[i].first);
		assert_int_equal(target.last, cases[i].last);
		target_filter_text(&target, text, sizeof(text));
		assert_string_equal(text, cases[i].filter);
		assert_int_equal(filter_parse(text, NULL, &filter, &err), 0);
		filter_free(filter);
		assert_true(target_looks_like(cases[i].text, NULL));
	}
}

static void test_the_name_that_was_typed_is_kept(unused_argument void **state)
{
	struct target target;
	assert_int_equal(target_parse("https", NULL, &target, NULL), 0);
	assert_string_equal(target.service, "https");
	assert_int_equal(target_parse("tcp/https", NULL, &target, NULL), 0);
	assert_string_equal(target.service, "https");
	assert_int_equal(target_parse("https/tcp", NULL, &target, NULL), 0);
	assert_null(target.service);
	assert_int_equal(target_parse("443", NULL, &target, NULL), 0);
	assert_null(target.service);
}

static void test_what_is_none_is_refused_with_a_way_to_write_it(unused_argument void **state)
{
	static const char *const texts[] = {
		"",	 "65536",     "tcp/70000", "8010-8000",	     "1-",
		"-1",	 "no-such",   "tcp/",	   "/tcp",	     "tcp/udp/53",
		"[::1]", "[::1]443",  "[::1:443",  "1.2.3:80",	     "127.0.0.1:",
		"80x",	 "localhost", "a:b:c:d",   "127.0.0.1:99999"};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct target target;
		struct error err = {0};
		assert_int_equal(target_parse(texts[i], NULL, &target, &err), -EINVAL);
		assert_true(err.what[0] != '\0');
	}
}

static void test_a_port_out_of_range_is_told_as_that(unused_argument void **state)
{
	struct target target;
	struct error err = {0};
	assert_int_equal(target_parse("tcp/70000", NULL, &target, &err), -EINVAL);
	assert_non_null(strstr(err.what, "65535"));
}

static void test_a_range_from_the_large_to_the_small_is_told_as_that(unused_argument void **state)
{
	struct target target;
	struct error err = {0};
	assert_int_equal(target_parse("8010-8000", NULL, &target, &err), -EINVAL);
	assert_string_equal(err.what, "8010-8000: a range goes from the small to the large");
}

static void test_a_mistyped_command_is_no_target(unused_argument void **state)
{
	static const char *const words[] = {"lsit", "shwo", "explian", "--json", "", "port"};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		assert_false(target_looks_like(words[i], NULL));
	/* but what begins as one has a target's error */
	assert_true(target_looks_like("99999", NULL));
	assert_true(target_looks_like("tcp/nonsense", NULL));
	assert_true(target_looks_like("[::1", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_people_write_is_understood),
		cmocka_unit_test(test_the_name_that_was_typed_is_kept),
		cmocka_unit_test(test_what_is_none_is_refused_with_a_way_to_write_it),
		cmocka_unit_test(test_a_port_out_of_range_is_told_as_that),
		cmocka_unit_test(test_a_range_from_the_large_to_the_small_is_told_as_that),
		cmocka_unit_test(test_a_mistyped_command_is_no_target),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

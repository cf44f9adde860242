/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What names one thing exactly. */
#include <errno.h>

#include "check.h"

#include "model/exact.h"
#include "model/filter.h"
#include "model/socket.h"

static void test_a_pid_and_a_connection_are_exact(unused_argument void **state)
{
	static const struct {
		const char *text, *filter;
	} cases[] = {
		{"pid:812", "pid = 812"},
		{"pid:2147483647", "pid = 2147483647"},
		{"tcp/127.0.0.1:80-127.0.0.1:40000",
		 "proto = tcp and port = 80 and address = 127.0.0.1 and peer_port = 40000 and "
		 "peer = 127.0.0.1"},
		{"127.0.0.1:80->10.0.0.1:40000",
		 "proto = tcp and port = 80 and address = 127.0.0.1 and peer_port = 40000 and "
		 "peer = 10.0.0.1"},
		{"udp/[::1]:53-[fe80::1]:5353",
		 "proto = udp and port = 53 and address = ::1 and peer_port = 5353 and peer = "
		 "fe80::1"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct exact exact;
		struct error err = {0};
		struct filter *filter = NULL;
		char text[512];
		assert_int_equal(exact_parse(cases[i].text, &exact, &err), 1);
		exact_filter_text(&exact, text, sizeof(text));
		assert_string_equal(text, cases[i].filter);
		assert_int_equal(filter_parse(text, NULL, &filter, &err), 0);
		filter_free(filter);
	}
}

static void test_a_port_is_none(unused_argument void **state)
{
	static const char *const texts[] = {"8080",
					    "tcp/8080",
					    "127.0.0.1:8080",
					    "[::1]:443",
					    "8000-8010",
					    "tcp/8000-8010",
					    "https",
					    "127.0.0.1:1-9",
					    "pidgin",
					    "what/1:2-3:4",
					    "",
					    "-",
					    "dhcpv6-client"};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct exact exact;
		struct error err = {0};
		assert_int_equal(exact_parse(texts[i], &exact, &err), 0);
	}
}

static void test_what_begins_as_one_is_told(unused_argument void **state)
{
	static const char *const texts[] = {"pid:",
					    "pid:0",
					    "pid:-1",
					    "pid:2147483648",
					    "pid:1x",
					    "tcp/1.2.3.4:80-1.2.3.4:99999",
					    "tcp/1.2.3.4:80-[::1]:90",
					    "tcp/::1:80-::1:90",
					    "tcp/1.2.3.4:-1.2.3.4:1",
					    "tcp/1.2.3:80-1.2.3.4:1",
					    "tcp/[::1:80-[::1]:1",
					    "tcp/[]:80-[::1]:1"};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct exact exact;
		struct error err = {0};
		assert_int_equal(exact_parse(texts[i], &exact, &err), -EINVAL);
		assert_true(err.what[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_pid_and_a_connection_are_exact),
		cmocka_unit_test(test_a_port_is_none),
		cmocka_unit_test(test_what_begins_as_one_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of users and of ports from the host's files. */
#include "made.h"

#include "source/services.h"
#include "source/users.h"

static const char *name_of(const char *passwd, uint32_t uid)
{
	static char name[64];
	struct snapshot *snapshot = snapshot_new();
	*(struct user *)vector_add(&snapshot->users) = (struct user){.uid = uid};
	users_parse(passwd, strlen(passwd), snapshot);
	const char *found = snapshot_user(snapshot, uid);
	if (found)
		snprintf(name, sizeof(name), "%s", found);
	snapshot_free(snapshot);
	return found ? name : NULL;
}

static void test_the_first_of_two_names_is_told(void **state)
{
	(void)state;
	static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/root:/bin/sh\n"
				     "web:x:1000:1000::/:/bin/sh";
	assert_string_equal(name_of(passwd, 0), "root");
	assert_string_equal(name_of(passwd, 1000), "web");
	assert_null(name_of(passwd, 1001));
}

static void test_lines_that_are_none_are_passed_over(void **state)
{
	(void)state;
	assert_null(name_of("", 0));
	assert_null(name_of("root", 0));
	assert_null(name_of("root:x", 0));
	assert_null(name_of("root:x:zero:0:", 0));
	assert_null(name_of("root:x:4294967296:0:", 0));
	assert_null(name_of("+::::::\n+@group\n", 0));
	assert_string_equal(name_of("#comment\n\nroot:x:0:0:", 0), "root");
}

static void test_only_those_that_are_asked_for_are_kept(void **state)
{
	(void)state;
	struct snapshot *snapshot = snapshot_new();
	struct error err = {0};
	struct host host;
	made_process(snapshot, 7, 1, "a", NULL);
	assert_int_equal(host_open(NULL, &host, &err), 0);
	assert_int_equal(users_read(&host, snapshot, false, &err), 0);
	assert_int_equal(snapshot->users.n, 1);
	host_close(&host);
	snapshot_free(snapshot);
}

static void test_a_service_has_a_name_and_aliases(void **state)
{
	(void)state;
	static const char text[] = "# ports\nhttp 80/tcp www web # the web\ndomain\t53/udp\r\n"
				   "http-too 80/tcp\nodd 80/dccp\nbad 65536/tcp\nworse x/tcp\nno\n"
				   "last 9/tcp";
	struct arena arena;
	const struct services *services;
	arena_init(&arena);
	assert_int_equal(services_parse(text, strlen(text), &arena, &services), 0);
	assert_string_equal(service_name(services, PROTO_TCP, 80), "http");
	assert_string_equal(service_name(services, PROTO_UDPLITE, 53), "domain");
	assert_string_equal(service_name(services, PROTO_TCP, 9), "last");
	assert_int_equal(service_port(services, "www", PROTO_TCP), 80);
	assert_int_equal(service_port(services, "web", PROTO_MAX), 80);
	assert_int_equal(services->n, 6);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_of_two_names_is_told),
		cmocka_unit_test(test_lines_that_are_none_are_passed_over),
		cmocka_unit_test(test_only_those_that_are_asked_for_are_kept),
		cmocka_unit_test(test_a_service_has_a_name_and_aliases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pure parts of `why`: options that let two share a port, calls that failed, what /proc says.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>

#include "check.h"

#include "source/process.h"
#include "why/call.h"
#include "why/conflict.h"
#include "why/standing.h"
#include "why/subject.h"

static void test_sharing_a_port_is_as_the_kernel_has_it(unused_argument void **state)
{
	static const struct {
		enum proto proto;
		enum state state;
		bool reuseaddr, reuseport;
		int theirs_addr, theirs_port;
		uint32_t uid;
		enum conflict wanted;
	} cases[] = {
		{PROTO_TCP, STATE_LISTEN, false, false, 1, 1, 0, CONFLICT_YES},
		{PROTO_TCP, STATE_LISTEN, true, false, 1, 0, 0, CONFLICT_YES},
		{PROTO_TCP, STATE_BOUND, true, false, 1, 0, 0, CONFLICT_NO},
		{PROTO_TCP, STATE_BOUND, true, false, 0, 0, 0, CONFLICT_YES},
		{PROTO_TCP, STATE_BOUND, true, false, -1, -1, 0, CONFLICT_MAYBE},
		{PROTO_TCP, STATE_TIME_WAIT, true, false, -1, -1, 0, CONFLICT_MAYBE},
		{PROTO_TCP, STATE_LISTEN, false, true, 0, 1, 0, CONFLICT_NO},
		{PROTO_TCP, STATE_LISTEN, false, true, 0, 1, 7, CONFLICT_YES},
		{PROTO_TCP, STATE_LISTEN, false, true, 0, -1, 0, CONFLICT_MAYBE},
		{PROTO_TCP, STATE_LISTEN, false, true, 0, 0, 0, CONFLICT_YES},
		{PROTO_UDP, STATE_UNCONN, true, false, 1, 0, 0, CONFLICT_NO},
		{PROTO_UDP, STATE_UNCONN, true, false, 0, 0, 0, CONFLICT_YES},
		{PROTO_UDP, STATE_UNCONN, false, false, 1, 1, 0, CONFLICT_YES},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct question question = {.proto = cases[i].proto,
					    .reuseaddr = cases[i].reuseaddr,
					    .reuseport = cases[i].reuseport};
		struct socket socket = {.proto = cases[i].proto,
					.state = cases[i].state,
					.uid = cases[i].uid,
					.flags = SOCKET_UID_KNOWN};
		struct other_options options = {cases[i].theirs_addr, cases[i].theirs_port};
		assert_int_equal(conflict_of(&question, &socket, &options), cases[i].wanted);
	}
}

static void test_calls_are_known_on_both_machines(unused_argument void **state)
{
	assert_int_equal(call_of(AUDIT_ARCH_X86_64, 49), CALL_BIND);
	assert_int_equal(call_of(AUDIT_ARCH_X86_64, 42), CALL_CONNECT);
	assert_int_equal(call_of(AUDIT_ARCH_AARCH64, 200), CALL_BIND);
	assert_int_equal(call_of(AUDIT_ARCH_AARCH64, 203), CALL_CONNECT);
	assert_int_equal(call_of(AUDIT_ARCH_AARCH64, 49), CALL_OTHER);
	assert_int_equal(call_of(AUDIT_ARCH_X86_64, 0), CALL_OTHER);
}

static void test_later_and_again_are_no_failures(unused_argument void **state)
{
	assert_true(call_has_failed(CALL_BIND, -EADDRINUSE));
	assert_true(call_has_failed(CALL_LISTEN, -EADDRINUSE));
	assert_true(call_has_failed(CALL_CONNECT, -ECONNREFUSED));
	assert_true(call_has_failed(CALL_SOCKET, -EMFILE));
	assert_false(call_has_failed(CALL_BIND, 0));
	assert_false(call_has_failed(CALL_CONNECT, -EINPROGRESS));
	assert_false(call_has_failed(CALL_CONNECT, -512)); /* ERESTARTSYS */
	assert_false(call_has_failed(CALL_SOCKET, -EAFNOSUPPORT));
	assert_false(call_has_failed(CALL_OTHER, -EPERM));
}

static void test_a_status_is_read(unused_argument void **state)
{
	struct subject subject = {0};
	subject_parse_status("Name:\tnginx: worker\nUmask:\t0022\nUid:\t33\t34\t33\t33\n"
			     "Gid:\t5\t6\t5\t5\nCapEff:\t0000000000000400\nNoNewPrivs:\t0\n"
			     "Seccomp:\t2\nSeccomp_filters:\t1\n",
			     &subject);
	assert_true(subject.is_known);
	assert_string_equal(subject.name, "nginx: worker");
	assert_int_equal(subject.uid, 34);
	assert_int_equal(subject.gid, 6);
	assert_true(subject_has(&subject, CAP_NET_BIND_SERVICE));
	assert_false(subject_has(&subject, CAP_NET_RAW));
	assert_true(subject.has_seccomp);

	struct subject none = {0};
	subject_parse_status("", &none);
	assert_false(none.is_known);
}

static void test_limits_groups_and_maps_are_read(unused_argument void **state)
{
	char group[32];
	assert_int_equal(
		subject_parse_limit("Limit  Soft Limit\nMax open files            1024     "
				    "            4096                 files\n"),
		1024);
	assert_true(subject_parse_limit("Max open files            unlimited  unlimited files\n") ==
		    UINT64_MAX);
	assert_int_equal(subject_parse_limit("Max nothing 5\n"), 0);

	subject_parse_cgroup("9:name=systemd:/x\n0::/system.slice/a.service\n", group,
			     sizeof(group));
	assert_string_equal(group, "/system.slice/a.service");
	subject_parse_cgroup("1:cpu:/\n", group, sizeof(group));
	assert_string_equal(group, "");
	subject_parse_cgroup("0::/far/too/long/for/the/room/that/there/is\n", group, sizeof(group));
	assert_string_equal(group, "");

	static const char map[] =
		"         0     100000      65536\n     65536          7          1\n";
	assert_int_equal(subject_map_id(map, 100000), 0);
	assert_int_equal(subject_map_id(map, 100033), 33);
	assert_int_equal(subject_map_id(map, 7), 65536);
	assert_int_equal(subject_map_id(map, 5), 5);
	assert_int_equal(subject_map_id("", 5), 5);
}

static void test_one_that_is_torn_down_is_known(unused_argument void **state)
{
	static const char
		quiet[] = "Name:\ta\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\n",
		killed[] = "Name:\ta\nSigPnd:\t0000000000000100\nShdPnd:\t0000000000000000\n";
	assert_false(process_parse_dying("7 (a b) c) S 1 7 7 0 -1 4194304 ", quiet));
	assert_true(process_parse_dying("7 (a b) c) R 1 7 7 0 -1 4194308 ", quiet));
	assert_true(process_parse_dying("7 (a) D 1 7 7 0 -1 4194304 ", killed));
	assert_false(process_parse_dying("", ""));
	assert_false(process_parse_dying("7 (a) Z 1 7 7 0 -1 4194304 ", quiet));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sharing_a_port_is_as_the_kernel_has_it),
		cmocka_unit_test(test_calls_are_known_on_both_machines),
		cmocka_unit_test(test_later_and_again_are_no_failures),
		cmocka_unit_test(test_a_status_is_read),
		cmocka_unit_test(test_limits_groups_and_maps_are_read),
		cmocka_unit_test(test_one_that_is_torn_down_is_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

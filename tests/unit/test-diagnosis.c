/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which binds meet which sockets, and causes held against what the kernel says. */
#include <errno.h>

#include "made.h"

#include "model/diagnosis.h"

static struct question ask(const char *address)
{
	struct question question = {.attempt = ATTEMPT_BIND, .proto = PROTO_TCP, .port = 80};
	assert_int_equal(ip_parse(address, strlen(address), &question.address, &question.is_v4), 0);
	return question;
}

static struct socket listener(const char *address, bool v6only)
{
	struct socket socket = {.state = STATE_LISTEN, .local_port = 80};
	bool is_v4;
	assert_int_equal(ip_parse(address, strlen(address), &socket.local, &is_v4), 0);
	socket.family = is_v4 ? FAMILY_IPV4 : FAMILY_IPV6;
	socket.flags = v6only ? SOCKET_V6ONLY | SOCKET_V6ONLY_KNOWN : SOCKET_V6ONLY_KNOWN;
	return socket;
}

static void test_addresses_overlap_as_the_kernel_has_it(unused_argument void **state)
{
	static const struct {
		const char *mine, *theirs;
		bool mine_v6only, theirs_v6only, overlaps, by_dual_stack;
	} cases[] = {
		{"127.0.0.1", "127.0.0.1", .overlaps = true},
		{"127.0.0.1", "127.0.0.2"},
		{"127.0.0.1", "0.0.0.0", .overlaps = true},
		{"0.0.0.0", "127.0.0.1", .overlaps = true},
		{"0.0.0.0", "::", .overlaps = true, .by_dual_stack = true},
		{"0.0.0.0", "::", .theirs_v6only = true},
		{"127.0.0.1", "::", .overlaps = true, .by_dual_stack = true},
		{"127.0.0.1", "::1"},
		{"::", "127.0.0.1", .overlaps = true, .by_dual_stack = true},
		{"::", "127.0.0.1", .mine_v6only = true},
		{"::", "::1", .overlaps = true},
		{"::1", "::", .overlaps = true},
		{"::1", "::", .theirs_v6only = true, .overlaps = true},
		{"::", "::", .mine_v6only = true, .theirs_v6only = true, .overlaps = true},
		{"::1", "0.0.0.0"},
		{"::ffff:127.0.0.1", "127.0.0.1", .overlaps = true},
		{"::ffff:127.0.0.1", "0.0.0.0", .overlaps = true},
		{"::ffff:127.0.0.1", "::", .overlaps = true, .by_dual_stack = true},
		{"::ffff:127.0.0.1", "::", .theirs_v6only = true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct question question = ask(cases[i].mine);
		struct socket socket = listener(cases[i].theirs, cases[i].theirs_v6only);
		question.v6only = cases[i].mine_v6only;
		assert_int_equal(question_overlaps(&question, &socket), cases[i].overlaps);
		assert_int_equal(question_overlaps_by_dual_stack(&question, &socket),
				 cases[i].by_dual_stack);
	}
}

static void test_another_interface_is_another_place(unused_argument void **state)
{
	struct question question = ask("0.0.0.0");
	struct socket socket = listener("0.0.0.0", false);
	question.interface = 2;
	assert_true(question_overlaps(&question, &socket));
	socket.interface = 3;
	assert_false(question_overlaps(&question, &socket));
	socket.interface = 2;
	assert_true(question_overlaps(&question, &socket));
	question.interface = 0;
	assert_true(question_overlaps(&question, &socket));
}

static void add(struct diagnosis *diagnosis, enum cause_kind what, int error, bool is_sure)
{
	struct cause *cause = diagnosis_add(diagnosis, what, error);
	assert_non_null(cause);
	cause->is_sure = is_sure;
}

static const struct cause *at(const struct diagnosis *diagnosis, uint32_t i)
{
	return vector_at(&diagnosis->causes, i);
}

static void test_what_the_kernel_means_stands_first_and_is_seen(unused_argument void **state)
{
	struct diagnosis diagnosis;
	struct question question = ask("0.0.0.0");
	diagnosis_init(&diagnosis, &question);
	add(&diagnosis, CAUSE_LISTENER, EADDRINUSE, true);
	add(&diagnosis, CAUSE_PRIVILEGED, EACCES, true);
	diagnosis.answer = (struct tried){.is_tried = true, .at = ATTEMPT_BIND, .error = EACCES};
	diagnosis_agree(&diagnosis);
	assert_int_equal(diagnosis.agreement, AGREEMENT_YES);
	assert_int_equal(at(&diagnosis, 0)->what, CAUSE_PRIVILEGED);
	assert_int_equal(at(&diagnosis, 0)->certainty, SIGHT_SEEN);
	assert_int_equal(at(&diagnosis, 1)->certainty, SIGHT_READ);
	assert_false(diagnosis_can(&diagnosis));
	diagnosis_done(&diagnosis);
}

static void test_where_they_do_not_agree_it_is_said(unused_argument void **state)
{
	struct diagnosis diagnosis;
	struct question question = ask("0.0.0.0");
	diagnosis_init(&diagnosis, &question);
	diagnosis.answer = (struct tried){.is_tried = true, .error = EADDRINUSE};
	diagnosis_agree(&diagnosis);
	assert_int_equal(diagnosis.agreement, AGREEMENT_UNEXPLAINED);

	add(&diagnosis, CAUSE_LISTENER, EADDRINUSE, true);
	diagnosis.answer.error = 0;
	diagnosis_agree(&diagnosis);
	assert_int_equal(diagnosis.agreement, AGREEMENT_UNBORNE);
	assert_true(diagnosis_can(&diagnosis));
	diagnosis_done(&diagnosis);
}

static void test_what_only_may_be_goes_where_the_kernel_grants_it(unused_argument void **state)
{
	struct diagnosis diagnosis;
	struct question question = ask("0.0.0.0");
	diagnosis_init(&diagnosis, &question);
	add(&diagnosis, CAUSE_BOUND, EADDRINUSE, false);
	add(&diagnosis, CAUSE_SECOND_LISTEN, 0, true);
	diagnosis.answer = (struct tried){.is_tried = true};
	diagnosis_agree(&diagnosis);
	assert_int_equal(diagnosis.agreement, AGREEMENT_YES);
	assert_int_equal(diagnosis.causes.n, 1);
	assert_int_equal(at(&diagnosis, 0)->what, CAUSE_SECOND_LISTEN);
	diagnosis_done(&diagnosis);
}

static void test_untried_goes_by_the_causes(unused_argument void **state)
{
	struct diagnosis diagnosis;
	struct question question = ask("0.0.0.0");
	diagnosis_init(&diagnosis, &question);
	diagnosis_agree(&diagnosis);
	assert_int_equal(diagnosis.agreement, AGREEMENT_NONE);
	assert_true(diagnosis_can(&diagnosis));
	add(&diagnosis, CAUSE_LISTENER, EADDRINUSE, true);
	assert_false(diagnosis_can(&diagnosis));
	diagnosis_done(&diagnosis);
}

static void test_every_cause_has_its_word(unused_argument void **state)
{
	for (unsigned i = 0; i < CAUSE_MAX; i++)
		assert_non_null(cause_words[i]);
	assert_string_equal(errno_name(EADDRINUSE), "EADDRINUSE");
	assert_null(errno_name(4000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_overlap_as_the_kernel_has_it),
		cmocka_unit_test(test_another_interface_is_another_place),
		cmocka_unit_test(test_what_the_kernel_means_stands_first_and_is_seen),
		cmocka_unit_test(test_where_they_do_not_agree_it_is_said),
		cmocka_unit_test(test_what_only_may_be_goes_where_the_kernel_grants_it),
		cmocka_unit_test(test_untried_goes_by_the_causes),
		cmocka_unit_test(test_every_cause_has_its_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One process, from text, from a directory laid out by the test, and real ones. */
#include "check.h"

#include <errno.h>

#include "laid-out.h"
#include "source/process.h"

#define NEEDS_ALL (NEED_STAT | NEED_EXE | NEED_CMDLINE | NEED_CWD | NEED_UID | NEED_CGROUP)
#define REST " 100 100 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 "

static int parse(const char *text, struct process_stat *ret)
{
	return process_parse_stat(text, strlen(text), ret);
}

static void test_a_name_may_hold_brackets_and_spaces(void **state)
{
	(void)state;
	struct process_stat stat;
	assert_int_equal(parse("7 (a) b\n(c)) S 42" REST "99887 1 2", &stat), 0);
	assert_int_equal(stat.n_name, 8);
	assert_memory_equal(stat.name, "a) b\n(c)", 8);
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.ppid, 42);
	assert_int_equal(stat.start_ticks, 99887);
}

static uint64_t program(const char *text)
{
	return process_parse_program(text, strlen(text));
}

static void test_another_program_has_another_place(void **state)
{
	(void)state;
	uint64_t first = program("7 (a) S 42" REST "99887 1 2 3 4096 8192 70000 5 6");
	assert_int_not_equal(first, 0);
	assert_int_equal(first, program("7 (b c)) S 1" REST "99887 9 9 9 4096 8192 70000"));
	assert_int_not_equal(first, program("7 (a) S 42" REST "99887 1 2 3 4096 8192 70016 5 6"));
	assert_int_equal(program("7 (a) S 42" REST "99887 1 2 3 1 1 0 5 6"), 0); /* hidden */
	assert_int_equal(program("7 (a) S 42" REST "99887 1 2 3 0 0 0 5 6"), 0); /* no memory */
	assert_int_equal(program("7 (a) S 42" REST "99887 1 2 3 4096 8192"), 0);
	assert_int_equal(program("7"), 0);
}

static void test_what_is_cut_is_refused(void **state)
{
	(void)state;
	struct process_stat stat;
	static const char *const cut[] = {"",
					  "7",
					  "7 (a",
					  "7 (a)",
					  "7 )a(",
					  "7 (a) S",
					  "7 (a) S x" REST "9",
					  "7 (a) S 1 2 3"};
	for (size_t i = 0; i < ARRAY_SIZE(cut); i++)
		assert_int_equal(parse(cut[i], &stat), -EBADMSG);
}

static struct snapshot *snapshot_of_test;

static int make_snapshot(void **state)
{
	(void)state;
	snapshot_of_test = snapshot_new();
	return snapshot_of_test ? 0 : -1;
}

static int free_snapshot(void **state)
{
	(void)state;
	snapshot_free(snapshot_of_test);
	return 0;
}

static struct process read_one(struct laid_out *laid, uint32_t needs)
{
	struct process process = {.pid = 7, .container = NONE, .parent = NONE, .netns = NONE};
	assert_int_equal(process_read(&laid->host, 7, needs, snapshot_of_test, &process), 0);
	return process;
}

static void put_stat(const struct laid_out *laid, char letter)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "7 (shop) %c 3" REST "250 0", letter);
	laid_out_put(laid, "proc/7/stat", text, (size_t)n);
}

static void test_all_is_read(void **state)
{
	struct laid_out *laid = *state;
	put_stat(laid, 'S');
	laid_out_link(laid, "proc/7/exe", "/usr/bin/python3.11 (deleted)");
	laid_out_link(laid, "proc/7/cwd", "/srv/shop");
	laid_out_put(laid, "proc/7/cmdline", "python3\0-m\0shop\0", 16);
	laid_out_put(laid, "proc/7/cgroup", "0::/system.slice/shop.service\n", 30);
	struct process process = read_one(laid, NEEDS_ALL);
	assert_string_equal(process.name, "shop");
	assert_int_equal(process.ppid, 3);
	assert_true(process.start_time > 1000 && process.start_time < 1000 + 251);
	assert_string_equal(process.exe, "/usr/bin/python3.11");
	assert_true(process.exe_deleted);
	assert_string_equal(process.cmdline, "python3 -m shop");
	assert_string_equal(process.runs, "shop");
	assert_string_equal(process.cwd, "/srv/shop");
	assert_string_equal(process.unit, "shop.service");
	assert_int_equal(process.uid, getuid());
	assert_int_equal(process.known & KNOWN_GONE, 0);
}

static void test_only_what_is_asked_is_read(void **state)
{
	struct laid_out *laid = *state;
	put_stat(laid, 'S');
	struct process process = read_one(laid, NEED_STAT);
	assert_int_equal(process.known, KNOWN_STAT);
	assert_null(process.exe);
}

static void test_a_file_really_named_deleted_is_not_deleted(void **state)
{
	struct laid_out *laid = *state;
	char whole[128];
	put_stat(laid, 'S');
	laid_out_put(laid, "bin/x (deleted)", "", 0);
	snprintf(whole, sizeof(whole), "%s/bin/x (deleted)", laid->directory);
	laid_out_link(laid, "proc/7/exe", whole);
	/* what the link says is a path of this host: the test's lies beneath its directory */
	laid_out_put(laid, whole + 1, "", 0);
	char beneath[256];
	snprintf(beneath, sizeof(beneath), "%s%s", laid->directory, whole);
	unlink(beneath);
	assert_int_equal(link(whole, beneath), 0);
	struct process process = read_one(laid, NEED_EXE);
	assert_false(process.exe_deleted);
	assert_string_equal(process.exe, whole);
}

static void test_a_process_without_leader_is_known_by_a_thread(void **state)
{
	struct laid_out *laid = *state;
	put_stat(laid, 'Z');
	laid_out_put(laid, "proc/7/cmdline", "", 0);
	laid_out_link(laid, "proc/7/task/9/exe", "/usr/bin/shop");
	laid_out_link(laid, "proc/7/task/9/cwd", "/srv");
	laid_out_put(laid, "proc/7/task/9/cmdline", "shop\0-d\0", 8);
	laid_out_put(laid, "proc/7/task/9/cgroup", "0::/system.slice/shop.service\n", 30);
	struct process process = read_one(laid, NEEDS_ALL);
	assert_string_equal(process.exe, "/usr/bin/shop");
	assert_string_equal(process.cmdline, "shop -d");
	assert_string_equal(process.cwd, "/srv");
	assert_string_equal(process.unit, "shop.service");
	assert_int_equal(process.known & KNOWN_GONE, 0);
}

static void test_a_reused_pid_is_not_taken_for_the_first(void **state)
{
	struct laid_out *laid = *state;
	put_stat(laid, 'S');
	laid_out_link(laid, "proc/7/exe", "/usr/bin/other");
	struct process process = {
		.pid = 7, .known = KNOWN_STAT, .start_ticks = 249, .name = "first"};
	assert_int_equal(
		process_read(&laid->host, 7, NEED_STAT | NEED_EXE, snapshot_of_test, &process), 0);
	assert_true(process.known & KNOWN_GONE);
	assert_string_equal(process.name, "first");
	assert_null(process.exe);
}

static void test_one_that_has_ended_is_gone(void **state)
{
	struct laid_out *laid = *state;
	struct process process = read_one(laid, NEEDS_ALL);
	assert_int_equal(process.known, KNOWN_GONE);
}

static void test_a_long_command_line_is_kept_whole(void **state)
{
	struct laid_out *laid = *state;
	static char text[30000];
	size_t n = (size_t)snprintf(text, sizeof(text), "java%c-cp%c", 0, 0);
	memset(text + n, 'x', 20000);
	n += 20000;
	memcpy(text + n, "\0org.example.Main", 18);
	put_stat(laid, 'S');
	laid_out_link(laid, "proc/7/exe", "/usr/bin/java");
	laid_out_put(laid, "proc/7/cmdline", text, n + 18);
	struct process process = read_one(laid, NEEDS_ALL);
	assert_string_equal(process.runs, "org.example.Main");
	assert_int_equal(strlen(process.cmdline), n + 17);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_name_may_hold_brackets_and_spaces),
		cmocka_unit_test(test_another_program_has_another_place),
		cmocka_unit_test(test_what_is_cut_is_refused),
		LAID_OUT(test_all_is_read),
		LAID_OUT(test_only_what_is_asked_is_read),
		LAID_OUT(test_a_file_really_named_deleted_is_not_deleted),
		LAID_OUT(test_a_process_without_leader_is_known_by_a_thread),
		LAID_OUT(test_a_reused_pid_is_not_taken_for_the_first),
		LAID_OUT(test_one_that_has_ended_is_gone),
		LAID_OUT(test_a_long_command_line_is_kept_whole),
	};
	return cmocka_run_group_tests(tests, make_snapshot, free_snapshot);
}

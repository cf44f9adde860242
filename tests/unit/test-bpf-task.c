/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of the pass over processes. */
#include "check.h"

#include <errno.h>
#include <stdlib.h>

#include "bpf/task.h"
#include "source/bpf/tasks.h"

struct seen {
	struct found_task task;
	char name[32], exe[4096], cwd[4096];
	unsigned n;
	int says;
};

static int see(void *data, const struct found_task *task)
{
	struct seen *seen = data;
	seen->task = *task;
	strncpy(seen->name, task->name, sizeof(seen->name) - 1);
	strncpy(seen->exe, task->exe ? task->exe : "", sizeof(seen->exe) - 1);
	strncpy(seen->cwd, task->cwd ? task->cwd : "", sizeof(seen->cwd) - 1);
	seen->n++;
	return seen->says;
}

struct made {
	size_t n;
	char bytes[2 * BPF_TASK_MAX];
};

static void add(struct made *made, struct bpf_task head, const void *exe, size_t n_exe,
		const void *cwd, size_t n_cwd)
{
	head.exe_size = (uint16_t)n_exe;
	head.cwd_size = (uint16_t)n_cwd;
	memcpy(made->bytes + made->n, &head, sizeof(head));
	memcpy(made->bytes + made->n + sizeof(head), exe, n_exe);
	memcpy(made->bytes + made->n + sizeof(head) + n_exe, cwd, n_cwd);
	made->n += sizeof(head) + n_exe + n_cwd;
}

#define NAMES(text) text, sizeof(text)

static const struct bpf_task nginx = {
	.start_ns = 12340000000u,
	.groups = 99,
	.pid = 812,
	.ppid = 1,
	.uid = 33,
	.netns = 4026531833u,
	.name = "nginx",
	.flags = BPF_TASK_EXE | BPF_TASK_CWD,
};

static void test_names_become_paths(void **state)
{
	(void)state;
	static struct made made;
	static struct seen seen;
	add(&made, nginx, NAMES("nginx\0sbin\0usr"), NAMES("www\0srv"));
	assert_int_equal(tasks_parse(made.bytes, made.n, see, &seen), made.n);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.exe, "/usr/sbin/nginx");
	assert_string_equal(seen.cwd, "/srv/www");
	assert_string_equal(seen.name, "nginx");
	assert_int_equal(seen.task.pid, 812);
	assert_int_equal(seen.task.ppid, 1);
	assert_int_equal(seen.task.uid, 33);
	assert_int_equal(seen.task.start_ns, 12340000000u);
	assert_int_equal(seen.task.groups, 99);
	assert_int_equal(seen.task.netns, 4026531833u);
	assert_false(seen.task.exe_deleted);
}

static void test_no_names_are_the_root(void **state)
{
	(void)state;
	static struct made made;
	static struct seen seen;
	add(&made, nginx, NAMES("a"), "", 0);
	assert_int_equal(tasks_parse(made.bytes, made.n, see, &seen), made.n);
	assert_string_equal(seen.exe, "/a");
	assert_string_equal(seen.cwd, "/");
}

static void test_a_path_that_could_not_be_told_is_none(void **state)
{
	(void)state;
	static struct made made;
	static struct seen seen;
	struct bpf_task task = nginx;
	task.flags = BPF_TASK_CWD | BPF_TASK_CWD_DELETED;
	memcpy(task.name, "sixteen letters!", 16);
	add(&made, task, "", 0, NAMES("gone\0tmp"));
	assert_int_equal(tasks_parse(made.bytes, made.n, see, &seen), made.n);
	assert_null(seen.task.exe);
	assert_string_equal(seen.cwd, "/tmp/gone");
	assert_true(seen.task.cwd_deleted);
	assert_string_equal(seen.name, "sixteen letters!");
}

static void test_a_record_that_came_in_part_waits_for_its_rest(void **state)
{
	(void)state;
	static struct made made;
	add(&made, nginx, NAMES("nginx\0usr"), NAMES("tmp"));
	size_t one = made.n;
	add(&made, nginx, NAMES("nginx\0usr"), NAMES("tmp"));
	for (size_t n = 0; n <= made.n; n++) {
		/* as long as the part: a read beyond it is seen */
		cleanup(freep) char *part = malloc(n + 1);
		static struct seen seen;
		seen.n = 0;
		memcpy(part, made.bytes, n);
		assert_int_equal(tasks_parse(part, n, see, &seen), n / one * one);
		assert_int_equal(seen.n, n / one);
	}
}

static void refuse(struct bpf_task head, const void *exe, size_t n_exe)
{
	static struct made made;
	static struct seen seen;
	made.n = 0;
	seen.n = 0;
	head.flags &= (uint8_t)~BPF_TASK_CWD;
	add(&made, head, exe, n_exe, "", 0);
	assert_int_equal(tasks_parse(made.bytes, made.n, see, &seen), -EBADMSG);
	assert_int_equal(seen.n, 0);
}

static void test_what_cannot_be_a_record_ends_the_pass(void **state)
{
	(void)state;
	struct bpf_task wrong = nginx;
	refuse(nginx, "nginx", 5);
	refuse(nginx, "a\0\0b", 5);
	refuse(nginx, NAMES("a/b"));
	wrong.pid = 0;
	refuse(wrong, NAMES("a"));
	wrong = nginx;
	wrong.ppid = -1;
	refuse(wrong, NAMES("a"));

	struct bpf_task long_one = nginx;
	long_one.exe_size = UINT16_MAX;
	static struct seen seen;
	assert_int_equal(tasks_parse(&long_one, sizeof(long_one), see, &seen), -EBADMSG);
}

static void test_the_longest_path_fits(void **state)
{
	(void)state;
	static struct made made;
	static struct seen seen;
	static char names[BPF_TASK_PATH_MAX + BPF_TASK_NAME_MAX];
	memset(names, 'x', sizeof(names));
	for (size_t i = 255; i < sizeof(names); i += 256)
		names[i] = '\0';
	add(&made, nginx, names, sizeof(names), names, sizeof(names));
	assert_int_equal(tasks_parse(made.bytes, made.n, see, &seen), made.n);
	assert_int_equal(strlen(seen.exe), sizeof(names));
	assert_int_equal(strlen(seen.cwd), sizeof(names));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_become_paths),
		cmocka_unit_test(test_no_names_are_the_root),
		cmocka_unit_test(test_a_path_that_could_not_be_told_is_none),
		cmocka_unit_test(test_a_record_that_came_in_part_waits_for_its_rest),
		cmocka_unit_test(test_what_cannot_be_a_record_ends_the_pass),
		cmocka_unit_test(test_the_longest_path_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

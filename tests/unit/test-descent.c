/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descendants of a process, by the kernel's lists of children and without these. */
#include "check.h"

#include "laid-out.h"

#include "source/descent.h"

static void put_stat(struct laid_out *laid, int pid, int ppid)
{
	char path[64], text[256];
	snprintf(path, sizeof(path), "proc/%d/stat", pid);
	snprintf(text, sizeof(text),
		 "%d (a) b) S %d 1 1 0 -1 4194560 1 1 0 0 0 0 0 0 20 0 1 0 500 1 1 1\n", pid, ppid);
	laid_out_text(laid, path, text);
}

static bool is_number(void *data, int32_t pid)
{
	return pid == *(int32_t *)data;
}

static int32_t find(struct laid_out *laid, int32_t from, int32_t sought)
{
	struct descent descent;
	descent_init(&descent, &laid->host);
	int32_t found = descent_find(&descent, from, is_number, &sought);
	descent_done(&descent);
	return found;
}

static void test_children_of_every_thread_are_followed(void **state)
{
	struct laid_out *laid = *state;
	laid_out_text(laid, "proc/10/task/10/children", "");
	laid_out_text(laid, "proc/10/task/11/children", "20 21 ");
	laid_out_text(laid, "proc/20/task/20/children", "");
	laid_out_text(laid, "proc/21/task/21/children", "30 \n");
	assert_int_equal(find(laid, 10, 21), 21);
	assert_int_equal(find(laid, 10, 30), 30);
	assert_int_equal(find(laid, 10, 40), 0);
	assert_int_equal(find(laid, 99, 10), 0);
}

static void test_where_none_are_listed_the_parents_tell(void **state)
{
	struct laid_out *laid = *state;
	put_stat(laid, 10, 1);
	put_stat(laid, 20, 10);
	put_stat(laid, 30, 20);
	put_stat(laid, 40, 1);
	assert_int_equal(find(laid, 10, 30), 30);
	assert_int_equal(find(laid, 10, 40), 0);
}

static void test_the_parent_is_told_with_the_name(void **state)
{
	struct laid_out *laid = *state;
	char name[64];
	put_stat(laid, 20, 10);
	assert_int_equal(descent_parent(&laid->host, 20, name), 10);
	assert_string_equal(name, "a) b");
	assert_int_equal(descent_parent(&laid->host, 21, name), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAID_OUT(test_children_of_every_thread_are_followed),
		LAID_OUT(test_where_none_are_listed_the_parents_tell),
		LAID_OUT(test_the_parent_is_told_with_the_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

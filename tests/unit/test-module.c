/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Modules: loaded at first use, refused when they are another's, absent without harm. */
#include "check.h"

#include <errno.h>
#include <string.h>

#include "base/module.h"
#include "module-sample.h"

/* The one that is linked in (-Dmodules=builtin). */
static const struct sample linked_functions;
static const struct module linked = {
	.name = "linked", .version = 1, .functions = &linked_functions};
const struct module *const modules_builtin[] = {&linked, NULL};

static void test_an_absent_one_says_what_to_install(unused_argument void **state)
{
	struct error err = {.code = 0};
	assert_null(module_get("nowhere", 1, &err));
	assert_int_equal(err.code, -ENOTSUP);
	assert_memory_equal(err.what, "the module nowhere is not installed: nowhere.so is not in /",
			    59);
	assert_non_null(strstr(err.what, " or " MODULE_DIRECTORY));
	assert_string_equal(err.hint, "run `make install` in the tree that this program is of");
	assert_non_null(module_absent("nowhere"));
	assert_null(module_get("nowhere", 1, NULL));
}

static void test_one_of_another_version_is_refused(unused_argument void **state)
{
	struct error err = {.code = 0};
	assert_null(module_get("sample", 2, &err));
	assert_int_equal(err.code, -ENOTSUP);
	assert_string_equal(err.what, "the module sample is of another version");
}

static void test_one_under_a_wrong_name_is_refused(unused_argument void **state)
{
	assert_null(module_get("misnamed", 3, NULL));
}

static void test_it_is_loaded_once_and_its_functions_work(unused_argument void **state)
{
	struct error err = {.code = 0};
	const struct sample *sample = module_get("sample", 3, &err);
	assert_non_null(sample);
	assert_int_equal(sample->twice(21), 42);
	assert_ptr_equal(module_get("sample", 3, &err), sample);
	assert_null(module_absent("sample"));
	assert_null(module_get("sample", 4, &err)); /* loaded, and still of another version */
}

static void test_one_that_is_linked_in_needs_no_file(unused_argument void **state)
{
	struct error err = {.code = 0};
	assert_ptr_equal(module_get("linked", 1, &err), &linked_functions);
	assert_null(module_absent("linked"));
	assert_null(module_get("linked", 2, &err));
}

static void test_a_name_is_no_path(unused_argument void **state)
{
	assert_null(module_get("../unit/sample", 3, NULL));
	assert_non_null(module_absent("../unit/sample"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_absent_one_says_what_to_install),
		cmocka_unit_test(test_one_of_another_version_is_refused),
		cmocka_unit_test(test_one_under_a_wrong_name_is_refused),
		cmocka_unit_test(test_it_is_loaded_once_and_its_functions_work),
		cmocka_unit_test(test_one_that_is_linked_in_needs_no_file),
		cmocka_unit_test(test_a_name_is_no_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

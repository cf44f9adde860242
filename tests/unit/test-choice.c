/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person chose to see, the snapshots that are kept, and how the map fits. */
#include "made.h"

#include "model/door-map.h"
#include "top/choice.h"
#include "top/map.h"
#include "top/past.h"

static const char *const names[] = {"doors", "connections"};

static void assert_written(const struct choice *choices, const char *wanted)
{
	struct out out;
	assert_int_equal(out_init(&out, -1), 0);
	choices_write(&out, names, choices, 2);
	out_char(&out, '\0');
	assert_string_equal(strchr(out.data, '\n') + 1, wanted);
	out_done(&out);
}

static void test_what_is_written_is_read_again(unused_argument void **state)
{
	struct choice choices[2] = {{.by = ROWS_BY_NONE}};
	unsigned wrong;
	const char *text = "doors columns port,process\ndoors sort -port,pid\ndoors group peer\n"
			   "connections columns local\nconnections sort \nconnections group none\n";
	choices_parse(text, names, choices, 2, &wrong);
	assert_int_equal(wrong, 0);
	assert_ptr_equal(choices[0].columns[1], field_find("process"));
	assert_true(choices[0].descending[0]);
	assert_false(choices[0].descending[1]);
	assert_int_equal(choices[0].by, ROWS_BY_PEER);
	assert_written(choices, text);
}

static void test_what_is_not_understood_is_passed_over(unused_argument void **state)
{
	struct choice choices[2] = {{.by = ROWS_BY_NONE}};
	unsigned wrong;
	choices_parse("# mine\n\ndoors columns port\ndoors columns no_such_field\nmap zoom 3\n"
		      "doors group nonsense\ndoors columns \nx\n",
		      names, choices, 2, &wrong);
	assert_int_equal(wrong, 4);
	assert_ptr_equal(choices[0].columns[0], field_find("port"));
	assert_null(choices[0].columns[1]);
}

/* The file of a newer version: what is known of its lines is as it was chosen. */
static void test_of_a_line_only_what_is_unknown_is_passed_over(unused_argument void **state)
{
	struct choice choices[2] = {{.by = ROWS_BY_NONE}};
	unsigned wrong;
	choices_parse("doors columns pid,of_tomorrow,port\ndoors sort of_tomorrow,-port\n", names,
		      choices, 2, &wrong);
	assert_int_equal(wrong, 1);
	assert_ptr_equal(choices[0].columns[0], field_find("pid"));
	assert_ptr_equal(choices[0].columns[1], field_find("port"));
	assert_null(choices[0].columns[2]);
	assert_ptr_equal(choices[0].sort[0], field_find("port"));
	assert_true(choices[0].descending[0]);
	assert_null(choices[0].sort[1]);
}

static void test_columns_are_chosen_moved_and_sorted(unused_argument void **state)
{
	struct choice choice = {.columns = {field_find("port"), field_find("pid")}};
	assert_true(choice_toggle(&choice, field_find("user")));
	assert_int_equal(choice_move(&choice, 2, -1), 1);
	assert_int_equal(choice_move(&choice, 0, -1), 0); /* no further */
	assert_ptr_equal(choice.columns[1], field_find("user"));
	assert_true(choice_toggle(&choice, field_find("port")));
	assert_true(choice_toggle(&choice, field_find("user")));
	assert_true(choice_toggle(&choice, field_find("pid"))); /* the last stays */
	assert_int_equal(choice_count(&choice), 1);
	choice_sort(&choice, field_find("pid"));
	assert_false(choice.descending[0]);
	choice_sort(&choice, field_find("pid"));
	assert_true(choice.descending[0]);
	choice_sort(&choice, field_find("pid"));
	assert_null(choice.sort[0]);
}

static void test_columns_are_bounded(unused_argument void **state)
{
	struct choice choice = {.by = ROWS_BY_NONE};
	const struct field *field;
	for (unsigned i = 0; (field = field_at(i)); i++)
		assert_int_equal(choice_toggle(&choice, field), i < CHOICE_COLUMNS_MAX);
}

/* ---- the past ---- */

static struct snapshot *at(double time, uint32_t n)
{
	struct snapshot *s = made_new();
	for (uint32_t i = 0; i < n; i++)
		made_socket(s, PROTO_TCP, STATE_LISTEN, "127.0.0.1:80", NULL);
	s->time = time;
	assert_int_equal(snapshot_seal(s), 0);
	return s;
}

static void test_the_past_is_bounded_by_age_and_memory(unused_argument void **state)
{
	struct past past;
	past_init(&past, SIZE_MAX, 10);
	for (unsigned i = 0; i < 30; i++) {
		struct snapshot *s = at(i, 1);
		assert_int_equal(past_add(&past, s), 0);
		snapshot_free(s); /* the past holds it */
	}
	assert_int_equal(past.list.n, 11);
	assert_true(past_at(&past, 0)->time == 19);
	past_done(&past);
	past_init(&past, 1, 10); /* two stay however large: one is compared with the other */
	size_t bytes = 0;
	for (unsigned i = 0; i < 5; i++) {
		struct snapshot *s = at(i, 10);
		assert_int_equal(past_add(&past, s), 0);
		bytes = snapshot_size(s);
		snapshot_free(s);
	}
	assert_int_equal(past.list.n, 2);
	assert_int_equal(past.bytes, 2 * bytes);
	past_done(&past);
}

/* ---- the map ---- */

static void test_the_map_fits_wherever_it_is_shown(unused_argument void **state)
{
	static const unsigned places[][2] = {{1, 1}, {1, 2}, {2, 4}};
	for (unsigned p = 0; p < 3; p++)
		for (unsigned rows = 1; rows <= 260; rows += 3)
			for (unsigned columns = 1; columns <= 300; columns += 7)
				for (unsigned zoomed = 0; zoomed < 2; zoomed++) {
					struct map_fit fit = map_fit(rows, columns, places[p][0],
								     places[p][1], zoomed);
					assert_true(fit.rows <= rows && fit.columns <= columns);
					assert_true(fit.rows * places[p][1] * fit.down >= fit.size);
					assert_true(fit.columns * places[p][0] * fit.across >=
						    fit.size);
				}
	struct map_fit whole = map_fit(128, 256, 1, 2, false);
	assert_int_equal(whole.across, 1);
	assert_int_equal(whole.down, 1);
}

static void test_of_several_doors_the_one_that_matters_is_shown(unused_argument void **state)
{
	static uint8_t doors[65536];
	const struct map_area area = {0, 0, 8, 8};
	assert_int_equal(map_most(doors, area), 0);
	doors[3] = DOOR_CONNECTED | DOOR_REACH_PUBLIC << 3;
	assert_int_equal(map_most(doors, area), 3);
	doors[256 + 4] = DOOR_OPEN | DOOR_REACH_LOOPBACK << 3;
	assert_int_equal(map_most(doors, area), 256 + 4);
	doors[512] = DOOR_OPEN | DOOR_REACH_ANY << 3;
	assert_int_equal(map_most(doors, area), 512);
	doors[7] = DOOR_CHANGED; /* it has just been closed */
	assert_int_equal(map_most(doors, area), 7);
	doors[9] = DOOR_OPEN | DOOR_REACH_ANY << 3 | DOOR_CHANGED; /* of another place */
	assert_int_equal(map_most(doors, area), 7);
	assert_int_equal(map_most(doors, (struct map_area){255, 255, 8, 8}), 65535);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_read_again),
		cmocka_unit_test(test_what_is_not_understood_is_passed_over),
		cmocka_unit_test(test_of_a_line_only_what_is_unknown_is_passed_over),
		cmocka_unit_test(test_columns_are_chosen_moved_and_sorted),
		cmocka_unit_test(test_columns_are_bounded),
		cmocka_unit_test(test_the_past_is_bounded_by_age_and_memory),
		cmocka_unit_test(test_the_map_fits_wherever_it_is_shown),
		cmocka_unit_test(test_of_several_doors_the_one_that_matters_is_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

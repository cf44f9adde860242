/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From snapshots to what a list shows, without a terminal. */
#include "made.h"

#include "top/arrange.h"

static struct snapshot *sealed(struct snapshot *s)
{
	assert_int_equal(snapshot_seal(s), 0);
	return s;
}

static struct wish wish_of(const struct snapshot *s, uint32_t now_ms)
{
	struct wish wish = {.snapshot = s, .now_ms = now_ms, .number = 1, .states = STATES_ALL};
	wish.choice.columns[0] = field_find("port");
	return wish;
}

static struct arrangement *arranged(struct marks *marks, const struct arrangement *last,
				    const struct wish *wish)
{
	struct arrangement *made = NULL;
	assert_int_equal(arrange(marks, last, wish, NULL, &made), 0);
	return made;
}

static void add(struct snapshot *s, uint16_t port, uint64_t cookie)
{
	char local[32];
	snprintf(local, sizeof(local), "127.0.0.1:%u", port);
	struct socket *socket = made_at(s, made_socket(s, PROTO_TCP, STATE_LISTEN, local, NULL));
	socket->cookie = cookie;
	socket->inode = (uint32_t)cookie + 100;
}

/* "80+ 81 82-": each item's port, and what became of it. */
static void assert_items(const struct arrangement *a, uint32_t now_ms, const char *wanted)
{
	char text[256] = "";
	for (uint32_t i = 0; i < a->n_items; i++) {
		const struct mark *mark = arrangement_mark(a, i);
		size_t n = strlen(text);
		char sign = mark_level(mark, now_ms) == 3 ? ' ' : " ~+-"[mark->change];
		if (a->items[i] & ITEM_GHOST)
			snprintf(text + n, sizeof(text) - n, "%s%c|",
				 a->ghosts[a->items[i] & ~ITEM_GHOST].cells[0], sign);
		else
			snprintf(text + n, sizeof(text) - n, "%u%c|",
				 snapshot_socket(a->snapshot,
						 a->rows.order[rows_first(&a->rows, a->items[i])])
					 ->local_port,
				 sign);
	}
	assert_string_equal(text, wanted);
}

static void test_new_changed_and_gone_rows_fade(unused_argument void **state)
{
	struct marks marks = {.snapshot = NULL};
	struct snapshot *s[4] = {made_new(), made_new(), made_new(), made_new()};
	add(s[0], 80, 1);
	add(s[0], 81, 2);
	add(s[0], 82, 3);
	add(s[1], 80, 1);
	add(s[1], 82, 3);
	add(s[1], 83, 4);
	for (unsigned i = 2; i < 4; i++)
		for (unsigned k = 0; k < 3; k++)
			snapshot_add_socket(s[i], made_at(s[1], k));
	for (unsigned i = 0; i < 4; i++)
		sealed(s[i]);
	struct wish wish = wish_of(s[0], 1000);
	struct arrangement *first = arranged(&marks, NULL, &wish);
	assert_items(first, 1000, "80 |81 |82 |"); /* the first of all are no news */

	wish = wish_of(s[1], 2000);
	struct arrangement *second = arranged(&marks, first, &wish);
	assert_items(second, 2000, "80 |81-|82 |83+|"); /* it stays where it was */
	assert_int_equal(second->n_new, 1);
	assert_int_equal(second->n_gone, 1);

	wish = wish_of(s[2], 3000);
	struct arrangement *third = arranged(&marks, second, &wish);
	assert_items(third, 3000, "80 |81-|82 |83+|");
	assert_int_equal(mark_level(arrangement_mark(third, 1), 3000), 1);

	wish = wish_of(s[3], 2000 + FADE_MS);
	struct arrangement *fourth = arranged(&marks, third, &wish);
	assert_items(fourth, 2000 + FADE_MS, "80 |82 |83 |");
	struct arrangement *all[] = {first, second, third, fourth};
	for (unsigned i = 0; i < 4; i++) {
		arrangement_release(all[i]);
		snapshot_free(s[i]);
	}
	marks_done(&marks);
}

static void test_a_row_keeps_its_number(unused_argument void **state)
{
	struct marks marks = {.snapshot = NULL};
	struct snapshot *older = made_new(), *newer = made_new();
	add(older, 80, 1);
	add(older, 81, 2);
	add(newer, 79, 9); /* before it, so that it moves down */
	add(newer, 80, 1);
	add(newer, 81, 2);
	struct wish wish = wish_of(sealed(older), 1000);
	struct arrangement *first = arranged(&marks, NULL, &wish);
	uint32_t id = arrangement_mark(first, 1)->id;
	wish = wish_of(sealed(newer), 2000);
	struct arrangement *second = arranged(&marks, first, &wish);
	assert_int_equal(arrangement_find(second, id), 2);
	assert_int_equal(arrangement_find(second, 12345), UINT32_MAX);
	arrangement_release(first);
	arrangement_release(second);
	marks_done(&marks);
	snapshot_free(older);
	snapshot_free(newer);
}

/* Another filter shows other rows: none of them is new, and none a ghost. */
static void test_another_choice_is_no_news(unused_argument void **state)
{
	struct marks marks = {.snapshot = NULL};
	struct snapshot *s = made_new();
	add(s, 80, 1);
	add(s, 81, 2);
	struct wish wish = wish_of(sealed(s), 1000);
	snprintf(wish.filter, sizeof(wish.filter), "port = 80");
	struct arrangement *first = arranged(&marks, NULL, &wish);
	assert_items(first, 1000, "80 |");
	wish.number++;
	snprintf(wish.filter, sizeof(wish.filter), "port = 81");
	struct arrangement *second = arranged(&marks, first, &wish);
	assert_items(second, 1000, "81 |");
	arrangement_release(first);
	arrangement_release(second);
	marks_done(&marks);
	snapshot_free(s);
}

/* A tab that looks at more: what nobody had looked at is not new. */
static void test_what_was_not_looked_at_is_not_new(unused_argument void **state)
{
	struct marks marks = {.snapshot = NULL};
	struct snapshot *older = made_new(), *newer = made_new();
	older->states = STATES_OPEN;
	newer->states = STATES_ALL;
	add(older, 80, 1);
	add(newer, 80, 1);
	add(newer, 81, 2);
	made_socket(newer, PROTO_TCP, STATE_ESTABLISHED, "127.0.0.1:90", "127.0.0.1:91");
	struct wish wish = wish_of(sealed(older), 1000);
	struct arrangement *first = arranged(&marks, NULL, &wish);
	wish = wish_of(sealed(newer), 2000);
	struct arrangement *second = arranged(&marks, first, &wish);
	assert_items(second, 2000, "80 |81+|90 |");
	arrangement_release(first);
	arrangement_release(second);
	marks_done(&marks);
	snapshot_free(older);
	snapshot_free(newer);
}

static void test_the_past_is_compared_with_what_was_before_it(unused_argument void **state)
{
	struct marks marks = {.snapshot = NULL};
	struct snapshot *older = made_new(), *newer = made_new(), *now = made_new();
	add(older, 80, 1);
	add(newer, 80, 1);
	add(newer, 81, 2);
	add(now, 85, 5);
	struct wish wish = wish_of(sealed(now), 1000);
	struct arrangement *live = arranged(&marks, NULL, &wish);
	wish = wish_of(sealed(newer), 2000);
	wish.is_past = true;
	wish.older = sealed(older);
	struct arrangement *past = arranged(&marks, live, &wish);
	assert_items(past, 2000, "80 |81+|");
	wish = wish_of(now, 3000);
	wish.is_fresh = true;
	struct arrangement *again = arranged(&marks, past, &wish);
	assert_items(again, 3000, "85 |");
	arrangement_release(live);
	arrangement_release(past);
	arrangement_release(again);
	marks_done(&marks);
	snapshot_free(older);
	snapshot_free(newer);
	snapshot_free(now);
}

static void test_ghosts_are_bounded(unused_argument void **state)
{
	struct marks marks = {.snapshot = NULL};
	struct snapshot *older = made_new(), *newer = made_new();
	for (uint16_t i = 1; i <= 2 * GHOSTS_MAX; i++)
		add(older, i, i);
	struct wish wish = wish_of(sealed(older), 1000);
	struct arrangement *first = arranged(&marks, NULL, &wish);
	wish = wish_of(sealed(newer), 2000);
	struct arrangement *second = arranged(&marks, first, &wish);
	assert_int_equal(second->n_items, GHOSTS_MAX);
	assert_int_equal(second->n_gone, 2 * GHOSTS_MAX);
	arrangement_release(first);
	arrangement_release(second);
	marks_done(&marks);
	snapshot_free(older);
	snapshot_free(newer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_changed_and_gone_rows_fade),
		cmocka_unit_test(test_a_row_keeps_its_number),
		cmocka_unit_test(test_another_choice_is_no_news),
		cmocka_unit_test(test_what_was_not_looked_at_is_not_new),
		cmocka_unit_test(test_the_past_is_compared_with_what_was_before_it),
		cmocka_unit_test(test_ghosts_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

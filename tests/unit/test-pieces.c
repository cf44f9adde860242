/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Output made in pieces: in order and whole, whoever made them and however long each takes. */
#include "check.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "base/pieces.h"

struct made {
	atomic_uint by[PIECES_WORKERS], n[1000];
	unsigned slow; /* each piece of this remainder of 3 takes long; 3: none */
};

static void make(void *data, unsigned worker, struct out *out, uint32_t index)
{
	struct made *made = data;
	for (unsigned i = 0; index % 3 == made->slow && i < 200; i++)
		sched_yield();
	atomic_fetch_add(&made->by[worker], 1);
	atomic_fetch_add(&made->n[index], 1);
	out_format(out, "%u\n", index);
}

static void test_every_piece_comes_once_and_in_its_turn(void **state)
{
	(void)state;
	static const uint32_t sizes[] = {0, 1, 2, 3, 7, 1000};
	for (unsigned slow = 0; slow <= 3; slow++)
		for (unsigned k = 0; k < ARRAY_SIZE(sizes); k++) {
			static struct made made;
			struct out out;
			memset(&made, 0, sizeof(made));
			made.slow = slow;
			assert_int_equal(out_init(&out, -1), 0);
			pieces_write(&out, sizes[k], make, &made);
			assert_int_equal(out.error, 0);
			const char *at = out.data;
			for (uint32_t i = 0; i < sizes[k]; i++) {
				char line[16];
				int n = snprintf(line, sizeof(line), "%u\n", i);
				assert_memory_equal(at, line, (size_t)n);
				at += n;
				assert_int_equal(made.n[i], 1);
			}
			assert_int_equal((size_t)(at - out.data), out.n);
			assert_int_equal(made.by[0] + made.by[1], sizes[k]);
			out_done(&out);
		}
}

static void test_the_caller_makes_its_half(void **state)
{
	(void)state;
	static struct made made;
	struct out out;
	memset(&made, 0, sizeof(made));
	made.slow = 3;
	assert_int_equal(out_init(&out, -1), 0);
	pieces_write(&out, 1000, make, &made);
	assert_in_range(made.by[0], 500, 1000);
	out_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_piece_comes_once_and_in_its_turn),
		cmocka_unit_test(test_the_caller_makes_its_half),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

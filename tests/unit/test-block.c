/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks: what a person types, the names of scopes, what is to be changed, nft's listing and text.
 */
#include "check.h"

#include <errno.h>

#include "model/block.h"
#include "nft/parse.h"
#include "nft/script.h"

static struct block made(uint16_t first, uint16_t last)
{
	return (struct block){.first = first, .last = last, .is_there = true};
}

static void put(struct vector *vector, struct block block)
{
	*(struct block *)vector_add(vector) = block;
}

static const struct block *at(const struct vector *vector, uint32_t i)
{
	return vector_at(vector, i);
}

static void test_a_scope_has_one_name(unused_argument void **state)
{
	static const char *const names[] = {
		"to_any_from_any",	 "to_any_from_outside",	 "to_ipv4_from_10.0.0.0/8",
		"to_127.0.0.1_from_any", "to_--1_from_fd00--/8", "to_fe80--1_from_any",
	};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct block_scope scope;
		char again[BLOCK_SCOPE_NAME_MAX];
		assert_true(block_scope_parse(names[i], &scope));
		block_scope_name(&scope, again);
		assert_string_equal(again, names[i]);
	}
}

static void test_what_is_no_name_of_a_scope_is_none(unused_argument void **state)
{
	static const char *const names[] = {
		"",
		"to_",
		"to_any",
		"to_any_from_",
		"any_from_any",
		"to_from_any",
		"to_any_from_10.0.0.1/8",
		"to_any_from_10.0.0.0/33",
		"to_1.2.3_from_any",
		"to_10.0.0.0/8_from_any",
		"to_any_from_any ",
	};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct block_scope scope;
		assert_false(block_scope_parse(names[i], &scope));
	}
}

static void test_from_takes_outside_and_networks(unused_argument void **state)
{
	struct block_end end;
	char text[64];
	assert_int_equal(block_parse_from("10.1.2.3/8", &end, NULL), 0);
	block_end_text(&end, text, sizeof(text));
	assert_string_equal(text, "10.0.0.0/8");
	assert_int_equal(block_parse_from("2001:db8:ffff::/33", &end, NULL), 0);
	block_end_text(&end, text, sizeof(text));
	assert_string_equal(text, "2001:db8:8000::/33");
	assert_int_equal(block_parse_from("::ffff:10.0.0.0/104", &end, NULL), 0);
	block_end_text(&end, text, sizeof(text));
	assert_string_equal(text, "10.0.0.0/8");
	assert_int_equal(block_parse_from("outside", &end, NULL), 0);
	assert_int_equal(end.kind, BLOCK_OUTSIDE);
	assert_int_equal(block_parse_from(NULL, &end, NULL), 0);
	assert_int_equal(end.kind, BLOCK_ANY);
	assert_int_equal(block_parse_from("10.0.0.0/", &end, NULL), -EINVAL);
	assert_int_equal(block_parse_from("10.0.0.0/8x", &end, NULL), -EINVAL);
	assert_int_equal(block_parse_from("", &end, NULL), -EINVAL);
}

static void test_a_range_is_split_where_another_stands_in_it(unused_argument void **state)
{
	struct block_table table;
	struct block_change change;
	struct block wanted = made(8005, 8006);
	wanted.is_there = false;
	block_table_init(&table);
	block_change_init(&change);
	put(&table.blocks, made(8000, 8010));
	put(&table.blocks, made(9000, 9000));
	assert_int_equal(block_change_begin(&change, &table), 0);
	assert_int_equal(block_change_add(&change, &wanted), 0);
	assert_int_equal(change.removed.n, 1);
	assert_int_equal(at(&change.removed, 0)->first, 8000);
	assert_int_equal(change.after.n, 4);
	uint32_t ports = 0, n_new = 0;
	for (uint32_t i = 0; i < change.after.n; i++) {
		ports += at(&change.after, i)->last - at(&change.after, i)->first + 1u;
		n_new += !at(&change.after, i)->is_there;
	}
	assert_int_equal(ports, 12);
	assert_int_equal(n_new, 3);
	block_change_done(&change);
	block_table_done(&table);
}

static void test_the_ends_of_the_numbers_are_no_trap(unused_argument void **state)
{
	struct block_table table;
	struct block_change change;
	struct block wanted = made(0, 65535);
	uint32_t n = 0;
	block_table_init(&table);
	block_change_init(&change);
	put(&table.blocks, made(0, 65535));
	assert_int_equal(block_change_begin(&change, &table), 0);
	assert_int_equal(
		block_change_remove(&change, &(struct block){.first = 0, .last = 0}, false, &n), 0);
	assert_int_equal(block_change_remove(&change,
					     &(struct block){.first = 65535, .last = 65535}, false,
					     &n),
			 0);
	assert_int_equal(n, 2);
	assert_int_equal(change.after.n, 1);
	assert_int_equal(at(&change.after, 0)->first, 1);
	assert_int_equal(at(&change.after, 0)->last, 65534);
	assert_int_equal(change.removed.n, 1); /* what is new is not in the kernel */
	assert_int_equal(block_change_remove(&change, &wanted, false, &n), 0);
	assert_int_equal(change.after.n, 0);
	block_change_done(&change);
	block_table_done(&table);
}

static void test_a_rest_ends_no_earlier_than_the_whole(unused_argument void **state)
{
	struct block_table table;
	struct block_change change;
	struct block block = made(1, 9);
	uint32_t n = 0;
	block.seconds = 600;
	block.seconds_left = 599;
	block_table_init(&table);
	block_change_init(&change);
	put(&table.blocks, block);
	assert_int_equal(block_change_begin(&change, &table), 0);
	assert_int_equal(
		block_change_remove(&change, &(struct block){.first = 1, .last = 1}, false, &n), 0);
	assert_int_equal(at(&change.after, 0)->seconds, 600);
	assert_int_equal(at(&change.after, 0)->seconds_left, 600);
	block_change_done(&change);
	block_table_done(&table);
}

static void test_unblocking_a_port_without_an_address_means_all(unused_argument void **state)
{
	struct block_table table;
	struct block_change change;
	struct block local = made(80, 80), outside = made(80, 80), wanted = made(80, 80);
	uint32_t n = 0;
	assert_true(block_scope_parse("to_127.0.0.1_from_any", &local.scope));
	assert_true(block_scope_parse("to_any_from_outside", &outside.scope));
	block_table_init(&table);
	block_change_init(&change);
	put(&table.blocks, local);
	put(&table.blocks, outside);
	assert_int_equal(block_change_begin(&change, &table), 0);
	wanted.scope = local.scope;
	assert_int_equal(block_change_remove(&change, &wanted, true, &n), 0);
	assert_int_equal(n, 1);
	wanted.scope = (struct block_scope){.to.kind = BLOCK_ANY};
	assert_int_equal(block_change_remove(&change, &wanted, true, &n), 0);
	assert_int_equal(n, 1); /* --from anywhere is not outside */
	assert_int_equal(block_change_remove(&change, &wanted, false, &n), 0);
	assert_int_equal(n, 2);
	block_change_done(&change);
	block_table_done(&table);
}

static void test_a_reason_cannot_leave_its_quotes(unused_argument void **state)
{
	assert_null(block_reason_objection("it's Monday; { } # $x"));
	assert_non_null(block_reason_objection("\""));
	assert_non_null(block_reason_objection("a\\"));
	assert_non_null(block_reason_objection("a\nb"));
	assert_non_null(block_reason_objection("\xff"));
	assert_non_null(block_reason_objection(""));
}

/* ---- nft's listing ---- */

#define TABLE "{\"table\":{\"family\":\"inet\",\"name\":\"doorward\"}}"
#define SET(elements)                                                                        \
	"{\"set\":{\"family\":\"inet\",\"name\":\"to_any_from_any\",\"table\":\"doorward\"," \
	"\"elem\":[" elements "]}}"
#define CHAIN(name, hook)                                                         \
	"{\"chain\":{\"family\":\"inet\",\"table\":\"doorward\",\"name\":\"" name \
	"\",\"type\":\"filter\",\"hook\":\"" hook "\",\"prio\":-310}}"
#define RULE(chain)                                                                            \
	"{\"rule\":{\"family\":\"inet\",\"table\":\"doorward\",\"chain\":\"" chain             \
	"\",\"expr\":[{\"match\":{\"op\":\"==\",\"left\":{},\"right\":\"@to_any_from_any\"}}," \
	"{\"reject\":null}]}}"
#define IN "to_any_from_any.in"
#define OUT "to_any_from_any.out"
#define RULES RULE(IN) "," RULE(IN) "," RULE(OUT) "," RULE(OUT)
#define CHAINS CHAIN(IN, "prerouting") "," CHAIN(OUT, "output")
#define ELEMENT                                                                        \
	"{\"elem\":{\"val\":{\"concat\":[6,{\"range\":[8000,8010]}]},\"timeout\":600," \
	"\"expires\":599,\"comment\":\"why\",\"counter\":{\"packets\":3,\"bytes\":180}}}"

static int parse(const char *text, struct block_table *table)
{
	block_table_init(table);
	return nft_parse(text, strlen(text), table);
}

static void test_a_listing_is_read(unused_argument void **state)
{
	struct block_table table;
	assert_int_equal(parse("{\"nftables\":[" TABLE
			       "," SET(ELEMENT ",{\"concat\":[17,53]}") "," CHAINS "," RULES "]}",
			       &table),
			 0);
	assert_true(table.is_there);
	assert_int_equal(table.blocks.n, 2);
	const struct block *block = at(&table.blocks, 0);
	assert_int_equal(block->proto, PROTO_TCP);
	assert_int_equal(block->first, 8000);
	assert_int_equal(block->last, 8010);
	assert_int_equal(block->seconds, 600);
	assert_int_equal(block->seconds_left, 599);
	assert_int_equal(block->packets, 3);
	assert_string_equal(block->reason, "why");
	assert_true(block_is_in_force(&table, block));
	assert_int_equal(at(&table.blocks, 1)->proto, PROTO_UDP);
	assert_int_equal(at(&table.blocks, 1)->seconds, 0);
	block_table_done(&table);
}

static void test_what_lacks_a_rule_or_a_hook_is_not_in_force(unused_argument void **state)
{
	static const char *const listings[] = {
		"{\"nftables\":[" TABLE "," SET(ELEMENT) "]}",
		"{\"nftables\":[" TABLE "," SET(ELEMENT) "," CHAINS "]}",
		"{\"nftables\":[" TABLE "," SET(ELEMENT) "," CHAINS "," RULE(IN) "," RULE(OUT) "]}",
		"{\"nftables\":[" TABLE "," SET(ELEMENT) "," CHAIN(IN, "prerouting") "," RULES "]}",
		"{\"nftables\":[" TABLE
		"," SET(ELEMENT) "," CHAIN(IN, "input") "," CHAIN(OUT, "output") "," RULES "]}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(listings); i++) {
		struct block_table table;
		assert_int_equal(parse(listings[i], &table), 0);
		assert_int_equal(table.blocks.n, 1);
		assert_false(block_is_in_force(&table, at(&table.blocks, 0)));
		block_table_done(&table);
	}
}

static void test_what_is_not_ours_is_passed_over(unused_argument void **state)
{
	static const char *const listings[] = {
		"{\"nftables\":[]}",
		"{\"nftables\":[1,null,{\"set\":[]},{\"chain\":{}},{\"rule\":{}}]}",
		"{\"nftables\":[{\"set\":{\"family\":\"ip\",\"name\":\"to_any_from_any\","
		"\"table\":\"doorward\",\"elem\":[{\"concat\":[6,1]}]}}]}",
		"{\"nftables\":[" SET(
			"{\"concat\":[6]},{\"concat\":[6,70000]},{\"concat\":[\"icmp\",1]}"
			",{\"concat\":[6,{\"range\":[9,8]}]},{\"concat\":[255,1]},7") "]}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(listings); i++) {
		struct block_table table;
		assert_int_equal(parse(listings[i], &table), 0);
		assert_int_equal(table.blocks.n, 0);
		block_table_done(&table);
	}
}

static void test_what_is_no_listing_is_an_error(unused_argument void **state)
{
	static const char *const listings[] = {"", "{", "[]", "{}", "{\"nftables\":{}}"};
	for (size_t i = 0; i < ARRAY_SIZE(listings); i++) {
		struct block_table table;
		assert_int_equal(parse(listings[i], &table), -EBADMSG);
		block_table_done(&table);
	}
}

static void test_a_dormant_table_is_seen_in_words(unused_argument void **state)
{
	assert_true(nft_parse_dormant("table inet doorward {\n\tflags dormant\n\n\tset x {\n"));
	assert_true(nft_parse_dormant("table inet doorward {\n\tflags dormant,owner\n}\n"));
	assert_false(nft_parse_dormant("table inet doorward {\n\tflags owner\n\tset dormant {\n"));
	assert_false(nft_parse_dormant("table inet doorward {\n\tset x {\n\t\tflags interval\n"
				       "\t\tcomment \"dormant\"\n"));
	assert_false(nft_parse_dormant(""));
}

/* ---- nft's text ---- */

static void test_a_script_names_no_other_table(unused_argument void **state)
{
	struct block_table table;
	struct block_change change;
	struct block wanted = made(8080, 8080);
	struct out out;
	wanted.is_there = false;
	snprintf(wanted.reason, sizeof(wanted.reason), "why");
	block_table_init(&table);
	block_change_init(&change);
	assert_int_equal(out_init(&out, -1), 0);
	put(&table.blocks, made(8000, 8100));
	assert_int_equal(block_change_begin(&change, &table), 0);
	assert_int_equal(block_change_add(&change, &wanted), 0);
	nft_script(&out, &table, &change);
	out_char(&out, '\0');
	for (const char *line = out.data; *line; line = strchr(line, '\n') + 1) {
		const char *table_at = strstr(line, " inet doorward");
		assert_non_null(table_at);
		assert_true(table_at < strchr(line, '\n'));
	}
	out_done(&out);
	block_change_done(&change);
	block_table_done(&table);
}

static void test_the_last_block_takes_the_table_along(unused_argument void **state)
{
	struct block_table table;
	struct block_change change;
	struct out out;
	block_table_init(&table);
	block_change_init(&change);
	assert_int_equal(out_init(&out, -1), 0);
	nft_script(&out, &table, &change);
	out_char(&out, '\0');
	assert_string_equal(out.data, "add table inet doorward\ndelete table inet doorward\n");
	out_done(&out);
	block_change_done(&change);
	block_table_done(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_scope_has_one_name),
		cmocka_unit_test(test_what_is_no_name_of_a_scope_is_none),
		cmocka_unit_test(test_from_takes_outside_and_networks),
		cmocka_unit_test(test_a_range_is_split_where_another_stands_in_it),
		cmocka_unit_test(test_the_ends_of_the_numbers_are_no_trap),
		cmocka_unit_test(test_a_rest_ends_no_earlier_than_the_whole),
		cmocka_unit_test(test_unblocking_a_port_without_an_address_means_all),
		cmocka_unit_test(test_a_reason_cannot_leave_its_quotes),
		cmocka_unit_test(test_a_listing_is_read),
		cmocka_unit_test(test_what_lacks_a_rule_or_a_hook_is_not_in_force),
		cmocka_unit_test(test_what_is_not_ours_is_passed_over),
		cmocka_unit_test(test_what_is_no_listing_is_an_error),
		cmocka_unit_test(test_a_dormant_table_is_seen_in_words),
		cmocka_unit_test(test_a_script_names_no_other_table),
		cmocka_unit_test(test_the_last_block_takes_the_table_along),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

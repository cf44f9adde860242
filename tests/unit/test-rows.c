/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which sockets are shown, in which order, united how. */
#include "made.h"

#include "model/rows-usual.h"

static void seal(struct snapshot *s)
{
	assert_int_equal(snapshot_seal(s), 0);
}

static struct rows rows_of(const struct snapshot *s)
{
	struct rows rows;
	assert_int_equal(rows_select(s, NULL, &rows), 0);
	return rows;
}

struct collected {
	char text[4096];
	unsigned n;
};

static int collect(void *data, const struct value *value, uint32_t times)
{
	struct collected *collected = data;
	struct out out;
	assert_int_equal(out_init(&out, -1), 0);
	value_text(&out, value);
	size_t n = strlen(collected->text);
	snprintf(collected->text + n, sizeof(collected->text) - n, "%s%.*s", n ? " " : "",
		 (int)out.n, out.data);
	if (times > 1) {
		n = strlen(collected->text);
		snprintf(collected->text + n, sizeof(collected->text) - n, "x%u", times);
	}
	out_done(&out);
	collected->n++;
	return 0;
}

static void assert_values(const struct rows *rows, uint32_t row, const char *field,
			  const char *wanted)
{
	struct collected collected = {.n = 0};
	uint32_t n = rows_values(rows, row, field_find(field), collect, &collected);
	assert_string_equal(collected.text, wanted);
	assert_int_equal(n, collected.n);
}

static uint32_t tcp_listener(struct snapshot *s, const char *local, uint32_t process, int32_t fd)
{
	uint32_t socket = made_socket(s, PROTO_TCP, STATE_LISTEN, local, NULL);
	made_hold(s, socket, process, fd);
	return socket;
}

/* Five workers that share both halves of a service, and sshd. */
static struct snapshot *make_nginx(void)
{
	struct snapshot *s = made_new();
	uint32_t four = made_socket(s, PROTO_TCP, STATE_LISTEN, "0.0.0.0:80", NULL),
		 six = made_socket(s, PROTO_TCP, STATE_LISTEN, "[::]:80", NULL);
	tcp_listener(s, "0.0.0.0:22", made_process(s, 50, 1, "sshd", "ssh.service"), 3);
	for (int32_t i = 0; i < 5; i++) {
		uint32_t worker = made_process(s, 100 + i, i ? 100 : 1, "nginx", "nginx.service");
		made_hold(s, four, worker, 6);
		made_hold(s, six, worker, 7);
	}
	made_at(s, four)->recv_queue = 3;
	made_at(s, six)->recv_queue = 4;
	seal(s);
	return s;
}

static void test_both_halves_and_all_workers_are_one_row(unused_argument void **state)
{
	struct snapshot *s = make_nginx();
	struct rows rows = rows_of(s);
	assert_int_equal(rows.n_rows, 3);
	assert_int_equal(rows_sort(&rows, NULL, NULL), 0);
	assert_int_equal(rows_group(&rows), 0);
	assert_int_equal(rows.n_rows, 2);
	assert_values(&rows, 0, "process", "sshd");
	assert_values(&rows, 1, "process", "nginxx5");
	assert_values(&rows, 1, "pid", "100x2 101x2 102x2 103x2 104x2");
	assert_values(&rows, 1, "shown_address", "0.0.0.0 ::");
	assert_values(&rows, 1, "port", "80x2");
	assert_values(&rows, 1, "unit", "nginx.servicex10");
	assert_values(&rows, 1, "recv_queue", "7");
	assert_values(&rows, 1, "cwd", "");
	rows_done(&rows);
	snapshot_free(s);
}

static void test_a_reuseport_group_is_one_row(unused_argument void **state)
{
	struct snapshot *s = made_new();
	for (int32_t i = 0; i < 4; i++) {
		uint32_t worker = made_process(s, 100 + i, 99, "worker", NULL);
		made_at(s, tcp_listener(s, "0.0.0.0:80", worker, 3))->flags |= SOCKET_REUSEPORT;
	}
	seal(s);
	struct rows rows = rows_of(s);
	assert_int_equal(rows_group(&rows), 0);
	assert_int_equal(rows.n_rows, 1);
	assert_values(&rows, 0, "process", "workerx4");
	rows_done(&rows);
	snapshot_free(s);
}

static void test_two_owners_are_two_rows(unused_argument void **state)
{
	struct snapshot *s = made_new();
	tcp_listener(s, "127.0.0.1:8000", made_process(s, 100, 1, "python3", NULL), 3);
	tcp_listener(s, "[::1]:8000", made_process(s, 200, 1, "python3", NULL), 3);
	seal(s);
	struct rows rows = rows_of(s);
	assert_int_equal(rows_group(&rows), 0);
	assert_int_equal(rows.n_rows, 2);
	rows_done(&rows);
	snapshot_free(s);
}

static void test_protocol_port_namespace_and_state_part_rows(unused_argument void **state)
{
	struct snapshot *s = made_new();
	*(struct netns *)vector_add(&s->netns) = (struct netns){.inode = 1};
	uint32_t one = made_process(s, 100, 1, "one", NULL);
	tcp_listener(s, "0.0.0.0:80", one, 3);
	tcp_listener(s, "0.0.0.0:81", one, 4);
	made_at(s, tcp_listener(s, "0.0.0.0:80", one, 5))->netns = 1;
	made_hold(s, made_socket(s, PROTO_UDP, STATE_UNCONN, "0.0.0.0:80", NULL), one, 6);
	made_hold(s, made_socket(s, PROTO_TCP, STATE_BOUND, "[::]:80", NULL), one, 7);
	seal(s);
	struct rows rows = rows_of(s);
	assert_int_equal(rows_group(&rows), 0);
	assert_int_equal(rows.n_rows, 5);
	rows_done(&rows);
	snapshot_free(s);
}

static void test_connections_and_the_unseen_stand_alone(unused_argument void **state)
{
	struct snapshot *s = made_new();
	made_socket(s, PROTO_TCP, STATE_ESTABLISHED, "203.0.113.9:80", "198.51.100.1:5000");
	made_socket(s, PROTO_TCP, STATE_ESTABLISHED, "203.0.113.9:80", "198.51.100.1:5001");
	for (unsigned i = 0; i < 2; i++)
		made_at(s, made_socket(s, PROTO_TCP, STATE_LISTEN, "0.0.0.0:90", NULL))->held_by =
			HELD_UNSEEN;
	seal(s);
	struct rows rows = rows_of(s);
	assert_int_equal(rows_group(&rows), 0);
	assert_int_equal(rows.n_rows, 4);
	rows_done(&rows);
	snapshot_free(s);
}

static void test_groups_keep_the_order_of_their_firsts(unused_argument void **state)
{
	struct snapshot *s = make_nginx();
	struct rows rows = rows_of(s);
	const struct field *by[] = {field_find("port"), NULL};
	const bool down[] = {true};
	assert_int_equal(rows_sort(&rows, by, down), 0);
	assert_int_equal(rows_group(&rows), 0);
	assert_values(&rows, 0, "port", "80x2");
	assert_values(&rows, 1, "port", "22");
	rows_done(&rows);
	snapshot_free(s);
}

/* A row for each process that holds one socket of many; in any order each socket is in one row. */
static void test_many_rows_in_any_order_are_grouped_at_once(unused_argument void **state)
{
	struct snapshot *s = made_new();
	for (int32_t i = 0; i < 20000; i++) {
		char local[32];
		uint32_t process = made_process(s, 100 + i, 1, i % 2 ? "odd" : "even", NULL);
		snprintf(local, sizeof(local), "127.0.0.1:%d", 1 + i / 2);
		tcp_listener(s, local, process, 3);
	}
	seal(s);
	struct rows rows = rows_of(s);
	const struct field *by[] = {field_find("process"), NULL};
	assert_int_equal(rows_sort(&rows, by, NULL), 0);
	assert_int_equal(rows_group(&rows), 0);
	assert_int_equal(rows.n_rows, 20000);
	assert_int_equal(rows.start[20000], 20000);
	assert_values(&rows, 0, "process", "even");
	assert_values(&rows, 19999, "process", "odd");
	rows_done(&rows);
	snapshot_free(s);
}

static void test_no_value_of_a_large_row_is_lost(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t socket = made_socket(s, PROTO_TCP, STATE_LISTEN, "0.0.0.0:80", NULL);
	for (int32_t i = 0; i < 500; i++) {
		uint32_t process = made_process(s, 1000 + i, 1, "worker", NULL);
		char runs[16];
		snprintf(runs, sizeof(runs), "app-%d.py", i);
		((struct process *)vector_at(&s->processes, process))->runs = made_text(s, runs);
		made_hold(s, socket, process, 3);
		made_hold(s, socket, process, 4); /* twice */
	}
	seal(s);
	struct rows rows = rows_of(s);
	struct collected collected = {.n = 0};
	assert_int_equal(rows_values(&rows, 0, field_find("pid"), collect, &collected), 500);
	assert_int_equal(collected.n, 500);
	assert_memory_equal(collected.text, "1000x2 1001x2 ", 14);
	collected = (struct collected){.n = 0};
	/* titles are built in scratch space: each must keep its own */
	assert_int_equal(rows_values(&rows, 0, field_find("process"), collect, &collected), 500);
	assert_memory_equal(collected.text, "worker app-0.py worker app-1.py ", 32);
	assert_non_null(strstr(collected.text, "worker app-200.py "));
	assert_values(&rows, 0, "name", "workerx500");
	rows_done(&rows);
	snapshot_free(s);
}

static void assert_order(const struct rows *rows, const char *wanted)
{
	char text[256] = "";
	for (uint32_t i = 0; i < rows->n_sockets; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u", i ? " " : "",
			 rows->order[i]);
	assert_string_equal(text, wanted);
}

static struct snapshot *make_unordered(void)
{
	struct snapshot *s = made_new();
	made_socket(s, PROTO_UDP, STATE_UNCONN, "0.0.0.0:53", NULL);			  /* 0 */
	made_socket(s, PROTO_TCP, STATE_ESTABLISHED, "203.0.113.9:80", "198.51.100.1:9"); /* 1 */
	made_socket(s, PROTO_TCP, STATE_LISTEN, "[::]:80", NULL);			  /* 2 */
	made_socket(s, PROTO_TCP, STATE_LISTEN, "0.0.0.0:80", NULL);			  /* 3 */
	made_socket(s, PROTO_TCP, STATE_LISTEN, "127.0.0.1:22", NULL);			  /* 4 */
	made_socket(s, PROTO_TCP, STATE_LISTEN, "0.0.0.0:443", NULL);			  /* 5 */
	made_user(s, 0, "root");
	made_user(s, 5, "alice");
	made_at(s, 4)->uid = 5;
	made_at(s, 5)->uid = 77; /* without a name */
	seal(s);
	return s;
}

static void test_the_usual_order_is_by_protocol_and_port(unused_argument void **state)
{
	struct snapshot *s = make_unordered();
	struct rows rows = rows_of(s);
	assert_int_equal(rows_sort(&rows, NULL, NULL), 0);
	assert_order(&rows, "4 3 2 1 5 0");
	rows_done(&rows);
	snapshot_free(s);
}

static void test_null_stays_last_in_either_direction(unused_argument void **state)
{
	struct snapshot *s = make_unordered();
	struct rows rows = rows_of(s);
	const struct field *by[] = {field_find("user"), field_find("port"), NULL};
	const bool down[] = {true, false};
	assert_int_equal(rows_sort(&rows, by, NULL), 0);
	assert_order(&rows, "4 0 3 2 1 5");
	assert_int_equal(rows_sort(&rows, by, down), 0);
	assert_order(&rows, "0 3 2 1 4 5");
	rows_done(&rows);
	snapshot_free(s);
}

static void assert_usual_order_of(unsigned n)
{
	struct snapshot *s = made_new();
	uint32_t seed = 12345;
	for (unsigned i = 0; i < n; i++) {
		char local[40];
		seed = seed * 1103515245 + 12345;
		snprintf(local, sizeof(local), seed & 1 << 13 ? "%u.0.0.%u:%u" : "[2001::%u:%u]:%u",
			 seed >> 28, seed >> 9 & 7, (seed >> 16 & 255) + 1);
		made_socket(s, seed & 1 << 15 ? PROTO_UDP : PROTO_TCP,
			    seed & 1 << 14 ? STATE_LISTEN : STATE_BOUND, local, NULL);
	}
	seal(s);
	struct rows usual = rows_of(s), slow = rows_of(s);
	const struct field *by[] = {field_find("proto"), field_find("port"), NULL};
	assert_int_equal(rows_sort(&usual, NULL, NULL), 0);
	assert_int_equal(rows_sort(&slow, by, NULL), 0);
	assert_memory_equal(usual.order, slow.order, sizeof(uint32_t) * n);
	rows_done(&usual);
	rows_done(&slow);
	snapshot_free(s);
}

static void test_chosen_from_the_usual_order_they_are_the_same(void **state)
{
	static const char *const filters[] = {"", "port < 90", "udp and listen", "port = 1000"};
	struct snapshot *s = made_new();
	uint32_t seed = 99;
	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		char local[40];
		seed = seed * 1103515245 + 12345;
		snprintf(local, sizeof(local), "10.0.0.%u:%u", seed >> 9 & 7,
			 (seed >> 16 & 255) + 1);
		made_socket(s, seed & 1 << 15 ? PROTO_UDP : PROTO_TCP,
			    seed & 1 << 14 ? STATE_LISTEN : STATE_BOUND, local, NULL);
	}
	seal(s);
	struct rows usual = rows_of(s);
	assert_int_equal(rows_sort(&usual, NULL, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		struct rows sorted, chosen;
		struct filter *filter = NULL;
		assert_int_equal(filter_parse(filters[i], NULL, &filter, NULL), 0);
		assert_int_equal(rows_select(s, filter, &sorted), 0);
		assert_int_equal(rows_sort(&sorted, NULL, NULL), 0);
		assert_int_equal(rows_select_usual(&usual, filter, &chosen), 0);
		assert_int_equal(chosen.n_rows, sorted.n_rows);
		assert_int_equal(chosen.n_sockets, sorted.n_sockets);
		assert_memory_equal(chosen.order, sorted.order,
				    sizeof(uint32_t) * sorted.n_sockets);
		assert_true(chosen.is_usual);
		assert_true(rows_size(&chosen) <= (chosen.n_sockets + 1u) * sizeof(uint32_t));
		rows_done(&sorted);
		rows_done(&chosen);
		filter_free(filter);
	}
	rows_done(&usual);
	snapshot_free(s);
}

/* As comparing two after another says. */
static int compare_by(const struct rows *rows, uint32_t a, uint32_t b, const struct field *field,
		      bool is_descending)
{
	char scratch[2][256];
	struct record x, y;
	struct value v = {.scratch = scratch[0]}, w = {.scratch = scratch[1]};
	rows_record(rows, a, 0, &x);
	rows_record(rows, b, 0, &y);
	field->get(&x, &v);
	field->get(&y, &w);
	bool has_null = v.kind == VALUE_NULL || w.kind == VALUE_NULL;
	int r = value_compare(&v, &w);
	return is_descending && !has_null ? -r : r;
}

static void assert_ordered_by(struct snapshot *s, const char *first, const char *second,
			      bool is_descending)
{
	struct rows rows = rows_of(s), usual = rows_of(s);
	const struct field *by[] = {field_find(first), field_find(second), NULL};
	const bool down[] = {is_descending, !is_descending};
	uint32_t *place = calloc(s->sockets.n, sizeof(*place));
	assert_int_equal(rows_sort(&usual, NULL, NULL), 0);
	assert_int_equal(rows_sort(&rows, by, down), 0);
	for (uint32_t i = 0; i < usual.n_sockets; i++)
		place[usual.order[i]] = i;
	for (uint32_t i = 1; i < rows.n_sockets; i++) {
		int r = 0;
		for (unsigned k = 0; by[k] && !r; k++)
			r = compare_by(&rows, i - 1, i, by[k], down[k]);
		assert_true(r < 0 || (r == 0 && place[rows.order[i - 1]] < place[rows.order[i]]));
	}
	free(place);
	rows_done(&rows);
	rows_done(&usual);
}

static void test_a_chosen_order_is_that_of_the_values(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t seed = 4711, processes[40];
	for (unsigned i = 0; i < ARRAY_SIZE(processes); i++) {
		char name[40];
		snprintf(name, sizeof(name), "%s%u", i % 3 ? "systemd-" : "n", i * 7919 % 13);
		processes[i] = made_process(s, (int)(1 + i * 7919 % 997), 1, name, NULL);
	}
	for (unsigned i = 0; i < 3000; i++) {
		char local[40], peer[40];
		seed = seed * 1103515245 + 12345;
		bool is_v4 = seed & 1 << 13;
		snprintf(local, sizeof(local), is_v4 ? "%u.0.0.%u:%u" : "[2001::%u:%u]:%u",
			 seed >> 28, seed >> 9 & 7, (seed >> 16 & 255) + 1);
		seed = seed * 1103515245 + 12345;
		snprintf(peer, sizeof(peer), is_v4 ? "%u.0.0.%u:%u" : "[2001::%u:%u]:%u",
			 seed >> 28, seed >> 9 & 7, (seed >> 16 & 255) + 1);
		uint32_t socket = made_socket(s, PROTO_TCP, STATE_ESTABLISHED, local,
					      seed & 1 << 14 ? peer : NULL);
		if (seed & 3 << 20)
			made_hold(s, socket, processes[(seed >> 20) % ARRAY_SIZE(processes)], 3);
	}
	seal(s);
	static const char *const names[] = {"pid",  "process", "remote", "port",
					    "peer", "user",    "state"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (unsigned down = 0; down < 2; down++)
			assert_ordered_by(s, names[i], names[(i + 3) % ARRAY_SIZE(names)], down);
	snapshot_free(s);
}

/* By keys, or by counting first: one order. */
static void test_few_and_many_are_ordered_alike(unused_argument void **state)
{
	assert_usual_order_of(0);
	assert_usual_order_of(1);
	assert_usual_order_of(3000);
	assert_usual_order_of(70000);
}

static void test_only_what_matches_is_selected(unused_argument void **state)
{
	struct snapshot *s = make_unordered();
	struct filter *filter;
	struct rows rows;
	assert_int_equal(filter_parse("tcp listen", NULL, &filter, NULL), 0);
	assert_int_equal(rows_select(s, filter, &rows), 0);
	assert_order(&rows, "2 3 4 5");
	rows_done(&rows);
	filter_free(filter);
	snapshot_free(s);
}

static void test_rows_are_united_by_what_they_share(unused_argument void **state)
{
	static const struct {
		enum rows_by by;
		uint32_t n_rows, first;
	} wanted[] = {{ROWS_BY_NONE, 5, 1},
		      {ROWS_BY_PROCESS, 3, 2},
		      {ROWS_BY_UNIT, 2, 3},
		      {ROWS_BY_CONTAINER, 2, 3},
		      {ROWS_BY_PEER, 3, 3}};
	struct snapshot *s = made_new();
	uint32_t a = made_process(s, 10, 1, "nginx", "web.service"),
		 b = made_process(s, 11, 1, "php", "web.service");
	tcp_listener(s, "0.0.0.0:80", a, 3);
	tcp_listener(s, "0.0.0.0:81", b, 3);
	made_hold(s, made_socket(s, PROTO_TCP, STATE_ESTABLISHED, "10.0.0.1:82", "10.0.0.2:1"), a,
		  4);
	made_socket(s, PROTO_TCP, STATE_ESTABLISHED, "10.0.0.1:83", "10.0.0.3:1");
	made_socket(s, PROTO_TCP, STATE_LISTEN, "10.0.0.1:84", NULL);
	seal(s);
	for (unsigned i = 0; i < ARRAY_SIZE(wanted); i++) {
		struct rows rows;
		assert_int_equal(rows_find(s, NULL, &rows, NULL), 0);
		assert_int_equal(rows_group_by(&rows, wanted[i].by), 0);
		assert_int_equal(rows.n_rows, wanted[i].n_rows);
		assert_int_equal(rows_length(&rows, 0), wanted[i].first);
		rows_done(&rows);
	}
	snapshot_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_halves_and_all_workers_are_one_row),
		cmocka_unit_test(test_a_reuseport_group_is_one_row),
		cmocka_unit_test(test_two_owners_are_two_rows),
		cmocka_unit_test(test_protocol_port_namespace_and_state_part_rows),
		cmocka_unit_test(test_connections_and_the_unseen_stand_alone),
		cmocka_unit_test(test_groups_keep_the_order_of_their_firsts),
		cmocka_unit_test(test_many_rows_in_any_order_are_grouped_at_once),
		cmocka_unit_test(test_no_value_of_a_large_row_is_lost),
		cmocka_unit_test(test_the_usual_order_is_by_protocol_and_port),
		cmocka_unit_test(test_null_stays_last_in_either_direction),
		cmocka_unit_test(test_few_and_many_are_ordered_alike),
		cmocka_unit_test(test_chosen_from_the_usual_order_they_are_the_same),
		cmocka_unit_test(test_a_chosen_order_is_that_of_the_values),
		cmocka_unit_test(test_only_what_matches_is_selected),
		cmocka_unit_test(test_rows_are_united_by_what_they_share),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

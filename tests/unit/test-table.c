/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table fits, marks, escapes and never cuts a port or an address. */
#include "made.h"

#include "model/rows.h"
#include "view/csv.h"
#include "view/json.h"
#include "view/table.h"

struct shown {
	struct snapshot *snapshot;
	struct rows rows;
	struct out out;
	const struct field **fields;
};

static struct shown select_all(struct snapshot *snapshot, const char *fields, bool is_grouped)
{
	struct shown shown = {.snapshot = snapshot};
	struct error err = {0};
	assert_int_equal(snapshot_seal(snapshot), 0);
	assert_int_equal(rows_select(snapshot, NULL, &shown.rows), 0);
	assert_int_equal(rows_sort(&shown.rows, NULL, NULL), 0);
	if (is_grouped)
		assert_int_equal(rows_group(&shown.rows), 0);
	assert_int_equal(fields_parse(fields, &shown.fields, NULL, &err), 0);
	assert_int_equal(out_init(&shown.out, -1), 0);
	return shown;
}

static void check_table(struct shown *shown, const struct table_style *style, const char *expected)
{
	shown->out.n = 0;
	assert_int_equal(table_print(&shown->out, &shown->rows, shown->fields, style), 0);
	out_char(&shown->out, '\0');
	assert_string_equal(shown->out.data, expected);
}

static void done(struct shown *shown)
{
	rows_done(&shown->rows);
	out_done(&shown->out);
	free(shown->fields);
	snapshot_free(shown->snapshot);
}

static uint32_t listen_at(struct snapshot *snapshot, const char *local, uint32_t process)
{
	uint32_t socket = made_socket(snapshot, PROTO_TCP, STATE_LISTEN, local, NULL);
	made_hold(snapshot, socket, process, 3);
	return socket;
}

static void columns_stand_under_their_titles(unused_argument void **state)
{
	struct snapshot *snapshot = made_new();
	uint32_t process = made_process(snapshot, 812, 1, "nginx", NULL);
	listen_at(snapshot, "127.0.0.1:80", process);
	listen_at(snapshot, "[2001:db8::9]:8080", process);
	struct shown shown = select_all(snapshot, "shown_address,shown_port,process,pid", false);
	check_table(&shown, &(struct table_style){.is_utf8 = true},
		    "ADDRESS      PORT  PROCESS  PID\n"
		    "127.0.0.1      80  nginx    812\n"
		    "2001:db8::9  8080  nginx    812\n");
	done(&shown);
}

static void workers_are_counted(unused_argument void **state)
{
	struct snapshot *snapshot = made_new();
	uint32_t socket = listen_at(snapshot, "0.0.0.0:80",
				    made_process(snapshot, 812, 1, "nginx", "nginx.service"));
	for (int32_t pid = 813; pid < 818; pid++)
		made_hold(snapshot, socket,
			  made_process(snapshot, pid, 812, "nginx", "nginx.service"), 3);
	struct shown shown = select_all(snapshot, "port,process,pid", true);
	check_table(&shown, &(struct table_style){.is_utf8 = true},
		    "PORT  PROCESS                       PID\n"
		    "  80  nginx ×6  812 813 814 815 816 817\n");
	check_table(&shown, &(struct table_style){.columns = 60},
		    "PORT  PROCESS                  PID\n"
		    "  80  nginx x6  812 813 814 815 +2\n");
	done(&shown);
}

static void many_addresses_leave_room_for_the_port(unused_argument void **state)
{
	struct snapshot *snapshot = made_new();
	uint32_t process = made_process(snapshot, 812, 1, "named", NULL);
	static const char *const at[] = {"10.9.0.1:53", "10.9.0.2:53", "10.9.0.3:53", "10.9.0.4:53",
					 "10.9.0.5:53"};
	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		listen_at(snapshot, at[i], process);
	struct shown shown = select_all(snapshot, "shown_address,shown_port,process", true);
	check_table(&shown, &(struct table_style){.columns = 60},
		    "ADDRESS               PORT  PROCESS\n"
		    "10.9.0.1 10.9.0.2 +3    53  named\n");
	check_table(&shown, &(struct table_style){.is_utf8 = true},
		    "ADDRESS                                       PORT  PROCESS\n"
		    "10.9.0.1 10.9.0.2 10.9.0.3 10.9.0.4 10.9.0.5    53  named\n");
	done(&shown);
}

static void names_are_cut_but_never_an_address(unused_argument void **state)
{
	struct snapshot *snapshot = made_new();
	listen_at(snapshot, "[2001:db8:1:2:3:4:5:6]:8080",
		  made_process(snapshot, 1, 0, "a-very-long-name-of-a-program", NULL));
	struct shown shown = select_all(snapshot, "local,process,unit", false);
	check_table(&shown,
		    &(struct table_style){.columns = 45, .is_utf8 = true, .hides_empty = true},
		    "LOCAL                        PROCESS\n"
		    "[2001:db8:1:2:3:4:5:6]:8080  a-very-long-nam…\n");
	check_table(&shown, &(struct table_style){.columns = 45, .hides_empty = true},
		    "LOCAL                        PROCESS\n"
		    "[2001:db8:1:2:3:4:5:6]:8080  a-very-long-nam~\n");
	check_table(&shown, &(struct table_style){.columns = 20, .hides_empty = true},
		    "LOCAL\n"
		    "[2001:db8:1:2:3:4:5:6]:8080\n");
	done(&shown);
}

static void who_holds_it_goes_last(unused_argument void **state)
{
	struct snapshot *snapshot = made_new();
	listen_at(snapshot, "127.0.0.1:8080", made_process(snapshot, 1, 0, "server", NULL));
	struct shown shown = select_all(snapshot, "local,class,process,pid", false);
	check_table(&shown, &(struct table_style){.columns = 28},
		    "LOCAL           PROCESS\n"
		    "127.0.0.1:8080  server\n");
	done(&shown);
}

static void two_owners_are_marked(unused_argument void **state)
{
	struct snapshot *snapshot = made_new();
	listen_at(snapshot, "127.0.0.1:8080", made_process(snapshot, 1, 0, "one", NULL));
	listen_at(snapshot, "[::1]:8080", made_process(snapshot, 2, 0, "two", NULL));
	listen_at(snapshot, "127.0.0.1:8081", made_process(snapshot, 3, 0, "three", NULL));
	struct shown shown = select_all(snapshot, "port,process", true);
	assert_int_equal(table_marks(&shown.rows), 2);
	check_table(&shown, &(struct table_style){.has_marks = true},
		    "  PORT  PROCESS\n"
		    "! 8080  one\n"
		    "! 8080  two\n"
		    "  8081  three\n");
	done(&shown);
}

static void no_name_is_not_nobody(unused_argument void **state)
{
	struct snapshot *snapshot = made_new();
	static const uint8_t held_by[] = {HELD_UNSEEN, HELD_KERNEL, HELD_NOBODY};
	static const char *const locals[] = {"0.0.0.0:1", "0.0.0.0:2", "0.0.0.0:3"};
	for (unsigned i = 0; i < 3; i++)
		made_at(snapshot, made_socket(snapshot, PROTO_UDP, STATE_UNCONN, locals[i], NULL))
			->held_by = held_by[i];
	struct shown shown = select_all(snapshot, "process,port", false);
	check_table(&shown, &(struct table_style){0},
		    "PROCESS   PORT\n"
		    "(unseen)     1\n"
		    "(kernel)     2\n"
		    "             3\n");
	done(&shown);
}

static void foreign_text_is_escaped(unused_argument void **state)
{
	struct snapshot *snapshot = made_new();
	listen_at(snapshot, "127.0.0.1:80",
		  made_process(snapshot, 1, 0, "a\x1b[1m\xc2\x9b\xff\xc3\xa9", NULL));
	struct shown shown = select_all(snapshot, "process", false);
	check_table(&shown, &(struct table_style){.is_utf8 = true, .is_terminal = true},
		    "PROCESS\na\\e[1m\\u{009b}\\xffé\n");
	check_table(&shown, &(struct table_style){.is_terminal = true},
		    "PROCESS\na\\e[1m\\u{009b}\\xff\\xc3\\xa9\n");
	done(&shown);
}

static void csv_quotes_and_raw_does_not(unused_argument void **state)
{
	struct snapshot *snapshot = made_new();
	listen_at(snapshot, "127.0.0.1:80", made_process(snapshot, 1, 0, "a,\"b\"\tc", NULL));
	struct shown shown = select_all(snapshot, "port,name", false);
	assert_int_equal(csv_print(&shown.out, &shown.rows, shown.fields), 0);
	assert_int_equal(raw_print(&shown.out, &shown.rows, shown.fields), 0);
	out_char(&shown.out, '\0');
	assert_string_equal(shown.out.data, "port,name\n80,\"a,\"\"b\"\"\\tc\"\n"
					    "80\ta,\"b\"\\tc\n");
	done(&shown);
}

static void json_has_each_key_once_and_holders_inside(unused_argument void **state)
{
	struct snapshot *snapshot = made_new();
	uint32_t socket = listen_at(snapshot, "127.0.0.1:80",
				    made_process(snapshot, 7, 1, "a\x1b\xff\"", NULL));
	made_hold(snapshot, socket, made_process(snapshot, 8, 1, "b", NULL), 4);
	struct shown shown = select_all(snapshot, "local,port,name,fd,pid", false);
	struct json_shape *shape = json_shape_new(shown.fields);
	assert_non_null(shape);
	json_socket(&shown.out, shape, snapshot, 0);
	out_char(&shown.out, '\0');
	assert_string_equal(shown.out.data,
			    "{\"local_address\":\"127.0.0.1\",\"local_port\":80,\"holders\":["
			    "{\"name\":\"a\\u001b\xef\xbf\xbd\\\"\",\"fd\":3,\"pid\":7},"
			    "{\"name\":\"b\",\"fd\":4,\"pid\":8}]}");
	json_shape_free(shape);
	done(&shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_stand_under_their_titles),
		cmocka_unit_test(workers_are_counted),
		cmocka_unit_test(many_addresses_leave_room_for_the_port),
		cmocka_unit_test(names_are_cut_but_never_an_address),
		cmocka_unit_test(who_holds_it_goes_last),
		cmocka_unit_test(two_owners_are_marked),
		cmocka_unit_test(no_name_is_not_nobody),
		cmocka_unit_test(foreign_text_is_escaped),
		cmocka_unit_test(csv_quotes_and_raw_does_not),
		cmocka_unit_test(json_has_each_key_once_and_holders_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saved snapshots: what is written is read as the same, what is cut says so, what is broken is
 * refused with its place. */
#include "made.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include "source/saved.h"
#include "view/json.h"

#define HEAD "{\"schema\":\"doorward/1\",\"sockets\":["
#define SOCKET                                                                           \
	"{\"proto\":\"tcp\",\"family\":\"ipv4\",\"state\":\"LISTEN\",\"local_address\":" \
	"\"10.0.0.1\",\"local_port\":80"

static int parse(const char *text, struct snapshot **ret, struct error *err)
{
	*ret = NULL;
	*err = (struct error){0};
	return saved_parse(text, strlen(text), "saved", ret, err);
}

static void write_json(const struct snapshot *snapshot, const char *fields, struct out *out)
{
	struct rows rows;
	struct error err = {0};
	const struct field **list = NULL;
	assert_int_equal(out_init(out, -1), 0);
	if (fields)
		assert_int_equal(fields_parse(fields, &list, NULL, &err), 0);
	struct json_shape *shape = json_shape_new(list);
	assert_int_equal(rows_select(snapshot, NULL, &rows), 0);
	json_print(out, &rows, shape);
	json_shape_free(shape);
	rows_done(&rows);
	free(list);
}

static void expect_same(const struct snapshot *snapshot, const char *fields)
{
	struct out first, second;
	struct snapshot *again = NULL;
	struct error err = {0};
	write_json(snapshot, fields, &first);
	if (saved_parse(first.data, first.n, "saved", &again, &err) < 0)
		fail_msg("%s", err.what);
	write_json(again, fields, &second);
	assert_int_equal(first.n, second.n);
	assert_memory_equal(first.data, second.data, first.n);
	snapshot_free(again);
	out_done(&first);
	out_done(&second);
}

static struct snapshot *made_host(void)
{
	struct snapshot *snapshot = made_new();
	uint32_t init = made_process(snapshot, 1, 0, "init", "init.scope"),
		 web = made_process(snapshot, 20, 1, "web\n\x1b[1m\xff", "web.service"),
		 client = made_process(snapshot, 30, 1, "curl", NULL);
	struct process *process = vector_at(&snapshot->processes, web);
	process->parent = init;
	process->start_time = 1700000000.25;
	process->exe_deleted = true;
	process->runs = made_text(snapshot, "app.py");
	*(struct container *)vector_add(&snapshot->containers) =
		(struct container){.engine = ENGINE_DOCKER,
				   .id = made_text(snapshot, "0123456789ab"),
				   .name = made_text(snapshot, "shop")};
	process->container = 0;
	made_user(snapshot, 0, "root");

	uint32_t listener = made_socket(snapshot, PROTO_TCP, STATE_LISTEN, "[::]:8080", NULL),
		 accepted = made_socket(snapshot, PROTO_TCP, STATE_ESTABLISHED, "127.0.0.1:8080",
					"127.0.0.1:40000"),
		 dialled = made_socket(snapshot, PROTO_TCP, STATE_ESTABLISHED, "127.0.0.1:40000",
				       "127.0.0.1:8080"),
		 other = made_socket(snapshot, PROTO_TCP, STATE_LISTEN, "127.0.0.1:8080", NULL);
	made_hold(snapshot, listener, web, 3);
	made_hold(snapshot, listener, init, 40);
	made_hold(snapshot, accepted, web, -1);
	made_hold(snapshot, dialled, client, 5);
	made_hold(snapshot, other, client, 6);
	made_at(snapshot, listener)->flags |= SOCKET_V6ONLY | SOCKET_MPTCP;
	made_at(snapshot, other)->interface = 2;
	*(struct answer_for *)vector_add(&snapshot->answers) =
		(struct answer_for){.socket = other, .container = 0, .process = web};
	*(struct tcp_info_part *)vector_add(&snapshot->tcp_infos) =
		(struct tcp_info_part){.rtt = 17, .cwnd = 10, .last_data_sent = 4};
	made_at(snapshot, accepted)->tcp_info = 0;
	struct missing missing = {.what = WHAT_HOLDERS,
				  .why = WHY_PERMISSION,
				  .count = 3,
				  .hint = "run it with sudo"};
	assert_int_equal(snapshot_add_missing(snapshot, &missing), 0);
	assert_int_equal(snapshot_seal(snapshot), 0);
	return snapshot;
}

static void test_what_is_written_is_read_as_the_same(void **state)
{
	(void)state;
	struct snapshot *snapshot = made_host();
	expect_same(snapshot, NULL);
	expect_same(snapshot, "proto,family,state,address,port,pid,parents,rtt,cwnd,last_activity");
	snapshot_free(snapshot);
}

/* The other end, the listener and the second owner are not in the file; what was worked out from
 * them is. */
static void test_a_part_keeps_what_the_whole_told(void **state)
{
	(void)state;
	struct snapshot *whole = made_host(), *part = NULL;
	struct filter *filter = NULL;
	struct rows rows;
	struct out out;
	struct error err = {0};
	struct json_shape *shape = json_shape_new(NULL);
	assert_int_equal(filter_parse("role = accepted", NULL, &filter, &err), 0);
	assert_int_equal(rows_select(whole, filter, &rows), 0);
	assert_int_equal(rows.n_sockets, 1);
	assert_int_equal(out_init(&out, -1), 0);
	json_print(&out, &rows, shape);
	assert_int_equal(saved_parse(out.data, out.n, "saved", &part, &err), 0);
	assert_int_equal(part->sockets.n, 1);
	assert_int_equal(snapshot_socket(part, 0)->role, ROLE_ACCEPTED);
	expect_same(part, NULL);
	struct record record = {.snapshot = part, .socket = snapshot_socket(part, 0)};
	char scratch[256];
	struct value value = {.scratch = scratch};
	field_find("peer_process")->get(&record, &value);
	assert_string_equal(value.text, "curl");
	snapshot_free(part);
	snapshot_free(whole);
	filter_free(filter);
	rows_done(&rows);
	json_shape_free(shape);
	out_done(&out);
}

static const struct missing *cut_of(const struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->missing.n; i++) {
		const struct missing *missing = vector_at(&snapshot->missing, i);
		if (missing->why == WHY_CUT)
			return missing;
	}
	return NULL;
}

/* At whatever byte it ends: it is refused, or tells that it is cut. */
static void test_a_cut_file_says_so(void **state)
{
	(void)state;
	struct snapshot *snapshot = made_host();
	struct out out;
	struct error err;
	unsigned n_read = 0;
	write_json(snapshot, NULL, &out);
	snapshot_free(snapshot);
	for (size_t n = 0; n + 2 < out.n; n++) {
		snapshot = NULL;
		err = (struct error){0};
		int r = saved_parse(out.data, n, "saved", &snapshot, &err);
		if (r < 0) {
			assert_int_equal(r, -EINVAL);
			assert_true(err.what[0]);
			continue;
		}
		assert_non_null(cut_of(snapshot));
		assert_false(snapshot->is_complete);
		n_read = snapshot->sockets.n > n_read ? snapshot->sockets.n : n_read;
		snapshot_free(snapshot);
	}
	assert_int_equal(n_read, 4);
	out_done(&out);
}

static void test_lines_end_with_their_mark(void **state)
{
	(void)state;
	static const char end[] = "{\"end\":true,\"complete\":true,\"missing\":[]}\n";
	char text[1024];
	struct snapshot *snapshot;
	struct error err;
	snprintf(text, sizeof(text), SOCKET "}\n" SOCKET "}\n%s", end);
	assert_int_equal(parse(text, &snapshot, &err), 0);
	assert_int_equal(snapshot->sockets.n, 2);
	assert_true(snapshot->is_complete);
	snapshot_free(snapshot);
	assert_int_equal(parse(end, &snapshot, &err), 0);
	assert_int_equal(snapshot->sockets.n, 0);
	snapshot_free(snapshot);
	assert_int_equal(parse(SOCKET "}\n" SOCKET "}\n" SOCKET, &snapshot, &err), 0);
	assert_int_equal(snapshot->sockets.n, 2);
	assert_non_null(cut_of(snapshot));
	snapshot_free(snapshot);
}

static void test_what_is_broken_is_refused_with_its_place(void **state)
{
	(void)state;
	static const struct {
		const char *text, *told;
	} broken[] = {
		{"", "empty"},
		{" \n", "empty"},
		{"hello", "neither"},
		{"{\"schema\":\"other/1\",\"sockets\":[]}", "other/1"},
		{"{\"schema\":\"doorward/1\"}", "no sockets"},
		{"{\"sockets\":[]}", "schema"},
		{"{\"a\":1}", "has no proto"},
		{HEAD "{}]}", "socket 1 has no proto"},
		{HEAD "7]}", "socket 1 is no object"},
		{HEAD SOCKET "},\n{\"proto\":\"tpc\"}]}", "socket 2: its proto"},
		{HEAD SOCKET "}\n" SOCKET "}]}", "line 2"},
		{HEAD SOCKET "},\n{\"a\":}]}", "line 2"},
		{HEAD SOCKET ",\"peer_port\":65536}]}", "peer_port"},
		{HEAD SOCKET ",\"inode\":-1}]}", "inode"},
		{HEAD SOCKET ",\"uid\":\"root\"}]}", "uid"},
		{HEAD SOCKET ",\"peer_address\":\"::1\"}]}", "peer_address"},
		{HEAD SOCKET ",\"holders\":[{\"fd\":3}]}]}", "pid"},
		{HEAD SOCKET ",\"holders\":[{\"pid\":1,\"start_time\":-1}]}]}", "start_time"},
		{HEAD "]}{}", "behind the end"},
		{"[]", "neither"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		struct snapshot *snapshot;
		struct error err;
		if (parse(broken[i].text, &snapshot, &err) != -EINVAL ||
		    !strstr(err.what, broken[i].told))
			fail_msg("%s: %s, and %s was awaited", broken[i].text, err.what,
				 broken[i].told);
	}
}

static void test_keys_of_later_versions_are_passed_over(void **state)
{
	(void)state;
	struct snapshot *snapshot;
	struct error err;
	assert_int_equal(parse("{\"new\":{\"a\":[1]},"
			       "\"schema\":\"doorward/1\",\"sockets\":[" SOCKET
			       ",\"colour\":\"red\"}],\"missing\":[{\"what\":\"new\"}]}",
			       &snapshot, &err),
			 0);
	assert_int_equal(snapshot->sockets.n, 1);
	assert_false(snapshot->is_complete);
	snapshot_free(snapshot);
}

static void test_parents_never_lead_in_a_circle(void **state)
{
	(void)state;
	struct snapshot *snapshot;
	struct error err;
	assert_int_equal(parse(HEAD SOCKET
			       ",\"holders\":[{\"pid\":1,\"parents\":[{\"pid\":2},{\"pid\":1},"
			       "{\"pid\":1}]},{\"pid\":2,\"parents\":[{\"pid\":1}]}]}]}",
			       &snapshot, &err),
			 0);
	for (uint32_t i = 0; i < snapshot->processes.n; i++) {
		uint32_t at = i, steps = 0;
		while (at != NONE && steps++ < 10)
			at = snapshot_process(snapshot, at)->parent;
		assert_int_equal(at, NONE);
	}
	snapshot_free(snapshot);
}

/* ---- dumps ---- */

struct dump {
	char bytes[4096];
	size_t n;
};

static void add(struct dump *dump, uint16_t type, uint32_t sequence, const void *payload, size_t n)
{
	struct nlmsghdr header = {.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + n),
				  .nlmsg_type = type,
				  .nlmsg_seq = sequence};
	memcpy(dump->bytes + dump->n, &header, sizeof(header));
	memcpy(dump->bytes + dump->n + NLMSG_HDRLEN, payload, n);
	dump->n += NLMSG_ALIGN(header.nlmsg_len);
}

static void add_socket(struct dump *dump, uint32_t sequence, uint8_t state, uint32_t inode)
{
	struct inet_diag_msg message = {
		.idiag_family = AF_INET, .idiag_state = state, .idiag_inode = inode};
	add(dump, SOCK_DIAG_BY_FAMILY, sequence, &message, sizeof(message));
}

static void add_end(struct dump *dump, int code)
{
	add(dump, NLMSG_DONE, 0, &code, sizeof(code));
}

static struct snapshot *read_dump(const struct dump *dump)
{
	struct snapshot *snapshot = NULL;
	struct error err = {0};
	assert_int_equal(saved_parse(dump->bytes, dump->n, "dump", &snapshot, &err), 0);
	return snapshot;
}

static void test_all_dumps_of_a_file_are_read(void **state)
{
	(void)state;
	struct dump dump = {.n = 0};
	add_socket(&dump, 123456, STATE_LISTEN, 1);
	add_end(&dump, 0);
	add_socket(&dump, 0x646f6f00 + 17, 7, 2); /* our recorder's, of UDP */
	add_end(&dump, 0);
	add_socket(&dump, 0x646f6f00 + 262, STATE_LISTEN, 1); /* of MPTCP */
	add_end(&dump, 0);
	struct snapshot *snapshot = read_dump(&dump);
	assert_int_equal(snapshot->sockets.n, 2);
	assert_int_equal(snapshot_socket(snapshot, 0)->proto, PROTO_TCP);
	assert_true(snapshot_socket(snapshot, 0)->flags & SOCKET_MPTCP);
	assert_int_equal(snapshot_socket(snapshot, 1)->proto, PROTO_UDP);
	assert_int_equal(snapshot_socket(snapshot, 1)->state, STATE_UNCONN);
	assert_true(snapshot->is_complete);
	snapshot_free(snapshot);
}

static void test_a_cut_dump_says_so(void **state)
{
	(void)state;
	struct dump dump = {.n = 0};
	add_socket(&dump, 0, STATE_LISTEN, 1);
	size_t first = dump.n;
	add_socket(&dump, 0, STATE_LISTEN, 2);
	add_end(&dump, 0);
	size_t whole = dump.n;
	for (dump.n = first; dump.n < whole; dump.n++) {
		struct snapshot *snapshot = read_dump(&dump);
		assert_non_null(cut_of(snapshot));
		assert_false(snapshot->is_complete);
		assert_true(snapshot->sockets.n >= 1);
		snapshot_free(snapshot);
	}
	struct snapshot *snapshot = read_dump(&dump);
	assert_true(snapshot->is_complete);
	snapshot_free(snapshot);
}

static void test_an_error_in_the_end_mark_is_told(void **state)
{
	(void)state;
	struct dump dump = {.n = 0};
	add_socket(&dump, 0, STATE_LISTEN, 1);
	add_end(&dump, -ENOMEM);
	struct snapshot *snapshot = read_dump(&dump);
	assert_non_null(cut_of(snapshot));
	assert_false(snapshot->is_complete);
	snapshot_free(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_read_as_the_same),
		cmocka_unit_test(test_a_part_keeps_what_the_whole_told),
		cmocka_unit_test(test_a_cut_file_says_so),
		cmocka_unit_test(test_lines_end_with_their_mark),
		cmocka_unit_test(test_what_is_broken_is_refused_with_its_place),
		cmocka_unit_test(test_keys_of_later_versions_are_passed_over),
		cmocka_unit_test(test_parents_never_lead_in_a_circle),
		cmocka_unit_test(test_all_dumps_of_a_file_are_read),
		cmocka_unit_test(test_a_cut_dump_says_so),
		cmocka_unit_test(test_an_error_in_the_end_mark_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registry: its names, and what each field says of a socket and of a holder. */
#include <errno.h>

#include "made.h"

#include "model/process.h"

static const char *const socket_keys[] = {
	"proto",     "family",	   "state",	   "local_address", "local_port", "peer_address",
	"peer_port", "role",	   "service",	   "class",	    "ephemeral",  "reach",
	"interface", "inode",	   "cookie",	   "netns",	    "netns_name", "uid",
	"user",	     "recv_queue", "send_queue",   "backlog",	    "v6only",	  "mptcp",
	"held_by",   "container",  "peer_process", "answered_by",   "two_owners"};
static const char *const holder_keys[] = {"pid",     "fd",   "name",	  "exe",  "exe_deleted",
					  "cmdline", "cwd",  "uid",	  "user", "start_time",
					  "ppid",    "unit", "container", "runs"};

static void assert_keys(enum field_of of, const char *const *keys, size_t n)
{
	const struct field *field;
	size_t n_found = 0;
	for (unsigned i = 0; (field = field_at(i)); i++) {
		if (field->of != of || !(field->flags & FIELD_JSON))
			continue;
		bool is_known = false;
		for (size_t k = 0; k < n; k++)
			is_known |= strcmp(keys[k], field->json) == 0;
		if (!is_known)
			fail_msg("%s is not promised", field->json);
		n_found++;
	}
	assert_int_equal(n_found, n);
}

static void test_json_has_the_keys_that_it_keeps(unused_argument void **state)
{
	assert_keys(OF_SOCKET, socket_keys, ARRAY_SIZE(socket_keys));
	assert_keys(OF_HOLDER, holder_keys, ARRAY_SIZE(holder_keys));
}

static void test_every_field_is_found_by_its_name_and_explained(unused_argument void **state)
{
	const struct field *field;
	for (unsigned i = 0; (field = field_at(i)); i++) {
		assert_ptr_equal(field_find(field->name), field);
		assert_true(field->title[0] && field->help[0] && field->get);
		bool is_as_shown = strncmp(field->name, "shown_", 6) == 0; /* stands for another */
		for (unsigned k = 0; k < i && !is_as_shown; k++)
			assert_string_not_equal(field_at(k)->title, field->title);
		assert_null(strchr(field->help, '\n'));
		if (field->json && field->of == OF_SOCKET)
			assert_ptr_equal(field_find(field->json), field);
		if (field->kind == VALUE_OBJECT)
			assert_non_null(field->write_json);
		if (field->kind == VALUE_WORD)
			assert_non_null(field->words);
	}
	assert_null(field_find("nonsense"));
	assert_string_equal(field_nearest("proces"), "process");
}

static void test_every_field_of_events_is_found_and_explained(unused_argument void **state)
{
	const struct field *field;
	for (unsigned i = 0; (field = field_of_event_at(i)); i++) {
		assert_ptr_equal(field_find(field->name), field);
		assert_true(field->of == OF_EVENT && field->title[0] && field->help[0]);
		assert_true(field->kind != VALUE_OBJECT || field->write_json);
		assert_true(field->kind != VALUE_WORD || field->words);
		const struct record none = {0};
		struct value value;
		field->get(&none, &value);
		assert_int_equal(value.kind, VALUE_NULL);
	}
}

static void test_a_list_of_fields_is_read_in_order(unused_argument void **state)
{
	const struct field **list;
	bool *descending;
	struct error err = {0};
	assert_int_equal(fields_parse("port,-process_user,unit", &list, &descending, &err), 0);
	assert_string_equal(list[0]->name, "port");
	assert_string_equal(list[1]->name, "process_user");
	assert_string_equal(list[2]->name, "unit");
	assert_null(list[3]);
	assert_true(!descending[0] && descending[1] && !descending[2]);
	assert_true(fields_needs(list) & NEED_CGROUP);
	free(list);
	free(descending);

	static const char *const wrong[] = {"",	    ",",     "port,",	 "port,,unit",
					    "prot", "-port", "port unit"};
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (fields_parse(wrong[i], &list, NULL, &err) != -EINVAL)
			fail_msg("\"%s\" is a list", wrong[i]);
	assert_int_equal(fields_parse("prot", &list, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.hint, "proto"));
}

static void json_of(const struct record *record, const char *name, char *ret, size_t size)
{
	const struct field *field = field_find(name);
	char scratch[256];
	struct value value = {.scratch = scratch};
	struct out out;
	assert_non_null(field);
	assert_int_equal(out_init(&out, -1), 0);
	if (field->write_json) {
		field->write_json(record, &out);
	} else {
		field->get(record, &value);
		value_json(&out, &value);
		assert_true(value.kind == VALUE_NULL || value.kind == field->kind);
	}
	snprintf(ret, size, "%.*s", (int)out.n, out.data);
	out_done(&out);
}

struct said {
	const char *field, *json;
};

static void assert_says(const struct snapshot *s, uint32_t socket, const struct said *said)
{
	struct record record = {
		.snapshot = s, .socket = snapshot_socket(s, socket), .index = socket};
	record.holder = snapshot_holder(s, record.socket->holder);
	record.process = record.holder ? snapshot_process(s, record.holder->process) : NULL;
	for (; said->field; said++) {
		char json[512];
		json_of(&record, said->field, json, sizeof(json));
		if (strcmp(json, said->json) != 0)
			fail_msg("%s is %s, not %s", said->field, json, said->json);
	}
}

/* What the listener of the test below says, in the order of the registry. */
static const struct said of_a_listener[] = {
	{"proto", "\"tcp\""},
	{"family", "\"ipv6\""},
	{"state", "\"LISTEN\""},
	{"address", "\"::\""},
	{"port", "443"},
	{"peer", "null"},
	{"peer_port", "null"},
	{"remote", "null"},
	{"local", "\"[::]:443\""},
	{"role", "null"},
	{"service", "\"https\""},
	{"class", "\"well-known\""},
	{"ephemeral", "false"},
	{"reach", "\"any\""},
	{"interface", "\"eth0\""},
	{"inode", "1000"},
	{"cookie", "1"},
	{"netns", "4026531833"},
	{"netns_name", "null"},
	{"uid", "33"},
	{"user", "\"www-data\""},
	{"recv_queue", "2"},
	{"send_queue", "null"},
	{"backlog", "511"},
	{"v6only", "false"},
	{"mptcp", "false"},
	{"held_by", "\"process\""},
	{"container", "null"},
	{"peer_process", "null"},
	{"answered_by", "null"},
	{"two_owners", "false"},
	{"rtt", "null"},
	{"process", "\"nginx\""},
	{"pid", "100"},
	{"fd", "6"},
	{"exe", "\"/usr/bin/nginx\""},
	{"exe_deleted", "false"},
	{"cwd", "null"},
	{"unit", "\"nginx.service\""},
	{"ppid", "1"},
	{"process_uid", "0"},
	{"process_user", "null"},
	{"runs", "null"},
	{NULL, NULL},
};

static void test_a_listener_says_what_it_is(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t socket = made_socket(s, PROTO_TCP, STATE_LISTEN, "[::]:443", NULL);
	made_hold(s, socket, made_process(s, 100, 1, "nginx", "nginx.service"), 6);
	made_user(s, 33, "www-data");
	*made_at(s, socket) = (struct socket){.cookie = 1,
					      .local = made_at(s, socket)->local,
					      .local_port = 443,
					      .inode = 1000,
					      .uid = 33,
					      .interface = 2,
					      .recv_queue = 2,
					      .send_queue = 511,
					      .tcp_info = NONE,
					      .proto = PROTO_TCP,
					      .family = FAMILY_IPV6,
					      .state = STATE_LISTEN,
					      .flags = made_at(s, socket)->flags,
					      .held_by = HELD_PROCESS};
	assert_int_equal(snapshot_seal(s), 0);
	assert_says(s, socket, of_a_listener);
	snapshot_free(s);
}

static void
test_a_mapped_connection_is_ipv6_in_json_and_ipv4_to_people(unused_argument void **state)
{
	static const struct said said[] = {
		{"family", "\"ipv6\""},
		{"address", "\"::ffff:127.0.0.1\""},
		{"peer", "\"::ffff:10.0.0.1\""},
		{"peer_port", "5000"},
		{"shown_address", "\"127.0.0.1\""},
		{"local", "\"127.0.0.1:443\""},
		{"remote", "\"10.0.0.1:5000\""},
		{"reach", "\"loopback\""},
		{"backlog", "null"},
		{"send_queue", "0"},
		{"v6only", "null"},
		{NULL, NULL},
	};
	struct snapshot *s = made_new();
	uint32_t socket = made_socket(s, PROTO_TCP, STATE_ESTABLISHED, "[::ffff:127.0.0.1]:443",
				      "[::ffff:10.0.0.1]:5000");
	assert_int_equal(snapshot_seal(s), 0);
	assert_says(s, socket, said);
	snapshot_free(s);
}

static void test_what_is_unknown_is_null(unused_argument void **state)
{
	static const struct said said[] = {
		{"inode", "null"},
		{"cookie", "null"},
		{"netns", "null"},
		{"uid", "null"},
		{"user", "null"},
		{"recv_queue", "null"},
		{"send_queue", "null"},
		{"backlog", "null"},
		{"v6only", "null"},
		{"ephemeral", "null"},
		{"held_by", "null"},
		{"service", "null"},
		{"pid", "null"},
		{"process", "null"},
		{"exe_deleted", "null"},
		{"start_time", "null"},
		{"process_container", "null"},
		{NULL, NULL},
	};
	struct snapshot *s = made_new();
	uint32_t socket = made_socket(s, PROTO_TCP, STATE_TIME_WAIT, "[::1]:4", "[::1]:5");
	struct socket *bare = made_at(s, socket);
	bare->flags = 0;
	bare->inode = 0;
	bare->cookie = 0;
	bare->netns = NONE;
	bare->held_by = HELD_UNASKED;
	assert_int_equal(snapshot_seal(s), 0);
	assert_says(s, socket, said);
	snapshot_free(s);
}

static void test_a_raw_socket_has_no_service(unused_argument void **state)
{
	static const struct said said[] = {
		{"proto", "\"raw\""}, {"port", "6"},	     {"service", "null"},
		{"class", "null"},    {"ephemeral", "null"}, {NULL, NULL},
	};
	struct snapshot *s = made_new();
	uint32_t socket = made_socket(s, PROTO_RAW, STATE_UNCONN, "0.0.0.0:6", NULL);
	assert_int_equal(snapshot_seal(s), 0);
	assert_says(s, socket, said);
	snapshot_free(s);
}

/* docker-proxy holds it, the container's process answers. */
static void test_a_published_port_is_its_containers(unused_argument void **state)
{
	static const struct said said[] = {
		{"container", "{\"engine\":\"docker\",\"id\":\"0123\",\"name\":\"shop\"}"},
		{"process", "\"docker-proxy\""},
		{"process_container", "null"},
		{"answered_by",
		 "{\"unit\":null,\"container\":{\"engine\":\"docker\",\"id\":\"0123\",\"name\":"
		 "\"shop\"},\"process\":{\"pid\":900,\"name\":\"python3\",\"exe\":"
		 "\"/usr/bin/python3\"}}"},
		{NULL, NULL},
	};
	struct snapshot *s = made_new();
	uint32_t socket = made_socket(s, PROTO_TCP, STATE_LISTEN, "0.0.0.0:80", NULL);
	made_hold(s, socket, made_process(s, 800, 1, "docker-proxy", "docker.service"), 4);
	uint32_t answers = made_process(s, 900, 1, "python3", NULL);
	*(struct container *)vector_add(&s->containers) =
		(struct container){.id = "0123", .name = "shop", .engine = ENGINE_DOCKER};
	*(struct answer_for *)vector_add(&s->answers) =
		(struct answer_for){.socket = socket, .container = 0, .process = answers};
	assert_int_equal(snapshot_seal(s), 0);
	assert_says(s, socket, said);
	snapshot_free(s);
}

static void test_the_other_end_is_named(unused_argument void **state)
{
	static const struct said said[] = {
		{"peer_process", "{\"pid\":200,\"name\":\"curl\",\"exe\":\"/usr/bin/curl\"}"},
		{"role", "\"accepted\""},
		{NULL, NULL},
	};
	struct snapshot *s = made_new();
	made_socket(s, PROTO_TCP, STATE_LISTEN, "127.0.0.1:80", NULL);
	uint32_t server = made_socket(s, PROTO_TCP, STATE_ESTABLISHED, "127.0.0.1:80",
				      "127.0.0.1:40000"),
		 client = made_socket(s, PROTO_TCP, STATE_ESTABLISHED, "127.0.0.1:40000",
				      "127.0.0.1:80");
	made_hold(s, client, made_process(s, 200, 1, "curl", NULL), 5);
	assert_int_equal(snapshot_seal(s), 0);
	assert_says(s, server, said);
	snapshot_free(s);
}

static void test_a_connection_tells_its_info_on_request(unused_argument void **state)
{
	static const struct said said[] = {
		{"rtt", "150"},
		{"cwnd", "10"},
		{"retransmits", "2"},
		{"bytes_acked", "99"},
		{"bytes_received", "12345678901"},
		{"last_activity", "40"},
		{NULL, NULL},
	};
	struct snapshot *s = made_new();
	uint32_t socket =
		made_socket(s, PROTO_TCP, STATE_ESTABLISHED, "127.0.0.1:80", "127.0.0.1:40000");
	*(struct tcp_info_part *)vector_add(&s->tcp_infos) =
		(struct tcp_info_part){.rtt = 150,
				       .cwnd = 10,
				       .retransmits = 2,
				       .bytes_acked = 99,
				       .bytes_received = 12345678901,
				       .last_data_sent = 70,
				       .last_data_received = 40};
	made_at(s, socket)->tcp_info = 0;
	assert_int_equal(snapshot_seal(s), 0);
	assert_says(s, socket, said);
	snapshot_free(s);
}

static void test_a_long_title_is_cut_within_its_room(unused_argument void **state)
{
	struct snapshot *s = made_new();
	uint32_t index = made_process(s, 100, 1, "python3", NULL);
	struct process *process = vector_at(&s->processes, index);
	char runs[1000], title[16];
	memset(runs, 'a', sizeof(runs) - 1);
	runs[sizeof(runs) - 1] = '\0';
	process->runs = runs;
	assert_string_equal(process_title(process, title, sizeof(title)), "python3 aaaaaaa");
	assert_string_equal(process_title(process, title, 8), "python3");
	assert_string_equal(process_title(process, title, 4), "pyt");
	snapshot_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_has_the_keys_that_it_keeps),
		cmocka_unit_test(test_every_field_is_found_by_its_name_and_explained),
		cmocka_unit_test(test_every_field_of_events_is_found_and_explained),
		cmocka_unit_test(test_a_list_of_fields_is_read_in_order),
		cmocka_unit_test(test_a_listener_says_what_it_is),
		cmocka_unit_test(test_a_mapped_connection_is_ipv6_in_json_and_ipv4_to_people),
		cmocka_unit_test(test_what_is_unknown_is_null),
		cmocka_unit_test(test_a_raw_socket_has_no_service),
		cmocka_unit_test(test_a_published_port_is_its_containers),
		cmocka_unit_test(test_the_other_end_is_named),
		cmocka_unit_test(test_a_connection_tells_its_info_on_request),
		cmocka_unit_test(test_a_long_title_is_cut_within_its_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

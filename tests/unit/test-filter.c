/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The filter language: docs/filter.md is run line by line; then its errors, its bounds. */
#include <errno.h>

#include "made.h"

#include "model/filter.h"

enum { SSH, WEB, DB, APP, DNS, IN, OUT, SIX, WAIT, N_SOCKETS };
static const char *const socket_names[] = {"ssh", "web", "db",	"app", "dns",
					   "in",  "out", "six", "wait"};

static void own(struct snapshot *snapshot, uint32_t socket, uint32_t uid)
{
	made_at(snapshot, socket)->uid = uid;
}

static uint32_t process_of(struct snapshot *snapshot, int32_t pid, const char *name,
			   const char *unit, uint32_t uid)
{
	uint32_t index = made_process(snapshot, pid, 1, name, unit);
	((struct process *)vector_at(&snapshot->processes, index))->uid = uid;
	return index;
}

static void hold_all(struct snapshot *snapshot)
{
	uint32_t sshd = process_of(snapshot, 100, "sshd", "ssh.service", 0),
		 master = process_of(snapshot, 200, "nginx", "nginx.service", 0),
		 worker = process_of(snapshot, 201, "nginx", "nginx.service", 33),
		 postgres = process_of(snapshot, 300, "postgres", "postgresql@15-main.service", 70),
		 python = process_of(snapshot, 400, "python3", NULL, 1234),
		 resolved = process_of(snapshot, 500, "systemd-resolved", NULL, 71);
	struct process *app = vector_at(&snapshot->processes, python);
	app->runs = "app.py";
	*(struct container *)vector_add(&snapshot->containers) = (struct container){
		.id = "0123456789abcdef", .name = "shop", .engine = ENGINE_DOCKER};
	app->container = 0;
	made_hold(snapshot, SSH, sshd, 3);
	made_hold(snapshot, WEB, master, 6);
	made_hold(snapshot, WEB, worker, 6);
	made_hold(snapshot, DB, postgres, 5);
	made_hold(snapshot, APP, python, 4);
	made_hold(snapshot, DNS, resolved, 12);
	made_hold(snapshot, IN, worker, 11);
	made_hold(snapshot, OUT, python, 7);
	made_at(snapshot, SIX)->held_by = HELD_UNSEEN;
}

/* The host of docs/filter.md. */
static int make_host(void **state)
{
	struct snapshot *snapshot = made_new();
	made_socket(snapshot, PROTO_TCP, STATE_LISTEN, "0.0.0.0:22", NULL);
	made_socket(snapshot, PROTO_TCP, STATE_LISTEN, "[::]:443", NULL);
	made_socket(snapshot, PROTO_TCP, STATE_LISTEN, "127.0.0.1:5432", NULL);
	made_socket(snapshot, PROTO_TCP, STATE_LISTEN, "0.0.0.0:8080", NULL);
	made_socket(snapshot, PROTO_UDP, STATE_UNCONN, "127.0.0.53:53", NULL);
	made_socket(snapshot, PROTO_TCP, STATE_ESTABLISHED, "[::ffff:203.0.113.9]:443",
		    "[::ffff:198.51.100.7]:50000");
	made_socket(snapshot, PROTO_TCP, STATE_ESTABLISHED, "203.0.113.9:40000", "10.1.2.3:5432");
	made_socket(snapshot, PROTO_TCP, STATE_SYN_SENT, "[2001:db8::9]:40002", "[2001:db8::1]:25");
	made_socket(snapshot, PROTO_TCP, STATE_TIME_WAIT, "203.0.113.9:40001", "10.1.2.3:5432");
	hold_all(snapshot);
	made_user(snapshot, 71, "systemd-resolve");
	made_user(snapshot, 0, "root");
	made_user(snapshot, 70, "postgres");
	made_user(snapshot, 33, "www-data");
	own(snapshot, DB, 70);
	own(snapshot, APP, 1234);
	own(snapshot, DNS, 71);
	own(snapshot, IN, 33);
	own(snapshot, OUT, 1234);
	made_at(snapshot, SIX)->flags &= (uint8_t)~SOCKET_UID_KNOWN;
	made_at(snapshot, WAIT)->flags &= (uint8_t)~SOCKET_UID_KNOWN;
	assert_int_equal(snapshot_seal(snapshot), 0);
	*state = snapshot;
	return 0;
}

static int free_host(void **state)
{
	snapshot_free(*state);
	return 0;
}

static struct filter *parse(const char *text)
{
	struct filter *filter;
	struct error err = {0};
	if (filter_parse(text, NULL, &filter, &err) < 0)
		fail_msg("%s: %s", text, err.what);
	return filter;
}

static void find(const struct snapshot *snapshot, const struct filter *filter, char *ret,
		 size_t size)
{
	ret[0] = '\0';
	for (uint32_t i = 0; i < N_SOCKETS; i++) {
		bool is_found = filter_match(filter, snapshot, i);
		if (is_found)
			snprintf(ret + strlen(ret), size - strlen(ret), "%s%s", *ret ? " " : "",
				 socket_names[i]);
		/* what is decided early may never lose a match */
		if (is_found)
			assert_true(
				filter_may_match(filter, snapshot, snapshot_socket(snapshot, i)));
	}
}

static bool is_within(const struct bounds *bounds, const struct socket *socket)
{
	return bounds->protos & 1u << socket->proto && bounds->families & 1u << socket->family &&
	       bounds->states & 1u << socket->state && socket->local_port >= bounds->port_first &&
	       socket->local_port <= bounds->port_last;
}

static void assert_bounds_keep_matches(const struct snapshot *snapshot, const char *text)
{
	struct filter *filter = parse(text);
	struct bounds bounds = filter_bounds(filter);
	for (uint32_t i = 0; i < N_SOCKETS; i++)
		if (filter_match(filter, snapshot, i) &&
		    !is_within(&bounds, snapshot_socket(snapshot, i)))
			fail_msg("%s: %s lies outside its bounds", text, socket_names[i]);
	filter_free(filter);
}

static void assert_finds(const struct snapshot *snapshot, const char *text, const char *wanted)
{
	char found[128], turned[512];
	struct filter *filter = parse(text);
	find(snapshot, filter, found, sizeof(found));
	filter_free(filter);
	if (strcmp(found, wanted) != 0)
		fail_msg("%s: found \"%s\", not \"%s\"", text, found, wanted);

	snprintf(turned, sizeof(turned), "not (%s)", text);
	assert_bounds_keep_matches(snapshot, text);
	assert_bounds_keep_matches(snapshot, turned);
	struct filter *straight = parse(text);
	filter = parse(turned);
	for (uint32_t i = 0; i < N_SOCKETS; i++)
		assert_int_not_equal(filter_match(straight, snapshot, i),
				     filter_match(filter, snapshot, i));
	filter_free(straight);
	filter_free(filter);
}

/* The lines of the documentation between two ``` behind the heading @behind. */
static FILE *open_examples(const char *behind)
{
	FILE *file = fopen(SOURCE_ROOT "/docs/filter.md", "r");
	char line[512];
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, behind, strlen(behind)) == 0)
			return file;
	fail_msg("docs/filter.md has no %s", behind);
	return NULL;
}

static void cut_end(char *text)
{
	size_t n = strlen(text);
	while (n && strchr(" \n", text[n - 1]))
		text[--n] = '\0';
}

static void test_the_documentation_is_true(void **state)
{
	FILE *file = open_examples("## Examples");
	char line[512];
	unsigned n = 0;
	bool is_inside = false;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "```", 3) == 0) {
			if (is_inside)
				break;
			is_inside = true;
			continue;
		}
		char *hash = is_inside ? strchr(line, '#') : NULL;
		if (!hash)
			continue;
		*hash = '\0';
		cut_end(line);
		cut_end(hash + 1);
		assert_finds(*state, line, hash + 1 + strspn(hash + 1, " "));
		n++;
	}
	fclose(file);
	assert_true(n > 40);
}

static void assert_error(const char *text, const char *what, const char *hint)
{
	struct filter *filter;
	struct error err = {0};
	assert_int_equal(filter_parse(text, NULL, &filter, &err), -EINVAL);
	assert_null(filter);
	assert_string_equal(err.what, what);
	assert_string_equal(err.hint, hint);
}

static void test_the_errors_of_the_documentation_are_true(unused_argument void **state)
{
	FILE *file = open_examples("## Errors");
	char line[512], text[512] = "", what[512] = "", hint[512] = "";
	unsigned n = 0, at = 0;
	bool is_inside = false;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "```", 3) == 0) {
			if (is_inside) {
				what[strlen(what) - 1] = '\0';
				assert_error(text, what, hint);
				n++;
			}
			is_inside = !is_inside;
			at = 0;
			what[0] = hint[0] = '\0';
		} else if (is_inside && at++ == 0) {
			cut_end(line);
			snprintf(text, sizeof(text), "%s", line);
		} else if (is_inside && strncmp(line, "did", 3) == 0) {
			cut_end(line);
			snprintf(hint, sizeof(hint), "%s", line);
		} else if (is_inside) {
			snprintf(what + strlen(what), sizeof(what) - strlen(what), "%s", line);
		}
	}
	fclose(file);
	assert_int_equal(n, 3);
}

static void test_every_fault_is_an_error_with_its_place(unused_argument void **state)
{
	static const struct {
		const char *text;
		int place; /* of the caret in the text */
	} cases[] = {
		{"port", 4},
		{"port =", 6},
		{"port = and", 7},
		{"port = 70000", 7},
		{"port = 1-70000", 7},
		{"port = 9-1", 7},
		{"port = -1", 7},
		{"port = 8000-", 7},
		{"port < 1,2", 7},
		{"port < 1-2", 7},
		{"70000", 0},
		{"state < listen", 6},
		{"state = lisen", 8},
		{"peer = 1.2.3", 7},
		{"peer in 10.0.0.0/33", 8},
		{"peer in ::1/129", 8},
		{"peer = localhost", 7},
		{"mptcp = maybe", 8},
		{"pid = 99999999999999999999", 6},
		{"pid = abc", 6},
		{"tcp and", 7},
		{"tcp or or udp", 7},
		{"not", 3},
		{"(tcp", 4},
		{"tcp)", 3},
		{"()", 1},
		{"port in (1, 2", 13},
		{"port in 1,", 10},
		{"process = \"nginx", 10},
		{"process ? nginx", 8},
		{"= 80", 0},
		{"nonsense", 0},
		{"tcp , udp", 4},
		{"parents = 1", 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct filter *filter;
		struct error err = {0};
		if (filter_parse(cases[i].text, NULL, &filter, &err) != -EINVAL)
			fail_msg("%s is no error", cases[i].text);
		const char *last = strrchr(err.what, '\n');
		assert_non_null(last);
		if (strchr(last, '^') - last - 3 != cases[i].place)
			fail_msg("%s: %s", cases[i].text, err.what);
	}
}

static void test_the_caret_stands_right_in_a_long_text(unused_argument void **state)
{
	char text[1024] = "";
	while (strlen(text) < 900)
		strncat(text, "tcp and ", sizeof(text) - strlen(text) - 1);
	strncat(text, "wrong = 1", sizeof(text) - strlen(text) - 1);
	struct filter *filter;
	struct error err = {0};
	assert_int_equal(filter_parse(text, NULL, &filter, &err), -EINVAL);
	char *excerpt = strchr(err.what, '\n') + 1, *end = strchr(excerpt, '\n');
	*end = '\0';
	assert_int_equal(strstr(excerpt, "wrong") - excerpt, strchr(end + 1, '^') - end - 1);
}

static void test_the_nearest_word_is_found(unused_argument void **state)
{
	static const struct {
		const char *text, *hint;
	} cases[] = {
		{"prot = tcp", "did you mean proto?"},
		{"tpc", "did you mean tcp?"},
		{"lisen", "did you mean listen?"},
		{"proces = x", "did you mean process?"},
		{"proto = tpc", "did you mean tcp?"},
		{"held_by = kernal", "did you mean kernel?"},
		{"zzzzzzzz",
		 "a test names a field: 'user = zzzzzzzz', 'process ~ zzzzzzzz', 'unit ~ "
		 "zzzzzzzz'"},
		{"port:18080", "write 'port = 18080'"},
		{"start_time > 5m", "it takes Unix seconds, as date +%s -d '5 minutes ago'"},
		{"and", ""}, /* none is near to itself */
		{"port = 1 or and", ""},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct filter *filter;
		struct error err = {0};
		assert_int_equal(filter_parse(cases[i].text, NULL, &filter, &err), -EINVAL);
		assert_string_equal(err.hint, cases[i].hint);
	}
}

static void test_foreign_bytes_in_a_filter_do_not_reach_the_terminal(unused_argument void **state)
{
	struct filter *filter;
	struct error err = {0};
	assert_int_equal(filter_parse("\033[31m = \xc2\x9b", NULL, &filter, &err), -EINVAL);
	for (const char *c = err.what; *c; c++)
		assert_true(*c == '\n' || (*c >= 0x20 && *c < 0x7f));
}

static void test_depth_and_length_are_bounded(unused_argument void **state)
{
	struct filter *filter;
	struct error err = {0};
	char text[5000];
	memset(text, '(', 200);
	snprintf(text + 200, sizeof(text) - 200, "tcp");
	assert_int_equal(filter_parse(text, NULL, &filter, &err), -EINVAL);
	text[0] = '\0';
	for (unsigned i = 0; i < 200; i++)
		strncat(text, "not ", sizeof(text) - strlen(text) - 1);
	strncat(text, "tcp", sizeof(text) - strlen(text) - 1);
	assert_int_equal(filter_parse(text, NULL, &filter, &err), -EINVAL);
	memset(text, ' ', 4999);
	memcpy(text + 4990, "tcp", 3);
	text[4999] = '\0';
	assert_int_equal(filter_parse(text, NULL, &filter, &err), -EINVAL);
	for (size_t at = 0; at < 4000; at += 2)
		memcpy(text + at, "1 ", 2);
	text[4000] = '\0';
	assert_int_equal(filter_parse(text, NULL, &filter, &err), -EINVAL);
}

static void test_no_filter_matches_everything(void **state)
{
	struct filter *filter = (struct filter *)state;
	assert_int_equal(filter_parse("  ", NULL, &filter, NULL), 0);
	assert_null(filter);
	assert_int_equal(filter_parse(NULL, NULL, &filter, NULL), 0);
	assert_null(filter);
	for (uint32_t i = 0; i < N_SOCKETS; i++)
		assert_true(filter_match(NULL, *state, i));
	struct bounds bounds = filter_bounds(NULL), all = BOUNDS_ALL;
	assert_memory_equal(&bounds, &all, sizeof(all));
}

#define S(state) (1u << STATE_##state)
#define P(proto) (1u << PROTO_##proto)
#define PROTOS_ALL ((1u << PROTO_MAX) - 1)

static void test_the_bounds_are_as_tight_as_they_may_be(unused_argument void **state)
{
	static const struct {
		const char *text;
		uint32_t protos, families, states;
		uint16_t first, last;
	} cases[] = {
		{"port = 443", PROTOS_ALL, 3, STATES_ALL, 443, 443},
		{"port in 80, 8000-8010", PROTOS_ALL, 3, STATES_ALL, 80, 8010},
		{"tcp listen 22", P(TCP), 3, S(LISTEN), 22, 22},
		{"udp or tcp", P(TCP) | P(UDP), 3, STATES_ALL, 0, 65535},
		{"not tcp", PROTOS_ALL & ~P(TCP), 3, STATES_ALL, 0, 65535},
		{"not not tcp", P(TCP), 3, STATES_ALL, 0, 65535},
		{"not (listen or established)", PROTOS_ALL, 3,
		 STATES_ALL & ~S(LISTEN) & ~S(ESTABLISHED), 0, 65535},
		{"not (tcp and listen)", PROTOS_ALL, 3, STATES_ALL, 0, 65535},
		{"state != listen", PROTOS_ALL, 3, STATES_ALL & ~S(LISTEN), 0, 65535},
		{"not port = 80", PROTOS_ALL, 3, STATES_ALL, 0, 65535},
		{"port != 80", PROTOS_ALL, 3, STATES_ALL, 0, 65535},
		{"port < 1024", PROTOS_ALL, 3, STATES_ALL, 0, 1023},
		{"port >= 1024", PROTOS_ALL, 3, STATES_ALL, 1024, 65535},
		{"port > 65535", PROTOS_ALL, 3, STATES_ALL, 65535, 65535},
		{"port ~ 80", PROTOS_ALL, 3, STATES_ALL, 0, 65535},
		{"proto ~ udp", PROTOS_ALL, 3, STATES_ALL, 0, 65535},
		{"ipv6", PROTOS_ALL, 2, STATES_ALL, 0, 65535},
		{"ipv4", PROTOS_ALL, 3, STATES_ALL, 0, 65535},
		{"port = 80 or user = root", PROTOS_ALL, 3, STATES_ALL, 0, 65535},
		{"port = 80 or port = 443 and udp", PROTOS_ALL, 3, STATES_ALL, 80, 443},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct filter *filter = parse(cases[i].text);
		struct bounds bounds = filter_bounds(filter);
		filter_free(filter);
		if (bounds.protos != cases[i].protos || bounds.families != cases[i].families ||
		    bounds.states != cases[i].states || bounds.port_first != cases[i].first ||
		    bounds.port_last != cases[i].last)
			fail_msg("%s: %x %x %x %u-%u", cases[i].text, bounds.protos,
				 bounds.families, bounds.states, bounds.port_first,
				 bounds.port_last);
	}
}

static void test_a_filter_says_what_it_needs(unused_argument void **state)
{
	struct filter *filter = parse("port = 80 and unit = nginx");
	assert_true(filter_needs(filter) & NEED_CGROUP);
	assert_false(filter_needs(filter) & NEED_CMDLINE);
	assert_false(filter_names_state(filter));
	filter_free(filter);
	filter = parse("port = 80 or established");
	assert_int_equal(filter_needs(filter), 0);
	assert_true(filter_names_state(filter));
	filter_free(filter);
}

static void test_early_only_what_is_certain_is_dropped(void **state)
{
	static const struct {
		const char *text;
		int socket;
		bool may;
	} cases[] = {
		{"port = 22", WEB, false},
		{"port = 22 and process = x", WEB, false},
		{"port = 22 or process = x", WEB, true},
		{"not process = nginx", WEB, true},
		{"user = root", DB, true},
		{"not port = 22", SSH, false},
		{"process = x and listen", OUT, false},
		{"service = ssh", WEB, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct filter *filter = parse(cases[i].text);
		bool may = filter_may_match(filter, *state,
					    snapshot_socket(*state, (uint32_t)cases[i].socket));
		filter_free(filter);
		if (may != cases[i].may)
			fail_msg("%s on %s", cases[i].text, socket_names[cases[i].socket]);
	}
}

static void test_a_long_command_line_is_searched_to_its_end(void **state)
{
	struct snapshot *snapshot = *state;
	struct process *process = vector_at(&snapshot->processes, 0);
	const char *kept = process->cmdline;
	char line[3000];
	memset(line, 'x', sizeof(line));
	memcpy(line + 2990, " --LAST", 8);
	process->cmdline = line;
	struct filter *filter = parse("cmdline ~ --last");
	assert_true(filter_match(filter, snapshot, SSH));
	assert_false(filter_match(filter, snapshot, WEB));
	filter_free(filter);
	process->cmdline = kept;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_documentation_is_true),
		cmocka_unit_test(test_the_errors_of_the_documentation_are_true),
		cmocka_unit_test(test_every_fault_is_an_error_with_its_place),
		cmocka_unit_test(test_the_caret_stands_right_in_a_long_text),
		cmocka_unit_test(test_the_nearest_word_is_found),
		cmocka_unit_test(test_foreign_bytes_in_a_filter_do_not_reach_the_terminal),
		cmocka_unit_test(test_depth_and_length_are_bounded),
		cmocka_unit_test(test_no_filter_matches_everything),
		cmocka_unit_test(test_the_bounds_are_as_tight_as_they_may_be),
		cmocka_unit_test(test_a_filter_says_what_it_needs),
		cmocka_unit_test(test_early_only_what_is_certain_is_dropped),
		cmocka_unit_test(test_a_long_command_line_is_searched_to_its_end),
	};
	return cmocka_run_group_tests(tests, make_host, free_host);
}

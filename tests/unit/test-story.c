/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a story says of who can reach a port, what is remarkable, who started its holder. */
#include "check.h"

#include "model/ancestry.h"
#include "model/remarks.h"
#include "source/sessions.h"
#include "view/page.h"
#include "view/reach.h"

static const struct interface interfaces[] = {
	{.index = 1, .name = "lo", .is_up = true, .is_loopback = true},
	{.index = 2, .name = "eth0", .is_up = true},
	{.index = 3, .name = "down0"},
};

static struct ip ip(const char *text)
{
	struct ip ret;
	bool is_v4;
	assert_int_equal(ip_parse(text, strlen(text), &ret, &is_v4), 0);
	return ret;
}

/* A namespace with lo and one address of eth0. */
static struct snapshot *snapshot_with(struct interface_address addresses[3], const char *outer)
{
	struct snapshot *snapshot = snapshot_new();
	assert_non_null(snapshot);
	struct netns *netns = vector_add(&snapshot->netns);
	assert_non_null(netns);
	addresses[0] = (struct interface_address){ip("127.0.0.1"), 1, 8, true};
	addresses[1] = (struct interface_address){ip("203.0.113.7"), 3, 24, true};
	if (outer)
		addresses[2] = (struct interface_address){ip(outer), 2, 24, !strchr(outer, ':')};
	*netns = (struct netns){
		.inode = 1,
		.is_self = true,
		.is_detailed = true,
		.interfaces = interfaces,
		.n_interfaces = 3,
		.addresses = addresses,
		.n_addresses = outer ? 3 : 2,
		.ephemeral = {32768, 60999},
	};
	return snapshot;
}

static uint32_t add(struct snapshot *snapshot, const char *local, uint16_t port)
{
	bool is_v6 = strchr(local, ':');
	struct socket socket = {
		.local = ip(local),
		.peer = ip(is_v6 ? "::" : "0.0.0.0"),
		.local_port = port,
		.holder = NONE,
		.tcp_info = NONE,
		.state = STATE_LISTEN,
		.family = is_v6 ? FAMILY_IPV6 : FAMILY_IPV4,
		.flags = SOCKET_V6ONLY_KNOWN,
	};
	return snapshot_add_socket(snapshot, &socket);
}

static void expect_reach(const char *outer, const char *local, const char *wanted)
{
	struct interface_address addresses[3];
	struct snapshot *snapshot = snapshot_with(addresses, outer);
	struct out out;
	assert_int_equal(out_init(&out, -1), 0);
	reach_write(&out, snapshot, snapshot_socket(snapshot, add(snapshot, local, 80)));
	out_char(&out, '\0');
	assert_string_equal(out.data, wanted);
	out_done(&out);
	snapshot_free(snapshot);
}

static void test_reach_is_told_by_the_addresses_of_what_is_up(void **state)
{
	(void)state;
	expect_reach("198.41.0.4", "0.0.0.0", "anyone on the Internet through eth0; this host");
	expect_reach("10.1.2.3", "0.0.0.0",
		     "your private network 10.0.0.0/8 through eth0; this host");
	expect_reach("172.20.2.3", "172.20.2.3", "your private network 172.16.0.0/12 through eth0");
	expect_reach("10.1.2.3", "127.0.0.1", "only this host");
	expect_reach(NULL, "0.0.0.0", "only this host: no interface here leads any further");
	expect_reach("fe80::1", "0.0.0.0", "only this host: no interface here leads any further");
	expect_reach("fe80::1", "::", "the neighbours on the link of eth0; this host");
	expect_reach("100.64.3.4", "0.0.0.0",
		     "the provider's shared network 100.64.0.0/10 through eth0; this host");
}

static void hold(struct snapshot *snapshot, uint32_t socket, const struct process *process)
{
	struct process *added = vector_add(&snapshot->processes);
	assert_non_null(added);
	*added = *process;
	added->container = added->parent = added->netns = NONE;
	snapshot_add_holder(snapshot, socket, snapshot->processes.n - 1, 3);
}

static bool is_remarked(const struct remarks *remarks, enum remark_kind what)
{
	for (uint32_t i = 0; i < remarks->list.n; i++)
		if (((const struct remark *)vector_at(&remarks->list, i))->what == what)
			return true;
	return false;
}

static void expect_remark(const char *outer, const struct process *process, enum remark_kind what,
			  bool wanted)
{
	struct interface_address addresses[3];
	struct snapshot *snapshot = snapshot_with(addresses, outer);
	struct remarks remarks;
	struct rows rows;
	struct explanation explanation;

	hold(snapshot, add(snapshot, "0.0.0.0", 6379), process);
	assert_int_equal(snapshot_seal(snapshot), 0);
	assert_int_equal(rows_select(snapshot, NULL, &rows), 0);
	explain_port(6379, NULL, snapshot_netns(snapshot, 0), &explanation);
	assert_int_equal(remarks_find(&rows, &explanation, NULL, NULL, &remarks), 0);
	assert_int_equal(is_remarked(&remarks, what), wanted);
	remarks_done(&remarks);
	rows_done(&rows);
	snapshot_free(snapshot);
}

static void test_what_is_remarkable(void **state)
{
	(void)state;
	struct process root = {.pid = 7, .name = "d", .known = KNOWN_UID | KNOWN_EXE};
	struct process user = root, deleted = root, odd = root;
	user.uid = 33;
	deleted.exe = "/usr/sbin/d";
	deleted.exe_deleted = true;
	odd.exe = "/tmp/d";

	expect_remark("198.41.0.4", &root, REMARK_ROOT_PUBLIC, true);
	expect_remark("198.41.0.4", &user, REMARK_ROOT_PUBLIC, false);
	expect_remark("10.0.0.1", &root, REMARK_ROOT_PUBLIC, false);
	expect_remark("10.0.0.1", &user, REMARK_RISK, true);
	expect_remark(NULL, &user, REMARK_RISK, false);
	expect_remark(NULL, &deleted, REMARK_EXE_DELETED, true);
	expect_remark(NULL, &odd, REMARK_EXE_TEMPORARY, true);
	expect_remark(NULL, &root, REMARK_EXE_DELETED, false);
	expect_remark(NULL, &root, REMARK_EPHEMERAL, false);
}

static void test_what_is_true_of_all_workers_is_said_once(unused_argument void **state)
{
	struct process worker = {.pid = 7,
				 .name = "d",
				 .exe = "/tmp/d",
				 .exe_deleted = true,
				 .known = KNOWN_UID | KNOWN_EXE};
	struct interface_address addresses[3];
	struct snapshot *snapshot = snapshot_with(addresses, "198.41.0.4");
	uint32_t socket = add(snapshot, "0.0.0.0", 6379);
	struct remarks remarks;
	struct rows rows;

	for (; worker.pid < 10; worker.pid++)
		hold(snapshot, socket, &worker);
	worker.uid = 33;
	worker.exe = "/usr/bin/other";
	hold(snapshot, socket, &worker);
	assert_int_equal(snapshot_seal(snapshot), 0);
	assert_int_equal(rows_select(snapshot, NULL, &rows), 0);
	assert_int_equal(remarks_find(&rows, NULL, NULL, NULL, &remarks), 0);
	unsigned n[REMARK_MAX] = {0}, n_of_three = 0;
	for (uint32_t i = 0; i < remarks.list.n; i++) {
		const struct remark *remark = vector_at(&remarks.list, i);
		n[remark->what]++;
		n_of_three += !!strstr(remark->text, " and 2 more run ");
	}
	assert_int_equal(n[REMARK_ROOT_PUBLIC], 1);
	assert_int_equal(n[REMARK_EXE_DELETED], 2); /* of two files */
	assert_int_equal(n[REMARK_EXE_TEMPORARY], 1);
	assert_int_equal(n_of_three, 3);
	remarks_done(&remarks);
	rows_done(&rows);
	snapshot_free(snapshot);
}

static void test_who_answers_is_told_beside_who_holds(void **state)
{
	(void)state;
	struct interface_address addresses[3];
	struct snapshot *snapshot = snapshot_with(addresses, NULL);
	struct container *container = vector_add(&snapshot->containers);
	struct answer_for *answer = vector_add(&snapshot->answers);
	struct remarks remarks;
	struct rows rows;

	assert_true(container && answer);
	*container = (struct container){.id = "abc", .name = "web", .engine = ENGINE_DOCKER};
	uint32_t socket = add(snapshot, "0.0.0.0", 8080);
	hold(snapshot, socket, &(struct process){.pid = 7, .name = "docker-proxy"});
	hold(snapshot, add(snapshot, "0.0.0.0", 80), &(struct process){.pid = 9, .name = "nginx"});
	*answer = (struct answer_for){.socket = socket, .container = 0, .process = 1};
	assert_int_equal(snapshot_seal(snapshot), 0);
	assert_int_equal(rows_select(snapshot, NULL, &rows), 0);
	assert_int_equal(remarks_find(&rows, NULL, NULL, NULL, &remarks), 0);
	const struct remark *first = vector_at(&remarks.list, 0);
	assert_int_equal(first->what, REMARK_CONTAINER_ANSWERS);
	assert_string_equal(first->text,
			    "docker-proxy (pid 7) holds tcp 0.0.0.0:8080 for the docker container "
			    "web, where nginx (pid 9) answers.");
	remarks_done(&remarks);
	rows_done(&rows);
	snapshot_free(snapshot);
}

static void assert_words(const char *name, const char *cmdline, const char *expected)
{
	char words[128];
	assert_true(ancestor_words(&(struct process){.name = name, .cmdline = cmdline, .pid = 9},
				   words, sizeof(words)));
	assert_string_equal(words, expected);
}

static void test_a_session_names_its_user(void **state)
{
	(void)state;
	assert_words("sshd", "sshd: alice@pts/0", "an ssh session of alice on pts/0");
	assert_words("sshd", "sshd: alice [priv]", "an ssh session of alice");
	assert_words("sshd-session", "sshd-session: bob@notty", "an ssh session of bob");
	assert_words("sshd", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups",
		     "the ssh server");
	assert_words("sshd", "/usr/sbin/sshd -D", "the ssh server");
	assert_words("sshd", NULL, "an ssh session");
	assert_words("tmux: server", "tmux new", "tmux");
	assert_words("systemd", "/lib/systemd/systemd --user", "a user's systemd");
	assert_words("systemd", "/sbin/init", "systemd");
}

static void test_a_session_says_where_it_came_from(void **state)
{
	(void)state;
	char words[128];
	struct process session = {
		.name = "sshd", .cmdline = "sshd: alice@pts/0", .pid = 9, .from = "10.0.0.5"};
	assert_true(ancestor_words(&session, words, sizeof(words)));
	assert_string_equal(words, "an ssh session of alice on pts/0 from 10.0.0.5");
	assert_true(ancestor_is_session(&session));
	session.cmdline = "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups";
	assert_false(ancestor_is_session(&session));
	session = (struct process){.name = "sshd", .pid = 9, .is = words, .from = "10.0.0.5"};
	char again[128];
	assert_true(ancestor_words(&session, again, sizeof(again))); /* as a file says it */
	assert_string_equal(again, words);
}

static void assert_origin(const char *environment, size_t n, const char *expected)
{
	char address[64];
	assert_int_equal(session_parse_environment(environment, n, address, sizeof(address)),
			 expected != NULL);
	if (expected)
		assert_string_equal(address, expected);
}

#define ORIGIN(environment, expected) assert_origin(environment, sizeof(environment), expected)

static void test_the_environment_of_a_session_has_its_origin(void **state)
{
	(void)state;
	ORIGIN("HOME=/\0SSH_CONNECTION=10.0.0.5 51234 10.0.0.1 22\0A=b", "10.0.0.5");
	ORIGIN("SSH_CONNECTION=fd00::5 51234 fd00::1 22", "fd00::5");
	ORIGIN("MY_SSH_CONNECTION=10.0.0.5 1 10.0.0.1 22", NULL);
	ORIGIN("SSH_CONNECTION=\033[31m 1 2 3", NULL);
	ORIGIN("SSH_CONNECTION=\0SSH_CONNECTION", NULL);
	ORIGIN("", NULL);
}

static void test_starters_have_words(void **state)
{
	(void)state;
	char words[64];
	assert_string_equal(ancestor_word(&(struct process){.name = "tmux: server"}), "tmux");
	assert_string_equal(ancestor_word(&(struct process){.name = "sshd"}), "an ssh session");
	assert_string_equal(ancestor_word(&(struct process){.name = "x", .pid = 1}), "init");
	assert_null(ancestor_word(&(struct process){.name = "nginx", .pid = 9}));
	assert_string_equal(unit_in_words("session-12.scope", words, sizeof(words)),
			    "login session 12");
	assert_null(unit_in_words("nginx.service", words, sizeof(words)));
	assert_null(unit_in_words("odd", words, sizeof(words)));
}

static void expect_page(unsigned columns, const char *text, const char *wanted)
{
	struct out out;
	assert_int_equal(out_init(&out, -1), 0);
	struct page page = {.out = &out, .columns = columns};
	page_line(&page, "runs", text, strlen(text));
	out_char(&out, '\0');
	assert_string_equal(out.data, wanted);
	out_done(&out);
}

static void test_a_page_is_wrapped_and_escaped(void **state)
{
	(void)state;
	expect_page(0, "one two", "  runs       one two\n");
	expect_page(40, "one two three four five six seven eight",
		    "  runs       one two three four five six\n             seven eight\n");
	expect_page(0, "a\033[31mb\nc", "  runs       a\\e[31mb\\nc\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_session_names_its_user),
		cmocka_unit_test(test_a_session_says_where_it_came_from),
		cmocka_unit_test(test_the_environment_of_a_session_has_its_origin),
		cmocka_unit_test(test_reach_is_told_by_the_addresses_of_what_is_up),
		cmocka_unit_test(test_what_is_remarkable),
		cmocka_unit_test(test_what_is_true_of_all_workers_is_said_once),
		cmocka_unit_test(test_who_answers_is_told_beside_who_holds),
		cmocka_unit_test(test_starters_have_words),
		cmocka_unit_test(test_a_page_is_wrapped_and_escaped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

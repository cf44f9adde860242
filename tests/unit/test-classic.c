/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The classic views to the byte. */
#include "check.h"

#include "view/classic.h"

static struct ip ip(const char *text)
{
	struct ip ret;
	bool is_v4;
	assert_int_equal(ip_parse(text, strlen(text), &ret, &is_v4), 0);
	return ret;
}

static uint32_t add(struct snapshot *snapshot, enum proto proto, enum state state,
		    const char *local, uint16_t port, const char *peer, uint16_t peer_port)
{
	struct socket socket = {
		.local = ip(local),
		.peer = ip(peer),
		.local_port = port,
		.peer_port = peer_port,
		.holder = NONE,
		.tcp_info = NONE,
		.netns = NONE,
		.proto = (uint8_t)proto,
		.state = (uint8_t)state,
		.family = strchr(local, ':') ? FAMILY_IPV6 : FAMILY_IPV4,
	};
	return snapshot_add_socket(snapshot, &socket);
}

static struct snapshot *snapshot_of_all(void)
{
	struct snapshot *snapshot = snapshot_new();
	struct process processes[] = {
		{.pid = 12, .name = "nginx", .exe = "/usr/sbin/nginx"},
		{.pid = 11, .name = "a\033b", .exe = "/opt/a\nb"},
	};
	assert_non_null(snapshot);
	for (unsigned i = 0; i < 2; i++) {
		struct process *added = vector_add(&snapshot->processes);
		assert_non_null(added);
		*added = processes[i];
		added->container = added->parent = added->netns = NONE;
	}
	uint32_t shared = add(snapshot, PROTO_TCP, STATE_LISTEN, "0.0.0.0", 135, "0.0.0.0", 0);
	snapshot_add_holder(snapshot, shared, 0, 3);
	snapshot_add_holder(snapshot, shared, 1, 4);
	add(snapshot, PROTO_TCP, STATE_FIN_WAIT2, "::ffff:10.0.0.1", 80, "::ffff:10.0.0.2", 5000);
	snapshot_add_holder(snapshot, add(snapshot, PROTO_TCP, STATE_LISTEN, "::", 443, "::", 0), 0,
			    5);
	snapshot_add_holder(snapshot,
			    add(snapshot, PROTO_UDP, STATE_UNCONN, "0.0.0.0", 445, "0.0.0.0", 0), 1,
			    3);
	add(snapshot, PROTO_UDP, STATE_ESTABLISHED, "::1", 446, "::1", 53);
	add(snapshot, PROTO_UDPLITE, STATE_UNCONN, "0.0.0.0", 447, "0.0.0.0", 0);
	return snapshot;
}

static void expect_netstat(const struct netstat_view *view, const char *wanted)
{
	struct snapshot *snapshot = snapshot_of_all();
	struct rows rows;
	struct out out;
	assert_int_equal(out_init(&out, -1), 0);
	assert_int_equal(rows_select(snapshot, NULL, &rows), 0);
	netstat_print(&out, &rows, view);
	out_char(&out, '\0');
	assert_string_equal(out.data, wanted);
	out_done(&out);
	rows_done(&rows);
	snapshot_free(snapshot);
}

#define HEAD                     \
	"\nActive Connections\n" \
	"\n  Proto  Local Address          Foreign Address        State"

static void test_netstat_is_as_windows_prints_it(void **state)
{
	(void)state;
	expect_netstat(&(struct netstat_view){.is_numeric = true},
		       HEAD "\n"
			    "  TCP    10.0.0.1:80            10.0.0.2:5000          FIN_WAIT_2\n");
	expect_netstat(&(struct netstat_view){.is_numeric = true, .all = true},
		       HEAD "\n"
			    "  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING\n"
			    "  TCP    10.0.0.1:80            10.0.0.2:5000          FIN_WAIT_2\n"
			    "  TCP    [::]:443               [::]:0                 LISTENING\n"
			    "  UDP    0.0.0.0:445            *:*\n"
			    "  UDP    [::1]:446              [::1]:53\n");
	expect_netstat(
		&(struct netstat_view){
			.is_numeric = true, .all = true, .has_pids = true, .proto = CLASSIC_UDP},
		HEAD "           PID\n"
		     "  UDP    0.0.0.0:445            *:*                                    11\n");
}

static void test_netstat_names_each_executable_escaped(void **state)
{
	(void)state;
	expect_netstat(
		&(struct netstat_view){.is_numeric = true,
				       .all = true,
				       .has_pids = true,
				       .has_executables = true,
				       .proto = CLASSIC_TCP},
		HEAD "           PID\n"
		     "  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       11\n"
		     " [nginx]\n [a\\nb]\n"
		     "  TCP    10.0.0.1:80            10.0.0.2:5000          FIN_WAIT_2      0\n");
}

static void expect_fport(enum fport_order order, const char *wanted)
{
	struct snapshot *snapshot = snapshot_of_all();
	struct rows rows;
	struct out out;
	assert_int_equal(out_init(&out, -1), 0);
	assert_int_equal(rows_select(snapshot, NULL, &rows), 0);
	assert_int_equal(fport_print(&out, &rows, order), 0);
	out_char(&out, '\0');
	assert_string_equal(out.data, wanted);
	out_done(&out);
	rows_done(&rows);
	snapshot_free(snapshot);
}

static void test_fport_in_each_order(void **state)
{
	(void)state;
	const char *by_port = "Pid   Process            Port  Proto Path\n"
			      "11    a\\eb           ->  135   TCP   /opt/a\\nb\n"
			      "12    nginx          ->  135   TCP   /usr/sbin/nginx\n"
			      "12    nginx          ->  443   TCP   /usr/sbin/nginx\n"
			      "11    a\\eb           ->  445   UDP   /opt/a\\nb\n";
	const char *by_pid = "Pid   Process            Port  Proto Path\n"
			     "11    a\\eb           ->  135   TCP   /opt/a\\nb\n"
			     "11    a\\eb           ->  445   UDP   /opt/a\\nb\n"
			     "12    nginx          ->  135   TCP   /usr/sbin/nginx\n"
			     "12    nginx          ->  443   TCP   /usr/sbin/nginx\n";
	expect_fport(FPORT_BY_PORT, by_port);
	expect_fport(FPORT_BY_PID, by_pid);
	expect_fport(FPORT_BY_APPLICATION, by_pid);
	expect_fport(FPORT_BY_PATH, by_pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_netstat_is_as_windows_prints_it),
		cmocka_unit_test(test_netstat_names_each_executable_escaped),
		cmocka_unit_test(test_fport_in_each_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

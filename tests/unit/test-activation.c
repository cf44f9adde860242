/* SPDX-License-Identifier: GPL-2.0-or-later */
/* .socket units: their text, and which file of many a systemd goes by. */
#include "check.h"

#include "laid-out.h"
#include "base/format.h"
#include "source/activation.h"

static struct socket_unit parse(const char *text)
{
	struct socket_unit unit = {0};
	vector_init(&unit.listened, sizeof(struct listened));
	assert_int_equal(activation_parse(text, strlen(text), &unit), 0);
	return unit;
}

/* "tcp 80, udp 127.0.0.1 53" of what the unit listens on. */
static void assert_listens(struct socket_unit *unit, const char *expected)
{
	char text[512] = "";
	for (uint32_t i = 0; i < unit->listened.n; i++) {
		const struct listened *one = vector_at(&unit->listened, i);
		char address[FORMAT_IP_MAX + 1] = "";
		if (one->has_address)
			address[ip_format(address, &one->address, true)] = '\0';
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s %s%s%u",
			 i ? ", " : "", proto_words[one->proto], address, address[0] ? " " : "",
			 one->port);
	}
	assert_string_equal(text, expected);
	vector_done(&unit->listened);
}

static void test_addresses_are_read_in_every_form(void **state)
{
	(void)state;
	struct socket_unit unit =
		parse("[Unit]\nListenStream=1\n[Socket]\n"
		      "ListenStream=80\n ListenStream = 127.0.0.1:81 \r\n"
		      "ListenDatagram=[::1]:53\nListenStream=[fe80::1]:82%eth0\n"
		      "# ListenStream=90\n;ListenStream=91\n"
		      "ListenStream=/run/x.sock\nListenStream=@abstract\n"
		      "ListenStream=vsock:2:1\nListenStream=0\nListenStream=99999\n"
		      "ListenStream=[x]:5\nListenStream=\t83\n[Install]\n"
		      "ListenStream=92");
	assert_listens(&unit, "tcp 80, tcp 127.0.0.1 81, udp ::1 53, tcp fe80::1 82, tcp 83");
}

static void test_an_empty_assignment_takes_back(void **state)
{
	(void)state;
	struct socket_unit unit = parse("[Socket]\nListenStream=80\nListenDatagram=53\n");
	static const char text[] = "[Socket]\nListenStream=\nListenStream=81\n";
	assert_int_equal(activation_parse(text, strlen(text), &unit), 0);
	assert_listens(&unit, "tcp 81");
}

static void assert_service(const char *text, const char *name, const char *expected)
{
	char service[300];
	struct socket_unit unit = parse(text);
	activation_service(&unit, name, service, sizeof(service));
	assert_string_equal(service, expected);
	vector_done(&unit.listened);
}

static void test_the_service_is_named_after_the_socket_or_by_it(void **state)
{
	(void)state;
	assert_service("", "ssh.socket", "ssh.service");
	assert_service("[Socket]\nAccept=yes\n", "ssh.socket", "ssh@.service");
	assert_service("[Socket]\nAccept=true\n", "ssh.socket", "ssh@.service");
	assert_service("[Socket]\nAccept=no\n", "ssh.socket", "ssh.service");
	assert_service("[Socket]\nService=sshd.service\n", "ssh.socket", "sshd.service");
	assert_service("[Socket]\nAccept=yes\nService=\n", "ssh.socket", "ssh@.service");
	assert_service("", "shop@1.socket", "shop@1.service");
	assert_service("", "my.app.socket", "my.app.service");
}

/* ---- a systemd, pid 1, and its socket on port 80 ---- */

static const char *answer(struct laid_out *laid, int32_t pid, const char *cmdline, uint16_t port)
{
	static char unit[300];
	struct snapshot *snapshot = snapshot_new();
	struct error err = {0};
	assert_non_null(snapshot);
	*(struct process *)vector_add(&snapshot->processes) = (struct process){.pid = pid,
									       .name = "systemd",
									       .cmdline = cmdline,
									       .container = NONE,
									       .parent = NONE,
									       .netns = NONE};
	struct socket socket = {.proto = PROTO_TCP,
				.state = STATE_LISTEN,
				.local_port = port,
				.netns = NONE,
				.holder = NONE,
				.tcp_info = NONE};
	uint32_t index = snapshot_add_socket(snapshot, &socket);
	assert_int_not_equal(snapshot_add_holder(snapshot, index, 0, 30), NONE);
	assert_int_equal(activation_answer(&laid->host, snapshot, &err), 0);
	const struct answer_for *answer =
		snapshot->answers.n ? vector_at(&snapshot->answers, 0) : NULL;
	snprintf(unit, sizeof(unit), "%s", answer ? answer->unit : "");
	snapshot_free(snapshot);
	return unit;
}

#define ROOT "proc/1/root/"

static void test_the_administrator_s_file_counts_before_the_package_s(void **state)
{
	struct laid_out *laid = *state;
	laid_out_text(laid, ROOT "usr/lib/systemd/system/a.socket", "[Socket]\nListenStream=80\n");
	assert_string_equal(answer(laid, 1, "/sbin/init", 80), "a.service");
	laid_out_text(laid, ROOT "etc/systemd/system/a.socket", "[Socket]\nListenStream=81\n");
	assert_string_equal(answer(laid, 1, "/sbin/init", 80), "");
	assert_string_equal(answer(laid, 1, "/sbin/init", 81), "a.service");
}

static void test_a_masked_unit_and_an_alias_are_none(void **state)
{
	struct laid_out *laid = *state;
	laid_out_text(laid, ROOT "usr/lib/systemd/system/a.socket", "[Socket]\nListenStream=80\n");
	laid_out_link(laid, ROOT "etc/systemd/system/a.socket", "/dev/null");
	assert_string_equal(answer(laid, 1, "/sbin/init", 80), "");
	laid_out_text(laid, ROOT "usr/lib/systemd/system/ssh.socket",
		      "[Socket]\nListenStream=22\n");
	laid_out_link(laid, ROOT "etc/systemd/system/another.socket",
		      "/usr/lib/systemd/system/ssh.socket");
	assert_string_equal(answer(laid, 1, "/sbin/init", 22), "ssh.service");
}

static void test_a_link_is_followed_beneath_the_systemd_s_root(void **state)
{
	struct laid_out *laid = *state;
	laid_out_text(laid, ROOT "opt/shop/shop.socket", "[Socket]\nListenStream=80\n");
	laid_out_link(laid, ROOT "etc/systemd/system/shop.socket", "/opt/shop/shop.socket");
	assert_string_equal(answer(laid, 1, "/sbin/init", 80), "shop.service");
}

static void test_drop_ins_come_in_the_order_of_their_names(void **state)
{
	struct laid_out *laid = *state;
	laid_out_text(laid, ROOT "usr/lib/systemd/system/a.socket", "[Socket]\nListenStream=80\n");
	laid_out_text(laid, ROOT "etc/systemd/system/a.socket.d/20.conf",
		      "[Socket]\nService=second.service\n");
	laid_out_text(laid, ROOT "usr/lib/systemd/system/a.socket.d/10.conf",
		      "[Socket]\nService=first.service\n");
	assert_string_equal(answer(laid, 1, "/sbin/init", 80), "second.service");
	laid_out_text(laid, ROOT "run/systemd/system/a.socket.d/30.conf",
		      "[Socket]\nService=third.service\n");
	assert_string_equal(answer(laid, 1, "/sbin/init", 80), "third.service");
	laid_out_link(laid, ROOT "etc/systemd/system/a.socket.d/30.conf", "/dev/null");
	assert_string_equal(answer(laid, 1, "/sbin/init", 80), "second.service");
}

static void test_of_two_units_with_one_port_the_running_one_answers(void **state)
{
	struct laid_out *laid = *state;
	laid_out_text(laid, ROOT "usr/lib/systemd/system/a.socket", "[Socket]\nListenStream=22\n");
	laid_out_text(laid, ROOT "usr/lib/systemd/system/b.socket", "[Socket]\nListenStream=22\n");
	laid_out_link(laid, ROOT "run/systemd/units/invocation:b.socket", "0123");
	assert_string_equal(answer(laid, 1, "/sbin/init", 22), "b.service");
}

static void test_a_user_s_manager_has_directories_of_its_own(void **state)
{
	struct laid_out *laid = *state;
	laid_out_text(laid, "proc/70/root/usr/lib/systemd/system/a.socket",
		      "[Socket]\nListenStream=80\n");
	laid_out_text(laid, "proc/70/root/home/alice/.config/systemd/user/mine.socket",
		      "[Socket]\nListenStream=8080\n");
	laid_out_put(laid, "proc/70/environ", "HOME=/home/alice\0X=1\0", 21);
	assert_string_equal(answer(laid, 70, "/lib/systemd/systemd --user", 80), "");
	assert_string_equal(answer(laid, 70, "/lib/systemd/systemd --user", 8080), "mine.service");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_are_read_in_every_form),
		cmocka_unit_test(test_an_empty_assignment_takes_back),
		cmocka_unit_test(test_the_service_is_named_after_the_socket_or_by_it),
		LAID_OUT(test_the_administrator_s_file_counts_before_the_package_s),
		LAID_OUT(test_a_masked_unit_and_an_alias_are_none),
		LAID_OUT(test_a_link_is_followed_beneath_the_systemd_s_root),
		LAID_OUT(test_drop_ins_come_in_the_order_of_their_names),
		LAID_OUT(test_of_two_units_with_one_port_the_running_one_answers),
		LAID_OUT(test_a_user_s_manager_has_directories_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

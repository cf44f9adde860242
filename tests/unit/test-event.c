/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of the ring of events. */
#include "check.h"

#include <errno.h>
#include <netinet/in.h>

#include "bpf/event.h"
#include "source/bpf/events.h"

struct seen {
	struct event_reader reader;
	struct found_event event;
	struct found_process process;
	char name[32], exe[2048], group[2048], cmdline[1024];
	unsigned n_events, n_processes;
	int says;
};

static int see_event(struct event_reader *reader, const struct found_event *found)
{
	struct seen *seen = (struct seen *)reader;
	seen->event = *found;
	seen->n_events++;
	return seen->says;
}

static int see_process(struct event_reader *reader, const struct found_process *found)
{
	struct seen *seen = (struct seen *)reader;
	seen->process = *found;
	snprintf(seen->name, sizeof(seen->name), "%s", found->name ? found->name : "");
	snprintf(seen->exe, sizeof(seen->exe), "%s", found->exe ? found->exe : "");
	snprintf(seen->group, sizeof(seen->group), "%s", found->group ? found->group : "");
	memcpy(seen->cmdline, found->cmdline ? found->cmdline : "", found->n_cmdline);
	seen->n_processes++;
	return seen->says;
}

#define SEEN                                         \
	{                                            \
		.reader = { see_event, see_process } \
	}

static struct bpf_event an_end(void)
{
	struct bpf_event record = {.kind = BPF_EVENT_ENDED,
				   .family = AF_INET,
				   .flags = BPF_EVENT_ROLE_DIALLED | BPF_EVENT_EXACT,
				   .state = STATE_FIN_WAIT2,
				   .netns = 4026531833u,
				   .time_ns = 5000,
				   .cookie = 77,
				   .start_ns = 1000,
				   .since_ns = 4000,
				   .sent = 10,
				   .received = 20,
				   .pid = 812,
				   .local_port = 4711,
				   .peer_port = 80,
				   .protocol = IPPROTO_TCP};
	record.local[2] = record.peer[2] = htonl(0xffff);
	record.local[3] = htonl(0x7f000001);
	record.peer[3] = htonl(0x0a000001);
	return record;
}

static void test_an_end_has_the_whole_tuple(unused_argument void **state)
{
	struct seen seen = SEEN;
	struct bpf_event record = an_end();
	assert_int_equal(event_parse(&record, sizeof(record), &seen.reader), 0);
	assert_int_equal(seen.n_events, 1);
	const struct found_event *found = &seen.event;
	assert_int_equal(found->deed, DEED_ENDED);
	assert_int_equal(found->socket.cookie, 77);
	assert_int_equal(found->socket.local_port, 4711);
	assert_int_equal(found->socket.peer_port, 80);
	assert_int_equal(found->socket.role, ROLE_DIALLED);
	assert_int_equal(found->socket.state, STATE_FIN_WAIT2);
	assert_true(ip_is_mapped(&found->socket.local) && ip_is_mapped(&found->socket.peer));
	assert_int_equal(found->socket.peer.bytes[12], 10);
	assert_int_equal(found->sent, 10);
	assert_int_equal(found->received, 20);
	assert_int_equal(found->since_ns, 4000);
	assert_int_equal(found->holder.pid, 812);
	assert_int_equal(found->holder.start_ns, 1000);
	assert_true(found->is_exact);
}

static void test_what_a_bind_had_is_no_error(unused_argument void **state)
{
	struct seen seen = SEEN;
	struct bpf_event record = an_end();
	record.kind = BPF_EVENT_TRIED;
	record.error = 8080;
	assert_int_equal(event_parse(&record, sizeof(record), &seen.reader), 0);
	assert_int_equal(seen.event.had_port, 8080);
	assert_int_equal(seen.event.error, 0);
	assert_int_equal(seen.event.socket.state, STATE_BOUND);
}

static void test_mptcp_is_tcp_with_a_flag(unused_argument void **state)
{
	struct seen seen = SEEN;
	struct bpf_event record = an_end();
	record.protocol = BPF_EVENT_MPTCP;
	assert_int_equal(event_parse(&record, sizeof(record), &seen.reader), 0);
	assert_int_equal(seen.event.socket.proto, PROTO_TCP);
	assert_true(seen.event.socket.flags & SOCKET_MPTCP);
}

static void test_what_cannot_be_one_is_refused(unused_argument void **state)
{
	struct seen seen = SEEN;
	struct bpf_event good = an_end(), record = good;
	assert_int_equal(event_parse(&record, 0, &seen.reader), -EBADMSG);
	assert_int_equal(event_parse(&record, sizeof(record) - 1, &seen.reader), -EBADMSG);
	record.kind = 0;
	assert_int_equal(event_parse(&record, sizeof(record), &seen.reader), -EBADMSG);
	record.kind = BPF_EVENT_KIND_MAX;
	assert_int_equal(event_parse(&record, sizeof(record), &seen.reader), -EBADMSG);
	record = good;
	record.family = AF_UNIX;
	assert_int_equal(event_parse(&record, sizeof(record), &seen.reader), -EBADMSG);
	record = good;
	record.protocol = IPPROTO_ICMP;
	assert_int_equal(event_parse(&record, sizeof(record), &seen.reader), -EBADMSG);
	record = good;
	record.state = 200;
	assert_int_equal(event_parse(&record, sizeof(record), &seen.reader), -EBADMSG);
	record = good;
	record.pid = -1;
	assert_int_equal(event_parse(&record, sizeof(record), &seen.reader), -EBADMSG);
	assert_int_equal(seen.n_events, 0);
}

static void test_the_reader_ends_it(unused_argument void **state)
{
	struct seen seen = SEEN;
	struct bpf_event record = an_end();
	seen.says = -EPIPE;
	assert_int_equal(event_parse(&record, sizeof(record), &seen.reader), -EPIPE);
}

static struct bpf_process a_process(void)
{
	struct bpf_process record = {.kind = BPF_EVENT_PROCESS,
				     .flags = BPF_PROCESS_EXE,
				     .exe_size = sizeof("nginx\0sbin\0usr"),
				     .group_size = sizeof("nginx.service\0system.slice"),
				     .args_size = sizeof("nginx\0-g"),
				     .pid = 812,
				     .ppid = 1,
				     .start_ns = 99,
				     .uid = 33,
				     .name = "nginx"};
	memcpy(record.exe, "nginx\0sbin\0usr", sizeof("nginx\0sbin\0usr"));
	memcpy(record.group, "nginx.service\0system.slice", sizeof("nginx.service\0system.slice"));
	memcpy(record.args, "nginx\0-g", sizeof("nginx\0-g"));
	return record;
}

static void test_a_process_has_its_paths(unused_argument void **state)
{
	struct seen seen = SEEN;
	struct bpf_process record = a_process();
	assert_int_equal(event_parse(&record, sizeof(record), &seen.reader), 0);
	assert_string_equal(seen.name, "nginx");
	assert_string_equal(seen.exe, "/usr/sbin/nginx");
	assert_string_equal(seen.group, "/system.slice/nginx.service");
	assert_int_equal(seen.process.n_cmdline, sizeof("nginx\0-g"));
	assert_int_equal(seen.process.uid, 33);
	assert_int_equal(seen.process.parent.pid, 0);
}

static void test_a_fork_names_both(unused_argument void **state)
{
	struct seen seen = SEEN;
	struct bpf_process record = {.kind = BPF_EVENT_FORK,
				     .pid = 813,
				     .ppid = 812,
				     .start_ns = 200,
				     .parent_start_ns = 99};
	assert_int_equal(event_parse(&record, BPF_FORK_SIZE, &seen.reader), 0);
	assert_int_equal(seen.process.actor.pid, 813);
	assert_int_equal(seen.process.parent.pid, 812);
	assert_int_equal(seen.process.parent.start_ns, 99);
	record.pid = 0;
	assert_int_equal(event_parse(&record, BPF_FORK_SIZE, &seen.reader), -EBADMSG);
}

static void test_a_process_that_cannot_be_one_is_refused(unused_argument void **state)
{
	struct seen seen = SEEN;
	struct bpf_process record = a_process();
	record.exe_size = UINT16_MAX;
	assert_int_equal(event_parse(&record, sizeof(record), &seen.reader), -EBADMSG);
	record = a_process();
	record.exe_size--; /* the last name has no end */
	assert_int_equal(event_parse(&record, sizeof(record), &seen.reader), -EBADMSG);
	record = a_process();
	record.exe[1] = '/';
	assert_int_equal(event_parse(&record, sizeof(record), &seen.reader), -EBADMSG);
	record = a_process();
	record.args_size = UINT16_MAX;
	assert_int_equal(event_parse(&record, sizeof(record), &seen.reader), -EBADMSG);
	assert_int_equal(seen.n_processes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_end_has_the_whole_tuple),
		cmocka_unit_test(test_what_a_bind_had_is_no_error),
		cmocka_unit_test(test_mptcp_is_tcp_with_a_flag),
		cmocka_unit_test(test_what_cannot_be_one_is_refused),
		cmocka_unit_test(test_the_reader_ends_it),
		cmocka_unit_test(test_a_process_has_its_paths),
		cmocka_unit_test(test_a_fork_names_both),
		cmocka_unit_test(test_a_process_that_cannot_be_one_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

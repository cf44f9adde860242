/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What closing would do: a snapshot made by hand, and the steps that come of it. */
#include <errno.h>

#include "made.h"

#include "act/plan.h"

struct planned {
	struct snapshot *snapshot;
	struct session session;
	struct close_options options;
	struct unit_fact units[2];
	struct beside beside[3];
	struct planning planning;
	struct plan plan;
	uint32_t sockets[8];
};

static int start(void **state)
{
	struct planned *planned = calloc(1, sizeof(*planned));
	assert_non_null(planned);
	planned->snapshot = made_new();
	planned->session = (struct session){.n = 2, .pids = {500, 400}};
	planned->options = (struct close_options){.by = WAY_AUTO, .grace_ms = 5000};
	planned->planning = (struct planning){.session = &planned->session,
					      .options = &planned->options,
					      .units = planned->units,
					      .beside = planned->beside,
					      .sockets = planned->sockets};
	plan_init(&planned->plan);
	*state = planned;
	return 0;
}

static int end(void **state)
{
	struct planned *planned = *state;
	plan_done(&planned->plan);
	snapshot_free(planned->snapshot);
	free(planned);
	return 0;
}

/* The one step for @socket. */
static struct step *plan_one(struct planned *planned, uint32_t socket)
{
	if (!planned->snapshot->is_sealed)
		assert_int_equal(snapshot_seal(planned->snapshot), 0);
	planned->planning.snapshot = planned->snapshot;
	planned->sockets[0] = socket;
	planned->planning.n_sockets = 1;
	assert_int_equal(close_plan(&planned->planning, &planned->plan), 0);
	assert_int_equal(planned->plan.steps.n, 1);
	return plan_step(&planned->plan, 0);
}

static bool follows(const struct step *step, const char *words)
{
	for (uint8_t i = 0; i < step->n_consequences; i++)
		if (strstr(step->consequences[i], words))
			return true;
	return false;
}

static void test_a_process_of_no_unit_gets_sigterm(void **state)
{
	struct planned *planned = *state;
	uint32_t socket =
		made_socket(planned->snapshot, PROTO_TCP, STATE_LISTEN, "127.0.0.1:8080", NULL);
	for (int32_t pid = 600; pid < 603; pid++)
		made_hold(planned->snapshot, socket,
			  made_process(planned->snapshot, pid, 1, "nginx", NULL), 3);
	made_at(planned->snapshot, socket)->recv_queue = 2;
	struct step *step = plan_one(planned, socket);
	assert_int_equal(step->way, WAY_PROCESS);
	assert_false(step->is_refused);
	assert_int_equal(step->n_holders, 3);
	assert_non_null(strstr(step->object, "all 3 that hold it"));
	assert_true(follows(step, "2 connections wait in the backlog"));
	assert_false(follows(step, "SIGKILL"));
}

static void test_a_connection_is_ended_and_a_timewait_too(void **state)
{
	struct planned *planned = *state;
	uint32_t socket = made_socket(planned->snapshot, PROTO_TCP, STATE_TIME_WAIT,
				      "127.0.0.1:8080", "127.0.0.1:40000");
	struct step *step = plan_one(planned, socket);
	assert_int_equal(step->way, WAY_SOCKET);
	assert_false(step->is_refused);
}

static void test_what_may_not_be_inspected_and_the_kernels_are_refused(void **state)
{
	struct planned *planned = *state;
	uint32_t socket =
		made_socket(planned->snapshot, PROTO_UDP, STATE_UNCONN, "0.0.0.0:4789", NULL);
	made_at(planned->snapshot, socket)->held_by = HELD_KERNEL;
	struct step *step = plan_one(planned, socket);
	assert_true(step->is_refused);
	assert_non_null(strstr(step->because, "kernel"));
}

static void test_pid_1_and_ourselves_are_never_signalled(void **state)
{
	static const struct {
		int32_t pid;
		bool forced, refused;
	} cases[] = {{1, true, true}, {500, true, true}, {400, true, true}, {401, false, false}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		void *own = NULL;
		assert_int_equal(start(&own), 0);
		struct planned *planned = own;
		planned->options.is_forced = cases[i].forced;
		uint32_t socket = made_socket(planned->snapshot, PROTO_TCP, STATE_LISTEN,
					      "127.0.0.1:8080", NULL);
		made_hold(planned->snapshot, socket,
			  made_process(planned->snapshot, cases[i].pid, 0, "thing", NULL), 3);
		assert_int_equal(plan_one(planned, socket)->is_refused, cases[i].refused);
		end(&own);
	}
	(void)state;
}

static void test_a_unit_is_stopped_its_socket_first(void **state)
{
	struct planned *planned = *state;
	planned->units[0] = (struct unit_fact){.manager = 1,
					       .name = "web.service",
					       .restart = "always",
					       .triggers = {"web.socket"},
					       .n_triggers = 1};
	planned->planning.n_units = 1;
	uint32_t manager = made_process(planned->snapshot, 1, 0, "systemd", "init.scope");
	uint32_t server = made_process(planned->snapshot, 700, 1, "web", "web.service");
	((struct process *)vector_at(&planned->snapshot->processes, server))->parent = manager;
	uint32_t socket =
		made_socket(planned->snapshot, PROTO_TCP, STATE_LISTEN, "0.0.0.0:80", NULL);
	made_hold(planned->snapshot, socket, server, 3);
	struct step *step = plan_one(planned, socket);
	assert_int_equal(step->way, WAY_UNIT);
	assert_string_equal(step->object, "web.socket, then web.service");

	planned->plan.steps.n = 0;
	planned->options.by = WAY_PROCESS;
	step = plan_one(planned, socket);
	assert_true(follows(step, "Restart=always: systemd will start it again"));
}

static void test_other_doors_of_the_holder_are_named_once(void **state)
{
	struct planned *planned = *state;
	struct socket door = {.proto = PROTO_TCP, .family = FAMILY_IPV4, .local_port = 443};
	uint32_t socket =
		made_socket(planned->snapshot, PROTO_TCP, STATE_LISTEN, "0.0.0.0:80", NULL);
	made_hold(planned->snapshot, socket, made_process(planned->snapshot, 700, 2, "nginx", NULL),
		  3);
	made_hold(planned->snapshot, socket, made_process(planned->snapshot, 701, 2, "nginx", NULL),
		  3);
	planned->beside[0] = (struct beside){700, door};
	planned->beside[1] = (struct beside){701, door};
	planned->beside[2] = (struct beside){702, door}; /* no holder */
	planned->planning.n_beside = 3;
	struct step *step = plan_one(planned, socket);
	assert_int_equal(step->n_also, 1);
	assert_true(follows(step, "nginx also serves tcp/443: it closes too"));
}

static void test_the_ssh_connection_is_read(unused_argument void **state)
{
	struct session session = {.n = 0};
	assert_true(session_parse_ssh("203.0.113.7 50000 192.0.2.1 22", &session));
	assert_true(session.has_ssh);
	assert_int_equal(session.client_port, 50000);
	assert_int_equal(session.server_port, 22);
	assert_true(session_parse_ssh("fe80::1%eth0 50000 fe80::2%eth0 2222", &session));
	assert_int_equal(session.server_port, 2222);
	static const char *const wrong[] = {"",
					    "1.2.3.4",
					    "1.2.3.4 1 5.6.7.8",
					    "a 1 b 2",
					    "1.2.3.4 70000 5.6.7.8 22",
					    "1.2.3.4 x 5.6.7.8 22"};
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct session none = {.n = 0};
		assert_false(session_parse_ssh(wrong[i], &none));
		assert_false(none.has_ssh);
	}
}

static void test_the_door_of_the_session_needs_force(unused_argument void **state)
{
	struct session session = {.n = 2, .pids = {500, 400}};
	struct step_holder holder = {.pid = 640};
	struct step step = {.way = WAY_PROCESS, .holders = &holder, .n_holders = 1};
	bool may_force;
	assert_true(session_parse_ssh("203.0.113.7 50000 192.0.2.1 22", &session));
	step.target =
		(struct identity){.proto = PROTO_TCP, .state = STATE_LISTEN, .local_port = 22};
	assert_non_null(session_objection(&session, &step, &may_force));
	assert_true(may_force);
	step.target.local_port = 23;
	assert_null(session_objection(&session, &step, &may_force));
	holder.pid = 400; /* a parent, and no sshd */
	assert_non_null(session_objection(&session, &step, &may_force));
	assert_false(may_force);
	step.target = (struct identity){.proto = PROTO_TCP,
					.state = STATE_ESTABLISHED,
					.local_port = 22,
					.peer_port = 50000,
					.peer = session.client};
	step.way = WAY_SOCKET;
	assert_non_null(session_objection(&session, &step, &may_force));
	assert_true(may_force);
}

#define PLANNED(test) cmocka_unit_test_setup_teardown(test, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLANNED(test_a_process_of_no_unit_gets_sigterm),
		PLANNED(test_a_connection_is_ended_and_a_timewait_too),
		PLANNED(test_what_may_not_be_inspected_and_the_kernels_are_refused),
		cmocka_unit_test(test_pid_1_and_ourselves_are_never_signalled),
		PLANNED(test_a_unit_is_stopped_its_socket_first),
		PLANNED(test_other_doors_of_the_holder_are_named_once),
		cmocka_unit_test(test_the_ssh_connection_is_read),
		cmocka_unit_test(test_the_door_of_the_session_needs_force),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

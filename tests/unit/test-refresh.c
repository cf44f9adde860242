/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots taken in a thread of their own, of this host and with a real socket. */
#include "check.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collect/refresh.h"

static const struct query all = {
	.bounds = {.protos = (1u << PROTO_MAX) - 1,
		   .families = 3,
		   .states = STATES_ALL,
		   .port_last = 65535},
	.needs = NEED_HOLDERS | NEED_COOKIE | NEED_NO_NSS,
	.scope = {.choice = NETNS_SELF},
};

static bool comes(struct refresh *refresh, int ms)
{
	struct pollfd poll_for = {.fd = refresh_fd(refresh), .events = POLLIN};
	return poll(&poll_for, 1, ms) == 1;
}

static const struct snapshot *next(struct refresh *refresh, unsigned *number)
{
	assert_true(comes(refresh, 30000));
	const struct snapshot *snapshot = refresh_take(refresh, number);
	assert_non_null(snapshot);
	assert_true(snapshot->is_sealed);
	return snapshot;
}

static int listener(uint16_t *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static bool has(const struct snapshot *snapshot, uint16_t port)
{
	for (uint32_t i = 0; i < snapshot->sockets.n; i++)
		if (snapshot_socket(snapshot, i)->local_port == port &&
		    snapshot_socket(snapshot, i)->state == STATE_LISTEN)
			return true;
	return false;
}

static void test_one_after_another_comes_by_itself(unused_argument void **state)
{
	struct refresh *refresh = NULL;
	uint16_t port;
	assert_int_equal(refresh_start(&all, 50, false, &refresh, NULL), 0);
	const struct snapshot *first = next(refresh, NULL);
	int fd = listener(&port);
	const struct snapshot *later = NULL;
	for (unsigned i = 0; i < 100 && !(later && has(later, port)); i++) {
		snapshot_release(later);
		later = next(refresh, NULL);
	}
	assert_true(has(later, port));
	assert_false(has(first, port)); /* held, it stays as it was */
	assert_true(later->uptime_ns > first->uptime_ns);
	assert_int_equal(refresh_error(refresh, NULL), 0);
	refresh_free(refresh);
	assert_true(has(later, port)); /* and lives longer than who took it */
	snapshot_release(first);
	snapshot_release(later);
	close(fd);
}

static void test_paused_it_comes_when_it_is_asked(unused_argument void **state)
{
	struct refresh *refresh = NULL;
	assert_int_equal(refresh_start(&all, 50, true, &refresh, NULL), 0);
	assert_null(refresh_take(refresh, NULL));
	refresh_hurry(refresh);
	snapshot_release(next(refresh, NULL));
	assert_false(comes(refresh, 0));
	refresh_pause(refresh, false);
	snapshot_release(next(refresh, NULL));
	refresh_free(refresh);
}

static void test_another_question_is_answered_with_its_number(unused_argument void **state)
{
	struct refresh *refresh = NULL;
	struct query other = all;
	uint16_t port;
	int fd = listener(&port);
	unsigned number;
	other.bounds.port_first = other.bounds.port_last = port;
	assert_int_equal(refresh_start(&all, 3600000, true, &refresh, NULL), 0);
	unsigned asked = refresh_ask(refresh, &other);
	assert_int_equal(asked, 1);
	const struct snapshot *snapshot = next(refresh, &number);
	assert_int_equal(number, asked);
	assert_true(has(snapshot, port));
	for (uint32_t i = 0; i < snapshot->sockets.n; i++)
		assert_int_equal(snapshot_socket(snapshot, i)->local_port, port);
	snapshot_release(snapshot);
	refresh_free(refresh);
	close(fd);
}

/* Two looks one behind the other: what flowed within some milliseconds is no rate. */
static void test_a_look_out_of_turn_tells_no_rate_of_moments(unused_argument void **state)
{
	struct refresh *refresh = NULL;
	struct query query = all;
	query.needs |= NEED_RATE;
	assert_int_equal(refresh_start(&query, 3600000, false, &refresh, NULL), 0);
	const struct snapshot *first = next(refresh, NULL);
	refresh_hurry(refresh);
	const struct snapshot *second = next(refresh, NULL);
	assert_int_equal(second->flows != NULL, second->uptime_ns - first->uptime_ns >= 250000000);
	assert_true(second->collected & NEED_RATE);
	snapshot_release(first);
	snapshot_release(second);
	refresh_free(refresh);
}

static void test_a_failure_is_told(unused_argument void **state)
{
	struct refresh *refresh = NULL;
	struct error err = {0};
	struct query wrong = all;
	wrong.scope = (struct netns_scope){.choice = NETNS_NAME, .name = "there-is-none-of-it"};
	assert_int_equal(refresh_start(&wrong, 3600000, false, &refresh, NULL), 0);
	assert_true(comes(refresh, 30000));
	assert_null(refresh_take(refresh, NULL));
	assert_true(refresh_error(refresh, &err) < 0);
	assert_true(err.what[0] != '\0');
	refresh_free(refresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_after_another_comes_by_itself),
		cmocka_unit_test(test_paused_it_comes_when_it_is_asked),
		cmocka_unit_test(test_another_question_is_answered_with_its_number),
		cmocka_unit_test(test_a_look_out_of_turn_tells_no_rate_of_moments),
		cmocka_unit_test(test_a_failure_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a connection's bytes is read, and what is left to the kernel. */
#include "check.h"

#include <errno.h>
#include <unistd.h>

#include "scan/identify/connection.h"

static size_t n_fed;

static int feed(unused_argument struct tls *tls, unused_argument const void *bytes, size_t n)
{
	n_fed += n;
	return 0;
}

static size_t drain(unused_argument struct tls *tls, unused_argument void *to,
		    unused_argument size_t size)
{
	return 0;
}

static ssize_t read_nothing(unused_argument struct tls *tls, unused_argument void *to,
			    unused_argument size_t size)
{
	return -EAGAIN;
}

static void test_inside_tls_no_more_is_read_than_there_is_room_for(unused_argument void **state)
{
	static struct connection connection;
	static const struct tls_functions functions = {
		.feed = feed, .drain = drain, .read = read_nothing};
	static const struct place place = {.host = "127.0.0.1", .authority = "127.0.0.1"};
	static char flood[4096];
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(write(pair[1], flood, sizeof(flood)), sizeof(flood));
	connection.fd = pair[0];
	connection.is_connected = connection.is_shaken = true;
	connection.with = &functions;
	connection.tls = (struct tls *)&n_fed;
	dialogue_start(&connection.dialogue, connection.in, &place, &connection.seen, 0);
	connection.dialogue.state = DIALOGUE_AGAIN; /* it waits before it asks again */
	assert_int_equal(connection_step(&connection, 1), CAME_NOTHING);
	assert_int_equal(n_fed, 0);
	connection.dialogue.state = DIALOGUE_OPEN;
	assert_int_equal(connection_step(&connection, 2), CAME_PART);
	assert_int_equal(n_fed, sizeof(flood));
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inside_tls_no_more_is_read_than_there_is_room_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

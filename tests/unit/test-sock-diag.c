/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of a dump made by hand, and the kernel's own of sockets that the test opens. */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/sock-diag.h"

/* ---- what a sink was given ---- */

struct kept {
	struct sink sink;
	struct found_socket found[256];
	struct tcp_info_part info;
	unsigned n, n_missing;
};

static int keep(struct sink *sink, const struct found_socket *found)
{
	struct kept *kept = (struct kept *)sink;
	if (kept->n == ARRAY_SIZE(kept->found))
		return -ENOBUFS;
	kept->found[kept->n++] = *found;
	if (found->info)
		kept->info = *found->info;
	return 0;
}

static int keep_missing(struct sink *sink, const struct missing *missing)
{
	(void)missing;
	((struct kept *)sink)->n_missing++;
	return 0;
}

static struct kept nothing(void)
{
	return (struct kept){.sink = {.socket = keep, .missing = keep_missing}};
}

/* Others on this host may have the number on other addresses: it is told by its inode. */
static const struct found_socket *with_inode(const struct kept *kept, uint64_t inode)
{
	for (unsigned i = 0; i < kept->n; i++)
		if (kept->found[i].socket.inode == inode)
			return &kept->found[i];
	return NULL;
}

/* ---- messages ---- */

struct bytes {
	char data[4096];
	size_t n;
};

static void add_message(struct bytes *bytes, uint16_t type, uint16_t flags, const void *payload,
			size_t n)
{
	struct nlmsghdr header = {.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + n),
				  .nlmsg_type = type,
				  .nlmsg_flags = flags};
	memcpy(bytes->data + bytes->n, &header, sizeof(header));
	memcpy(bytes->data + bytes->n + NLMSG_HDRLEN, payload, n);
	bytes->n += NLMSG_ALIGN(header.nlmsg_len);
}

static struct inet_diag_msg listener(void)
{
	struct inet_diag_msg message = {.idiag_family = AF_INET,
					.idiag_state = STATE_LISTEN,
					.idiag_rqueue = 3,
					.idiag_wqueue = 128,
					.idiag_uid = 1000,
					.idiag_inode = 4711};
	message.id.idiag_sport = htons(8080);
	message.id.idiag_src[0] = htonl(INADDR_LOOPBACK);
	message.id.idiag_cookie[0] = 7;
	message.id.idiag_cookie[1] = 1;
	return message;
}

struct ending {
	bool is_done, is_interrupted;
	int error;
};

static int parse(const struct bytes *bytes, enum proto proto, uint32_t states, uint32_t needs,
		 struct kept *kept, struct ending *ending)
{
	struct query query = {.bounds = BOUNDS_ALL, .needs = needs};
	query.bounds.states = states;
	*kept = nothing();
	*ending = (struct ending){0};
	return sock_diag_parse(bytes->data, bytes->n, proto, &query, &kept->sink, &ending->is_done,
			       &ending->error, &ending->is_interrupted);
}

static void test_a_listener_has_its_backlog(void **state)
{
	(void)state;
	struct bytes bytes = {.n = 0};
	struct inet_diag_msg message = listener();
	struct kept kept;
	struct ending ending;
	add_message(&bytes, SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, &message, sizeof(message));
	assert_int_equal(parse(&bytes, PROTO_TCP, STATES_ALL, 0, &kept, &ending), 0);
	assert_int_equal(kept.n, 1);
	assert_false(ending.is_done);
	const struct socket *socket = &kept.found[0].socket;
	assert_int_equal(socket->local_port, 8080);
	assert_int_equal(socket->state, STATE_LISTEN);
	assert_int_equal(socket->recv_queue, 3);
	assert_int_equal(socket->send_queue, 128);
	assert_int_equal(socket->uid, 1000);
	assert_int_equal(socket->inode, 4711);
	assert_true(socket->cookie == (1ull << 32 | 7));
	assert_true(ip_is_mapped(&socket->local));
	assert_int_equal(ip_reach(&socket->local), REACH_LOOPBACK);
	assert_false(socket->flags & SOCKET_V6ONLY_KNOWN);
	assert_int_equal(kept.found[0].has_file, FILE_UNKNOWN);
}

static void test_states_have_one_meaning(void **state)
{
	(void)state;
	static const struct {
		uint8_t kernel;
		enum proto proto;
		uint8_t ours;
	} meanings[] = {{1, PROTO_TCP, STATE_ESTABLISHED}, {12, PROTO_TCP, STATE_SYN_RECV},
			{7, PROTO_TCP, STATE_BOUND},	   {7, PROTO_UDP, STATE_UNCONN},
			{10, PROTO_SCTP, STATE_LISTEN},	   {1, PROTO_UDP, STATE_ESTABLISHED}};
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		struct bytes bytes = {.n = 0};
		struct inet_diag_msg message = listener();
		struct kept kept;
		struct ending ending;
		message.idiag_state = meanings[i].kernel;
		add_message(&bytes, SOCK_DIAG_BY_FAMILY, 0, &message, sizeof(message));
		parse(&bytes, meanings[i].proto, STATES_ALL, 0, &kept, &ending);
		assert_int_equal(kept.n, 1);
		assert_int_equal(kept.found[0].socket.state, meanings[i].ours);
		/* and what is not wanted is not given */
		parse(&bytes, meanings[i].proto, STATES_ALL & ~(1u << meanings[i].ours), 0, &kept,
		      &ending);
		assert_int_equal(kept.n, 0);
	}
}

static void add_attribute(char *at, size_t *n, uint16_t type, const void *data, size_t size)
{
	struct nlattr attribute = {.nla_len = (uint16_t)(NLA_HDRLEN + size), .nla_type = type};
	memcpy(at + *n, &attribute, sizeof(attribute));
	memcpy(at + *n + NLA_HDRLEN, data, size);
	*n += NLA_ALIGN(NLA_HDRLEN + size);
}

static void test_attributes_are_read_where_they_are(void **state)
{
	(void)state;
	struct bytes bytes = {.n = 0};
	char payload[512] = {0};
	struct inet_diag_msg message = listener();
	struct kept kept;
	struct ending ending;
	uint8_t v6only = 1;
	uint32_t info[60] = {0};
	size_t n = sizeof(message);
	message.idiag_family = AF_INET6;
	message.idiag_state = STATE_ESTABLISHED;
	memcpy(payload, &message, sizeof(message));
	info[17] = 1234; /* tcpi_rtt, byte 68 */
	add_attribute(payload, &n, INET_DIAG_SKV6ONLY, &v6only, 1);
	add_attribute(payload, &n, INET_DIAG_INFO, info, sizeof(info));
	add_message(&bytes, SOCK_DIAG_BY_FAMILY, 0, payload, n);
	parse(&bytes, PROTO_TCP, STATES_ALL, NEED_TCP_INFO, &kept, &ending);
	assert_int_equal(kept.n, 1);
	assert_true(kept.found[0].socket.flags & SOCKET_V6ONLY);
	assert_non_null(kept.found[0].info);
	assert_int_equal(kept.info.rtt, 1234);
	parse(&bytes, PROTO_TCP, STATES_ALL, 0, &kept, &ending);
	assert_null(kept.found[0].info);
}

static void test_a_raw_socket_has_its_protocol_for_a_port(void **state)
{
	(void)state;
	struct bytes bytes = {.n = 0};
	char payload[128] = {0};
	struct inet_diag_msg message = listener();
	struct kept kept;
	struct ending ending;
	uint8_t protocol = 89;
	size_t n = sizeof(message);
	message.idiag_state = 7;
	memcpy(payload, &message, sizeof(message));
	add_attribute(payload, &n, INET_DIAG_PROTOCOL, &protocol, 1);
	add_message(&bytes, SOCK_DIAG_BY_FAMILY, 0, payload, n);
	parse(&bytes, PROTO_RAW, STATES_ALL, 0, &kept, &ending);
	assert_int_equal(kept.found[0].socket.local_port, 89);
	/* and never passes for a TCP socket, whatever was asked for */
	parse(&bytes, PROTO_TCP, STATES_ALL, 0, &kept, &ending);
	assert_int_equal(kept.n, 0);
}

static void test_the_end_mark_tells_of_a_missing_family(void **state)
{
	(void)state;
	struct bytes bytes = {.n = 0};
	struct kept kept;
	struct ending ending;
	int code = -ENOENT;
	add_message(&bytes, NLMSG_DONE, NLM_F_MULTI | NLM_F_DUMP_INTR, &code, sizeof(code));
	assert_int_equal(parse(&bytes, PROTO_RAW, STATES_ALL, 0, &kept, &ending), 0);
	assert_true(ending.is_done && ending.is_interrupted);
	assert_int_equal(ending.error, -ENOENT);
}

static void test_what_is_cut_is_refused(void **state)
{
	(void)state;
	struct bytes whole = {.n = 0};
	struct inet_diag_msg message = listener();
	struct kept kept;
	struct ending ending;
	add_message(&whole, SOCK_DIAG_BY_FAMILY, 0, &message, sizeof(message));
	for (size_t n = 1; n < whole.n; n++) {
		struct bytes cut = whole;
		cut.n = n;
		assert_int_equal(parse(&cut, PROTO_TCP, STATES_ALL, 0, &kept, &ending), -EBADMSG);
		assert_int_equal(kept.n, 0);
	}
	struct bytes small = {.n = 0};
	add_message(&small, SOCK_DIAG_BY_FAMILY, 0, &message, sizeof(message) - 4);
	assert_int_equal(parse(&small, PROTO_TCP, STATES_ALL, 0, &kept, &ending), -EBADMSG);
}

static void test_messages_of_other_families_are_passed_over(void **state)
{
	(void)state;
	struct bytes bytes = {.n = 0};
	struct inet_diag_msg message = listener();
	struct kept kept;
	struct ending ending;
	char unix_message[16] = {AF_UNIX};
	add_message(&bytes, SOCK_DIAG_BY_FAMILY, 0, unix_message, sizeof(unix_message));
	add_message(&bytes, SOCK_DIAG_BY_FAMILY, 0, &message, sizeof(message));
	assert_int_equal(parse(&bytes, PROTO_TCP, STATES_ALL, 0, &kept, &ending), 0);
	assert_int_equal(kept.n, 1);
}

/* ---- the kernel's ---- */

struct door {
	int fd;
	uint16_t port;
};

/* A bound socket of the test's own, closed by who asks. */
static struct door open_door(int family, int type, bool listens)
{
	struct door door = {.fd = socket(family, type | SOCK_CLOEXEC, 0)};
	struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in name4 = {.sin_family = AF_INET};
	socklen_t length = sizeof(name);
	name4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(door.fd >= 0);
	assert_int_equal(family == AF_INET ? bind(door.fd, (struct sockaddr *)&name4, sizeof(name4))
					   : bind(door.fd, (struct sockaddr *)&name, sizeof(name)),
			 0);
	if (listens)
		assert_int_equal(listen(door.fd, 5), 0);
	assert_int_equal(getsockname(door.fd, (struct sockaddr *)&name, &length), 0);
	door.port = ntohs(name.sin6_port);
	return door;
}

static struct kept read_port(uint16_t port, uint32_t protos, bool either_end)
{
	struct kept kept = nothing();
	struct host host;
	struct error err = {0};
	struct query query = {.bounds = BOUNDS_ALL};
	uint32_t absent = 0;
	cleanup(closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	query.bounds.protos = protos;
	query.bounds.either_end = either_end;
	query.bounds.port_first = query.bounds.port_last = port;
	assert_int_equal(host_open(NULL, &host, &err), 0);
	assert_int_equal(sock_diag_read(&host, fd, &query, &kept.sink, &absent, &err), 0);
	host_close(&host);
	assert_int_equal(kept.n_missing, 0);
	return kept;
}

static void test_a_port_is_asked_for_alone(void **state)
{
	(void)state;
	static const struct {
		int family, type;
		bool listens;
		enum proto proto;
		enum state is;
	} kinds[] = {
		{AF_INET, SOCK_STREAM, true, PROTO_TCP, STATE_LISTEN},
		{AF_INET6, SOCK_STREAM, true, PROTO_TCP, STATE_LISTEN},
		{AF_INET, SOCK_STREAM, false, PROTO_TCP, STATE_BOUND},
		{AF_INET6, SOCK_STREAM, false, PROTO_TCP, STATE_BOUND},
		{AF_INET, SOCK_DGRAM, false, PROTO_UDP, STATE_UNCONN},
		{AF_INET6, SOCK_DGRAM, false, PROTO_UDP, STATE_UNCONN},
	};
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct door door = open_door(kinds[i].family, kinds[i].type, kinds[i].listens);
		struct kept kept = read_port(door.port, 1u << kinds[i].proto, false);
		struct stat status;
		assert_int_equal(fstat(door.fd, &status), 0);
		const struct found_socket *found = with_inode(&kept, status.st_ino);
		assert_non_null(found);
		assert_int_equal(found->socket.state, kinds[i].is);
		assert_int_equal(found->socket.uid, geteuid());
		for (unsigned k = 0; k < kept.n; k++)
			assert_int_equal(kept.found[k].socket.local_port, door.port);
		close(door.fd);
	}
}

static void test_either_end_of_a_connection_has_the_port(void **state)
{
	(void)state;
	struct door door = open_door(AF_INET, SOCK_STREAM, true);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(door.port)};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cleanup(closep) int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
	struct kept one = read_port(door.port, 1u << PROTO_TCP, false);
	assert_int_equal(one.n, 2); /* listener and accepted */
	struct kept both = read_port(door.port, 1u << PROTO_TCP, true);
	assert_int_equal(both.n, 3);
	close(door.fd);
}

static void test_the_kernel_chooses(void **state)
{
	(void)state;
	struct door tcp = open_door(AF_INET, SOCK_STREAM, true),
		    udp = open_door(AF_INET, SOCK_DGRAM, false);
	cleanup(closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct socket packet = {.proto = PROTO_TCP,
				.family = FAMILY_IPV4,
				.local = ip_from_v4((const uint8_t[4]){127, 0, 0, 1}),
				.peer = ip_from_v4((const uint8_t[4]){127, 0, 0, 9}),
				.local_port = tcp.port,
				.peer_port = 4000};
	struct found_socket found;
	assert_int_equal(sock_diag_lookup(fd, &packet, &found), 0);
	assert_int_equal(found.socket.state, STATE_LISTEN);
	assert_int_equal(found.socket.local_port, tcp.port);

	packet.proto = PROTO_UDP;
	packet.local_port = udp.port;
	assert_int_equal(sock_diag_lookup(fd, &packet, &found), 0);
	assert_int_equal(found.socket.local_port, udp.port);
	close(tcp.fd);
	close(udp.fd);
	assert_int_equal(sock_diag_lookup(fd, &packet, &found), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_listener_has_its_backlog),
		cmocka_unit_test(test_states_have_one_meaning),
		cmocka_unit_test(test_attributes_are_read_where_they_are),
		cmocka_unit_test(test_a_raw_socket_has_its_protocol_for_a_port),
		cmocka_unit_test(test_the_end_mark_tells_of_a_missing_family),
		cmocka_unit_test(test_what_is_cut_is_refused),
		cmocka_unit_test(test_messages_of_other_families_are_passed_over),
		cmocka_unit_test(test_a_port_is_asked_for_alone),
		cmocka_unit_test(test_either_end_of_a_connection_has_the_port),
		cmocka_unit_test(test_the_kernel_chooses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Podman's database: to which port of a container one of the host leads. */
#include "check.h"

#include <stdlib.h>

#include "source/podman.h"

#define ID "3cd5884b83050ccabcbb7e614cf4e0e1ae7b3ae0eb035057987ac99077fe8a60"
#define OTHER "e5294557689f7777d4345a27202d56cac114ca7f5eebdb31d048d9c5dfd78a4e"
#define MAPPING(outer, inner, range, proto)                                                       \
	"{\"host_ip\":\"\",\"container_port\":" inner ",\"host_port\":" outer ",\"range\":" range \
	",\"protocol\":\"" proto "\"}"
#define CONFIG(id, mappings)                   \
	"{\"spec\":{\"root\":{}},\"id\":\"" id \
	"\",\"name\":\"shop\",\"newPortMappings\":[" mappings "],\"networkMode\":\"bridge\"}"

static const char bolt[] = "\0\1junk\"id\":\"" ID "\"\0" CONFIG(OTHER,
								MAPPING("80", "99", "1", "tcp"))
	CONFIG(ID, MAPPING("8080", "80", "1", "tcp") "," MAPPING("9000", "7000", "3", "tcp,udp"))
		CONFIG("ffff", MAPPING("8081", "81", "1", "tcp"));

static uint16_t port_of(enum proto proto, uint16_t port)
{
	return podman_parse_port(bolt, sizeof(bolt), ID, proto, port);
}

static void test_a_port_leads_where_its_container_says(void **state)
{
	(void)state;
	assert_int_equal(port_of(PROTO_TCP, 8080), 80);
	assert_int_equal(port_of(PROTO_TCP, 9002), 7002);
	assert_int_equal(port_of(PROTO_UDP, 9000), 7000);
	assert_int_equal(podman_parse_port(bolt, sizeof(bolt), OTHER, PROTO_TCP, 80), 99);
}

static void test_what_is_not_published_or_another_s_leads_nowhere(void **state)
{
	(void)state;
	assert_int_equal(port_of(PROTO_UDP, 8080), 0);
	assert_int_equal(port_of(PROTO_TCP, 9003), 0);
	assert_int_equal(port_of(PROTO_TCP, 8081), 0);
	assert_int_equal(port_of(PROTO_TCP, 80), 0);
	for (size_t n = 0; n < sizeof(bolt); n++) { /* cut anywhere */
		uint16_t port = podman_parse_port(bolt, n, ID, PROTO_TCP, 8080);
		assert_true(port == 0 || port == 80);
	}
}

static void test_a_value_over_several_pages_is_joined(void **state)
{
	(void)state;
	enum { PAGE = 512 };
	static const char text[] = CONFIG(ID, MAPPING("8080", "80", "1", "tcp"));
	char file[6 * PAGE] = "SQLite format 3";
	file[16] = PAGE >> 8;
	memcpy(file + 2 * PAGE - 40, text, 40); /* the end of a leaf, then overflow pages */
	memcpy(file + 2 * PAGE + 4, text + 40, sizeof(text) - 40);
	size_t n = podman_join_pages(file, sizeof(file));
	assert_int_equal(n, sizeof(file) - 5 * 4);
	assert_int_equal(podman_parse_port(file, n, ID, PROTO_TCP, 8080), 80);
}

static void test_other_files_stay_as_they_are(void **state)
{
	(void)state;
	char small[17] = "SQLite format 3", zero[1024] = "SQLite format 3", other[1024] = "bolt";
	assert_int_equal(podman_join_pages(small, sizeof(small)), sizeof(small));
	assert_int_equal(podman_join_pages(zero, sizeof(zero)), sizeof(zero));
	assert_int_equal(podman_join_pages(other, sizeof(other)), sizeof(other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_port_leads_where_its_container_says),
		cmocka_unit_test(test_what_is_not_published_or_another_s_leads_nowhere),
		cmocka_unit_test(test_a_value_over_several_pages_is_joined),
		cmocka_unit_test(test_other_files_stay_as_they_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

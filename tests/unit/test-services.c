/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a number means. */
#include "check.h"

#include "model/services.h"

static const struct service_name names[] = {{80, PROTO_TCP, "web"},
					    {443, PROTO_TCP, "https"},
					    {512, PROTO_UDP, "biff"},
					    {1080, PROTO_UDP, "two-ports"},
					    {1081, PROTO_TCP, "two-ports"}};
static const struct services host = {.names = names, .n = ARRAY_SIZE(names)};

static void test_the_registry_names_what_the_host_does_not(unused_argument void **state)
{
	assert_string_equal(service_name(NULL, PROTO_TCP, 80), "http");
	assert_string_equal(service_name(&host, PROTO_TCP, 80), "web");
	assert_string_equal(service_name(&host, PROTO_TCP, 22), "ssh");
	assert_string_equal(service_name(NULL, PROTO_UDP, 53), "domain");
	assert_string_equal(service_name(&host, PROTO_TCP, 5432), "postgresql");
	assert_null(service_name(&host, PROTO_TCP, 4));
	assert_null(service_name(NULL, PROTO_TCP, 0));
}

static void test_udplite_is_asked_as_udp_and_raw_has_no_services(unused_argument void **state)
{
	assert_string_equal(service_name(NULL, PROTO_UDPLITE, 53), "domain");
	assert_null(service_name(NULL, PROTO_RAW, 1));
	assert_null(service_description(PROTO_RAW, 1));
}

static void test_tcp_and_udp_are_two_doors(unused_argument void **state)
{
	assert_string_equal(service_name(&host, PROTO_UDP, 512), "biff");
	assert_string_not_equal(service_name(&host, PROTO_TCP, 512), "biff");
}

static void test_a_name_gives_its_port(unused_argument void **state)
{
	assert_int_equal(service_port(NULL, "https", PROTO_MAX), 443);
	assert_int_equal(service_port(NULL, "HTTPS", PROTO_TCP), 443);
	assert_int_equal(service_port(&host, "web", PROTO_MAX), 80);
	assert_int_equal(service_port(&host, "domain", PROTO_UDPLITE), 53);
	assert_int_equal(service_port(&host, "no-such-thing", PROTO_MAX), 0);
	assert_int_equal(service_port(&host, "two-ports", PROTO_MAX), 1081);
	assert_int_equal(service_port(&host, "two-ports", PROTO_UDP), 1080);
}

static void test_classes_begin_and_end_where_rfc_6335_says(unused_argument void **state)
{
	assert_int_equal(port_class(1023), CLASS_WELL_KNOWN);
	assert_int_equal(port_class(1024), CLASS_REGISTERED);
	assert_int_equal(port_class(49151), CLASS_REGISTERED);
	assert_int_equal(port_class(49152), CLASS_DYNAMIC);
}

static void test_the_registry_is_sorted_and_whole(unused_argument void **state)
{
	assert_true(registry_n_entries > 10000);
	for (uint32_t i = 0; i < registry_n_entries; i++) {
		const struct registry_entry *entry = &registry_entries[i];
		assert_true(entry->proto < PROTO_MAX && entry->name);
		if (i)
			assert_true(
				entry[-1].port < entry->port ||
				(entry[-1].port == entry->port && entry[-1].proto <= entry->proto));
	}
	for (uint32_t i = 0; i < registry_n_entries; i++) { /* each is found, or one before it */
		const struct registry_entry *entry = &registry_entries[i];
		assert_non_null(service_name(NULL, entry->proto, entry->port));
	}
	assert_string_equal(service_description(PROTO_TCP, 22), "The Secure Shell (SSH) Protocol");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_registry_names_what_the_host_does_not),
		cmocka_unit_test(test_udplite_is_asked_as_udp_and_raw_has_no_services),
		cmocka_unit_test(test_tcp_and_udp_are_two_doors),
		cmocka_unit_test(test_a_name_gives_its_port),
		cmocka_unit_test(test_classes_begin_and_end_where_rfc_6335_says),
		cmocka_unit_test(test_the_registry_is_sorted_and_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

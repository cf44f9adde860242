/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of a scan: what is made is right to the last bit, what comes is believed only where it
 * shows that it saw. */
#include "check.h"
#include "scan/packet.h"

static const uint64_t key[PACKET_KEY] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

static struct packet_ends ends_of(bool is_v4)
{
	const uint8_t a[4] = {10, 9, 0, 1}, b[4] = {10, 9, 0, 2};
	const uint8_t c[16] = {0xfd, 9, [15] = 1}, d[16] = {0xfd, 9, [15] = 2};
	return (struct packet_ends){.to = is_v4 ? ip_from_v4(a) : ip_from_v6(c),
				    .from = is_v4 ? ip_from_v4(b) : ip_from_v6(d),
				    .to_port = 443,
				    .from_port = 40003};
}

static size_t make(bool is_v4, uint8_t bytes[PACKET_SYN_MAX])
{
	struct packet_ends ends = ends_of(is_v4);
	struct packet_form form;
	packet_form(is_v4, &ends.from, &ends.to, &form);
	return packet_syn(&form, &ends, packet_cookie(key, &ends), bytes);
}

static void test_the_checksum_is_right(void **state)
{
	(void)state;
	for (int is_v4 = 0; is_v4 < 2; is_v4++) {
		uint8_t bytes[PACKET_SYN_MAX];
		size_t n = make(is_v4, bytes), header = is_v4 ? 20 : 40, addresses = is_v4 ? 8 : 32;
		uint32_t sum = 6 + (uint32_t)(n - header);
		assert_int_equal(n, header + 24);
		for (size_t i = header - addresses; i < n; i += 2)
			sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		assert_int_equal(sum, 0xffff);
	}
}

static void test_a_frame_has_the_checksum_of_its_header(void **state)
{
	(void)state;
	for (int is_v4 = 0; is_v4 < 2; is_v4++) {
		uint8_t bytes[PACKET_SYN_MAX], before[PACKET_SYN_MAX];
		size_t n = make(is_v4, bytes);
		memcpy(before, bytes, n);
		packet_seal(bytes);
		uint32_t sum = 0;
		for (size_t i = 0; i < 20; i += 2)
			sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		if (is_v4)
			assert_int_equal(sum, 0xffff);
		else
			assert_memory_equal(bytes, before, n);
	}
}

/* The SYN turned round: what the other end says. */
static size_t answer(bool is_v4, uint8_t flags, uint32_t more, uint8_t to[PACKET_SYN_MAX])
{
	uint8_t syn[PACKET_SYN_MAX];
	size_t n = make(is_v4, syn), header = is_v4 ? 20 : 40, size = is_v4 ? 4 : 16;
	size_t from = header - 2 * size, dest = header - size;
	memcpy(to, syn, n);
	memcpy(to + from, syn + dest, size);
	memcpy(to + dest, syn + from, size);
	memcpy(to + header, syn + header + 2, 2);
	memcpy(to + header + 2, syn + header, 2);
	uint32_t acknowledged = 0;
	for (unsigned i = 0; i < 4; i++)
		acknowledged = acknowledged << 8 | syn[header + 4 + i];
	acknowledged += more;
	for (unsigned i = 0; i < 4; i++)
		to[header + 8 + i] = (uint8_t)(acknowledged >> (24 - 8 * i));
	to[header + 13] = flags;
	return n;
}

static bool is_believed(bool is_v4, uint8_t flags, uint32_t more, enum packet_kind *ret)
{
	uint8_t bytes[PACKET_SYN_MAX];
	struct packet packet;
	size_t n = answer(is_v4, flags, more, bytes);
	bool is_answer = packet_parse(bytes, n, is_v4, &packet);
	*ret = packet.kind;
	return is_answer && packet.cookie == packet_cookie(key, &packet.ends);
}

static void test_only_who_saw_the_probe_is_believed(void **state)
{
	(void)state;
	enum packet_kind kind;
	for (int is_v4 = 0; is_v4 < 2; is_v4++) {
		assert_true(is_believed(is_v4, 0x12, 1, &kind));
		assert_int_equal(kind, PACKET_SYN_ACK);
		assert_true(is_believed(is_v4, 0x14, 1, &kind));
		assert_int_equal(kind, PACKET_RST);
		assert_false(is_believed(is_v4, 0x12, 0, &kind));
		assert_false(is_believed(is_v4, 0x12, 2, &kind));
		assert_false(is_believed(is_v4, 0x14, 0x1000, &kind));
		assert_false(
			is_believed(is_v4, 0x04, 1, &kind)); /* a reset that acknowledges nothing */
		assert_false(is_believed(is_v4, 0x02, 1, &kind)); /* a SYN: perhaps our own */
		assert_false(is_believed(is_v4, 0x10, 1, &kind));
	}
}

/* An error that quotes the SYN. */
static size_t error_of(bool is_v4, uint8_t type, uint8_t code, uint8_t to[256])
{
	uint8_t syn[PACKET_SYN_MAX];
	size_t n = make(is_v4, syn), header = is_v4 ? 20 : 40;
	memcpy(to, syn, header);
	to[is_v4 ? 9 : 6] = is_v4 ? 1 : 58;
	memset(to + header, 0, 8);
	to[header] = type;
	to[header + 1] = code;
	memcpy(to + header + 8, syn, n);
	size_t length = header + 8 + n;
	if (is_v4)
		to[3] = (uint8_t)length;
	else
		to[5] = (uint8_t)(length - 40);
	return length;
}

static void test_an_error_belongs_to_the_probe_that_it_quotes(void **state)
{
	(void)state;
	for (int is_v4 = 0; is_v4 < 2; is_v4++) {
		uint8_t bytes[256];
		struct packet packet;
		size_t n = error_of(is_v4, is_v4 ? 3 : 1, is_v4 ? 13 : 4, bytes);
		assert_true(packet_parse(bytes, n, is_v4, &packet));
		assert_int_equal(packet.kind, PACKET_ERROR);
		assert_int_equal(packet.icmp_code, is_v4 ? 13 : 4);
		assert_int_equal(packet.ends.to_port, 443);
		assert_int_equal(packet.cookie, packet_cookie(key, &packet.ends));
		/* eight bytes of TCP are enough, and the least (RFC 792) */
		size_t least = n - 16;
		assert_true(packet_parse(bytes, least, is_v4, &packet));
		assert_false(packet_parse(bytes, least - 1, is_v4, &packet));
		bytes[(is_v4 ? 20 : 40) * 2 + 8 + 5]++; /* its sequence number */
		assert_true(packet_parse(bytes, n, is_v4, &packet));
		assert_int_not_equal(packet.cookie, packet_cookie(key, &packet.ends));
	}
}

static void test_what_is_cut_is_no_answer(void **state)
{
	(void)state;
	for (int is_v4 = 0; is_v4 < 2; is_v4++) {
		uint8_t bytes[PACKET_SYN_MAX];
		struct packet packet;
		size_t n = answer(is_v4, 0x12, 1, bytes);
		for (size_t i = 0; i < n - 4; i++) {
			uint8_t *cut = malloc(i + 1); /* so that ASan sees a byte too far */
			memcpy(cut, bytes, i);
			assert_false(packet_parse(cut, i, is_v4, &packet));
			free(cut);
		}
		bytes[0] ^= 0xf0;
		assert_false(packet_parse(bytes, n, is_v4, &packet));
	}
}

static void test_headers_between_are_passed_over(void **state)
{
	(void)state;
	uint8_t bytes[PACKET_SYN_MAX + 16], plain[PACKET_SYN_MAX];
	struct packet packet;
	size_t n = answer(false, 0x12, 1, plain);
	memcpy(bytes, plain, 40);
	memset(bytes + 40, 0, 8);
	bytes[6] = 60; /* destination options, 8 bytes */
	bytes[40] = 6;
	bytes[5] = 32;
	memcpy(bytes + 48, plain + 40, n - 40);
	assert_true(packet_parse(bytes, n + 8, false, &packet));
	assert_int_equal(packet.kind, PACKET_SYN_ACK);
	bytes[41] = 200; /* longer than what came */
	assert_false(packet_parse(bytes, n + 8, false, &packet));
	n = answer(true, 0x12, 1, plain);
	plain[7] = 1; /* a later fragment has no TCP header */
	assert_false(packet_parse(plain, n, true, &packet));
}

static void test_cookies_differ_with_each_end(void **state)
{
	(void)state;
	struct packet_ends ends = ends_of(true);
	uint32_t first = packet_cookie(key, &ends);
	ends.from_port++;
	assert_int_not_equal(packet_cookie(key, &ends), first);
	ends.from_port--;
	ends.to.bytes[15]++;
	assert_int_not_equal(packet_cookie(key, &ends), first);
	ends.to.bytes[15]--;
	const uint64_t other[PACKET_KEY] = {1, 2};
	assert_int_not_equal(packet_cookie(other, &ends), first);
	assert_int_equal(packet_cookie(key, &ends), first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_checksum_is_right),
		cmocka_unit_test(test_a_frame_has_the_checksum_of_its_header),
		cmocka_unit_test(test_only_who_saw_the_probe_is_believed),
		cmocka_unit_test(test_an_error_belongs_to_the_probe_that_it_quotes),
		cmocka_unit_test(test_what_is_cut_is_no_answer),
		cmocka_unit_test(test_headers_between_are_passed_over),
		cmocka_unit_test(test_cookies_differ_with_each_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

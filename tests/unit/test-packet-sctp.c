/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An INIT is right to the last bit; what comes is believed only with the tag that the INIT had. */
#include "check.h"
#include "scan/packet-sctp.h"

static struct packet_ends ends_of(bool is_v4)
{
	const uint8_t a[4] = {10, 9, 0, 1}, b[4] = {10, 9, 0, 2};
	const uint8_t c[16] = {0xfd, 9, [15] = 1}, d[16] = {0xfd, 9, [15] = 2};
	return (struct packet_ends){.to = is_v4 ? ip_from_v4(a) : ip_from_v6(c),
				    .from = is_v4 ? ip_from_v4(b) : ip_from_v6(d),
				    .to_port = 3868,
				    .from_port = 49155};
}

#define COOKIE 0x01020304

static void test_the_checksum_is_rfc_9260s(void **state)
{
	(void)state;
	uint8_t bytes[32] = {0};
	/* RFC 3720, B.4 */
	assert_int_equal(packet_crc32c(bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, 32);
	assert_int_equal(packet_crc32c(bytes, 32), 0x62a8ab43);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (uint8_t)i;
	assert_int_equal(packet_crc32c(bytes, 32), 0x46dd794e);
	assert_int_equal(packet_crc32c((const uint8_t *)"123456789", 9), 0xe3069283);
}

static void test_an_init_is_whole(void **state)
{
	(void)state;
	for (int is_v4 = 0; is_v4 < 2; is_v4++) {
		uint8_t bytes[PACKET_INIT_MAX];
		struct packet_ends ends = ends_of(is_v4);
		size_t n = packet_init(is_v4, &ends, COOKIE, bytes), header = is_v4 ? 20 : 40;
		uint8_t *sctp = bytes + header, sum[4];
		assert_int_equal(n, header + 32);
		assert_int_equal(is_v4 ? bytes[9] : bytes[6], 132);
		assert_memory_equal(sctp, "\xc0\x03\x0f\x1c\0\0\0\0", 8);
		assert_memory_equal(sctp + 12, "\1\0\0\x14\1\2\3\4", 8);
		memcpy(sum, sctp + 8, 4);
		memset(sctp + 8, 0, 4);
		uint32_t crc = packet_crc32c(sctp, 32);
		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(sum[i], (uint8_t)(crc >> 8 * i));
	}
}

/* A chunk back to who sent the INIT. */
static size_t answer(bool is_v4, uint8_t type, uint8_t flags, uint32_t tag, uint8_t to[128])
{
	struct packet_ends ends = ends_of(is_v4);
	struct packet_ends back = {.to = ends.from, .from = ends.to};
	size_t n = 12 + 4, header = packet_ip_put(is_v4, &back, 132, n, to);
	const uint8_t sctp[16] = {0x0f,
				  0x1c,
				  0xc0,
				  0x03,
				  (uint8_t)(tag >> 24),
				  (uint8_t)(tag >> 16),
				  (uint8_t)(tag >> 8),
				  (uint8_t)tag,
				  [12] = type,
				  flags,
				  0,
				  4};
	memcpy(to + header, sctp, n);
	return header + n;
}

static void test_the_tag_is_what_is_believed(void **state)
{
	(void)state;
	for (int is_v4 = 0; is_v4 < 2; is_v4++) {
		uint8_t bytes[128];
		struct packet packet;
		size_t n = answer(is_v4, 2, 0, COOKIE, bytes);
		assert_true(packet_sctp_parse(bytes, n, is_v4, &packet));
		assert_int_equal(packet.kind, PACKET_SYN_ACK);
		assert_int_equal(packet.cookie, COOKIE);
		assert_int_equal(packet.ends.to_port, 3868);
		assert_int_equal(packet.ends.from_port, 49155);
		n = answer(is_v4, 6, 0, COOKIE, bytes);
		assert_true(packet_sctp_parse(bytes, n, is_v4, &packet));
		assert_int_equal(packet.kind, PACKET_RST);
		/* a tag of the sender's own proves nothing; an INIT may be ours; others answer none
		 */
		n = answer(is_v4, 6, 1, COOKIE, bytes);
		assert_false(packet_sctp_parse(bytes, n, is_v4, &packet));
		for (uint8_t type = 0; type < 16; type++) {
			n = answer(is_v4, type, 0, COOKIE, bytes);
			assert_int_equal(packet_sctp_parse(bytes, n, is_v4, &packet),
					 type == 2 || type == 6);
		}
	}
}

static void test_an_error_shows_the_tag(void **state)
{
	(void)state;
	for (int is_v4 = 0; is_v4 < 2; is_v4++) {
		uint8_t init[PACKET_INIT_MAX], bytes[256];
		struct packet_ends ends = ends_of(is_v4);
		struct packet_ends back = {.to = ends.from, .from = ends.to};
		struct packet packet;
		size_t n = packet_init(is_v4, &ends, COOKIE, init);
		size_t header = packet_ip_put(is_v4, &back, is_v4 ? 1 : 58, 8 + n, bytes);
		memcpy(bytes + header, "\3\2\0\0\0\0\0\0", 8);
		memcpy(bytes + header + 8, init, n);
		assert_true(packet_sctp_parse(bytes, header + 8 + n, is_v4, &packet));
		assert_int_equal(packet.kind, PACKET_ERROR);
		assert_int_equal(packet.cookie, COOKIE);
		assert_int_equal(packet.icmp_code, 2);
		size_t least = header + 8 + header + 20;
		for (size_t k = 0; k <= least; k++) {
			uint8_t *cut = malloc(k + 1); /* so that ASan sees a byte too far */
			memcpy(cut, bytes, k);
			assert_int_equal(packet_sctp_parse(cut, k, is_v4, &packet), k == least);
			free(cut);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_checksum_is_rfc_9260s),
		cmocka_unit_test(test_an_init_is_whole),
		cmocka_unit_test(test_the_tag_is_what_is_believed),
		cmocka_unit_test(test_an_error_shows_the_tag),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

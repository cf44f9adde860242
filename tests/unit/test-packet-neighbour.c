/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has an address: the question is right to the last bit, the answer is read within its bounds.
 */
#include "check.h"
#include "scan/packet-neighbour.h"

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};

static void test_an_arp_request_is_rfc_826s(void **state)
{
	(void)state;
	const uint8_t a[4] = {10, 9, 0, 2}, b[4] = {10, 9, 0, 77};
	const struct ip from = ip_from_v4(a), to = ip_from_v4(b);
	static const uint8_t expected[] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,  0, 0, 0, 9, 8, 6, 0, 1, 8, 0,  6, 4, 0,
		1,    2,    0,	  0,	0,    0,    9, 10, 9, 0, 2, 0, 0, 0, 0, 0, 0, 10, 9, 0, 77};
	uint8_t frame[NEIGHBOUR_FRAME_MAX];
	assert_int_equal(packet_neighbour_ask(true, mac, &from, &to, frame), sizeof(expected));
	assert_memory_equal(frame, expected, sizeof(expected));
}

static void test_a_solicitation_is_rfc_4861s(void **state)
{
	(void)state;
	const uint8_t a[16] = {0xfd, 9, [15] = 2}, b[16] = {0xfd, 9, [13] = 0x12, 0x34, 0x56};
	const struct ip from = ip_from_v6(a), to = ip_from_v6(b);
	uint8_t frame[NEIGHBOUR_FRAME_MAX];
	size_t n = packet_neighbour_ask(false, mac, &from, &to, frame);
	assert_int_equal(n, 14 + 40 + 32);
	assert_memory_equal(frame, "\x33\x33\xff\x12\x34\x56\2\0\0\0\0\x09\x86\xdd", 14);
	const uint8_t *ip = frame + 14, *message = ip + 40;
	assert_int_equal(ip[7], 255);
	assert_memory_equal(ip + 24, "\xff\2\0\0\0\0\0\0\0\0\0\1\xff\x12\x34\x56", 16);
	uint32_t sum = 32 + 58;
	for (size_t i = 8; i < 40 + 32; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	assert_int_equal(sum, 0xffff);
	assert_int_equal(message[0], 135);
	assert_memory_equal(message + 8, to.bytes, 16);
	assert_memory_equal(message + 24, "\1\1\2\0\0\0\0\x09", 8);
}

static void test_a_reply_tells_its_sender(void **state)
{
	(void)state;
	static const uint8_t reply[28] = {0,  1, 8, 0, 6, 4, 0, 2, 2, 0, 0,  0, 0, 9,
					  10, 9, 0, 1, 2, 0, 0, 0, 0, 8, 10, 9, 0, 2};
	struct neighbour_answer answer;
	for (size_t n = 0; n <= sizeof(reply); n++) {
		uint8_t *cut = malloc(n + 1); /* so that ASan sees a byte too far */
		memcpy(cut, reply, n);
		assert_int_equal(packet_neighbour_parse(cut, n, true, &answer), n == sizeof(reply));
		free(cut);
	}
	assert_memory_equal(answer.mac, mac, 6);
	assert_int_equal(answer.ip.bytes[15], 1);
	uint8_t request[28];
	memcpy(request, reply, 28);
	request[7] = 1;
	assert_false(packet_neighbour_parse(request, 28, true, &answer));
}

static void test_an_advertisement_tells_its_target(void **state)
{
	(void)state;
	const uint8_t a[16] = {0xfd, 9, [15] = 1}, b[16] = {0xfd, 9, [15] = 2};
	const struct packet_ends ends = {.from = ip_from_v6(a), .to = ip_from_v6(b)};
	uint8_t bytes[72] = {0};
	packet_ip_put(false, &ends, 58, 32, bytes);
	bytes[7] = 255;
	bytes[40] = 136;
	memcpy(bytes + 48, a, 16);
	memcpy(bytes + 64, "\2\1", 2);
	memcpy(bytes + 66, mac, 6);
	struct neighbour_answer answer;
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		uint8_t *cut = malloc(n + 1);
		memcpy(cut, bytes, n);
		assert_int_equal(packet_neighbour_parse(cut, n, false, &answer),
				 n == sizeof(bytes));
		free(cut);
	}
	assert_memory_equal(answer.mac, mac, 6);
	bytes[65] = 0; /* an option without length would never end */
	assert_false(packet_neighbour_parse(bytes, sizeof(bytes), false, &answer));
	bytes[65] = 1;
	bytes[7] = 254; /* it came through a router */
	assert_false(packet_neighbour_parse(bytes, sizeof(bytes), false, &answer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_arp_request_is_rfc_826s),
		cmocka_unit_test(test_a_solicitation_is_rfc_4861s),
		cmocka_unit_test(test_a_reply_tells_its_sender),
		cmocka_unit_test(test_an_advertisement_tells_its_target),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

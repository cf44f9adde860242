/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a packet that answers a probe of ours. */
#include <assert.h>

#include "scan/packet-neighbour.h"
#include "scan/packet-sctp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct packet packet;
	for (int is_v4 = 0; is_v4 < 2; is_v4++) {
		bool is_answer = packet_parse(data, n, is_v4, &packet);
		assert(is_answer == (packet.kind != PACKET_NONE) || packet.kind != PACKET_ERROR);
		if (is_answer && is_v4)
			assert(ip_is_mapped(&packet.ends.to) && ip_is_mapped(&packet.ends.from));
		is_answer = packet_sctp_parse(data, n, is_v4, &packet);
		assert(is_answer == (packet.kind != PACKET_NONE));
		struct neighbour_answer answer;
		if (packet_neighbour_parse(data, n, is_v4, &answer))
			assert(ip_is_mapped(&answer.ip) || !is_v4);
	}
	return 0;
}

/* Names of addresses from /etc/hosts, and the order of localhost. */
#include <stddef.h>

#include "model/hosts.h"

static const uint8_t loopback_v4[4] = {127, 0, 0, 1};
static const uint8_t loopback_v6[16] = {[15] = 1};

const char *hosts_name(const struct hosts *hosts, const struct ip *ip)
{
	for (uint32_t i = 0; hosts && i < hosts->n; i++)
		if (ip_equal(&hosts->names[i].ip, ip))
			return hosts->names[i].name;
	return NULL;
}

unsigned hosts_localhost(const struct hosts *hosts, const struct netns *netns, struct ip ret[2])
{
	struct ip v4 = ip_from_v4(loopback_v4), v6 = ip_from_v6(loopback_v6);
	bool is_named = hosts && (hosts->localhost_v4 || hosts->localhost_v6);
	bool has_v6 = !is_named || hosts->localhost_v6;
	bool is_v4_first = hosts && hosts->is_v4_first;
	unsigned n = 0;

	/* 127.0.0.1 is always among them: glibc's reader of the file gives it for ::1 too when it
	 * is asked for IPv4. */
	if (netns && netns->is_detailed && !netns_has_address(netns, &v6))
		has_v6 = false;
	if (is_v4_first)
		ret[n++] = v4;
	if (has_v6)
		ret[n++] = v6;
	if (!is_v4_first)
		ret[n++] = v4;
	return n;
}

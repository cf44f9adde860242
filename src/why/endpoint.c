/* A question's end as the kernel's calls take it. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/format.h"
#include "source/address.h"
#include "why/endpoint.h"

int endpoint_socket(const struct question *question, int flags)
{
	return address_socket(question->proto, question->is_v4, flags);
}

socklen_t endpoint_of(const struct question *question, const struct ip *ip, uint16_t port,
		      struct sockaddr_storage *ret)
{
	return address_fill(ip, question->is_v4, port, question->scope, ret);
}

socklen_t endpoint_address(const struct question *question, struct sockaddr_storage *ret)
{
	return endpoint_of(question, &question->address, question->port, ret);
}

bool endpoint_parse(const struct sockaddr_storage *address, size_t n, struct question *ret)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	if (n >= sizeof(v4) && address->ss_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		ret->is_v4 = true;
		ret->address = ip_from_v4((const uint8_t *)&v4.sin_addr);
		ret->port = ntohs(v4.sin_port);
		return true;
	}
	if (n >= offsetof(struct sockaddr_in6, sin6_scope_id) && address->ss_family == AF_INET6) {
		memcpy(&v6, address, sizeof(v6));
		ret->is_v4 = false;
		ret->address = ip_from_v6((const uint8_t *)&v6.sin6_addr);
		ret->port = ntohs(v6.sin6_port);
		ret->scope = n >= sizeof(v6) ? v6.sin6_scope_id : 0;
		return true;
	}
	return false;
}

const char *endpoint_text(const struct ip *ip, bool is_v4, uint16_t port, char to[ENDPOINT_TEXT])
{
	char address[FORMAT_IP_MAX];
	bool as_v4 = is_v4 || ip_is_mapped(ip);
	int n = (int)ip_format(address, ip, as_v4);
	snprintf(to, ENDPOINT_TEXT, as_v4 ? "%.*s:%u" : "[%.*s]:%u", n, address, port);
	return to;
}

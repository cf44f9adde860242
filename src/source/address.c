/* A socket's end as the system calls take it. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "source/address.h"

int address_socket(enum proto proto, bool is_v4, int flags)
{
	static const struct {
		int type, number;
	} kinds[PROTO_MAX] = {
		[PROTO_TCP] = {SOCK_STREAM, IPPROTO_TCP},
		[PROTO_UDP] = {SOCK_DGRAM, IPPROTO_UDP},
		[PROTO_UDPLITE] = {SOCK_DGRAM, IPPROTO_UDPLITE},
		[PROTO_SCTP] = {SOCK_STREAM, IPPROTO_SCTP},
	};
	if (proto >= PROTO_MAX || !kinds[proto].type)
		return -EPROTONOSUPPORT;
	int fd = socket(is_v4 ? AF_INET : AF_INET6, kinds[proto].type | SOCK_CLOEXEC | flags,
			kinds[proto].number);
	return fd >= 0 ? fd : -errno;
}

socklen_t address_fill(const struct ip *ip, bool is_v4, uint16_t port, uint32_t scope,
		       struct sockaddr_storage *ret)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = scope};
	memset(ret, 0, sizeof(*ret));
	if (is_v4) {
		memcpy(&v4.sin_addr, ip->bytes + 12, 4);
		memcpy(ret, &v4, sizeof(v4));
		return sizeof(v4);
	}
	memcpy(&v6.sin6_addr, ip->bytes, 16);
	memcpy(ret, &v6, sizeof(v6));
	return sizeof(v6);
}

/* Whose the other end of a connection is. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/attributes.h"
#include "source/sock-diag.h"
#include "web/peer.h"

int peer_open(void)
{
	cleanup(closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return -errno;
	return TAKE_FD(fd);
}

static bool end_of(const struct sockaddr_storage *address, struct ip *ret, uint16_t *ret_port)
{
	struct sockaddr_in v4;
	uint8_t bytes[4];
	if (address->ss_family != AF_INET)
		return false;
	memcpy(&v4, address, sizeof(v4));
	memcpy(bytes, &v4.sin_addr, sizeof(bytes));
	*ret = ip_from_v4(bytes);
	*ret_port = ntohs(v4.sin_port);
	return true;
}

bool peer_is_tcp(int netlink, int fd, uid_t uid)
{
	struct sockaddr_storage own = {0}, other = {0};
	socklen_t n_own = sizeof(own), n_other = sizeof(other);
	struct socket packet = {.proto = PROTO_TCP, .family = FAMILY_IPV4};
	struct found_socket found = {.netns_inode = 0};
	if (getsockname(fd, (struct sockaddr *)&own, &n_own) < 0 ||
	    getpeername(fd, (struct sockaddr *)&other, &n_other) < 0 ||
	    !end_of(&other, &packet.local, &packet.local_port) ||
	    !end_of(&own, &packet.peer, &packet.peer_port) ||
	    sock_diag_lookup(netlink, &packet, &found) < 0)
		return false;
	/* what has no inode has no owner any more, and is reported as of root */
	const struct socket *socket = &found.socket;
	return socket->inode && socket->local_port == packet.local_port &&
	       socket->peer_port == packet.peer_port && socket->flags & SOCKET_UID_KNOWN &&
	       socket->uid == uid;
}

bool peer_is_unix(int fd, uid_t uid)
{
	struct ucred cred = {.uid = (uid_t)-1};
	socklen_t n = sizeof(cred);
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) == 0 && cred.uid == uid;
}

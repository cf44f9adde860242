/* Bytes of one connection: socket, TLS where it is one, dialogue. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "scan/identify/connection.h"

#define REPEATS_MAX 2

static socklen_t address_of(const struct identify_target *target, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (ip_is_mapped(&target->address)) {
		struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(target->port)};
		memcpy(&v4.sin_addr, target->address.bytes + 12, 4);
		memcpy(ret, &v4, sizeof(v4));
		return sizeof(v4);
	}
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
				  .sin6_port = htons(target->port),
				  .sin6_scope_id = target->interface};
	memcpy(&v6.sin6_addr, target->address.bytes, 16);
	memcpy(ret, &v6, sizeof(v6));
	return sizeof(v6);
}

static int open_socket(const struct identify_target *target, bool is_udp)
{
	int family = ip_is_mapped(&target->address) ? AF_INET : AF_INET6;
	int fd = socket(family, (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0);
	int on = 1;
	if (fd < 0)
		return -errno;
	if (!is_udp)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

int connection_open(struct connection *connection, const struct identify_target *target,
		    const struct tls_functions *with, struct tls *tls, uint64_t now)
{
	struct sockaddr_storage address;
	socklen_t length = address_of(target, &address);
	bool is_udp = target->proto == PROTO_UDP;
	int fd = open_socket(target, is_udp);
	if (fd < 0)
		return fd;
	if (!is_udp && connect(fd, (struct sockaddr *)&address, length) < 0 &&
	    errno != EINPROGRESS) {
		int r = -errno;
		close(fd);
		return r;
	}
	connection->fd = fd;
	connection->target = target;
	connection->is_udp = is_udp;
	connection->is_attended = false;
	connection->is_connected = is_udp;
	connection->has_ended = connection->is_shaken = false;
	connection->is_plain_after_all = connection->heard_tls = false;
	connection->opened = now;
	connection->connected = is_udp ? now : 0;
	connection->heard = 0;
	connection->with = with;
	connection->tls = tls;
	connection->n_out = 0;
	connection->is_upgraded = false;
	connection->n_last = 0;
	connection->n_repeats = 0;
	return 0;
}

static void forget_tls(struct connection *connection)
{
	if (connection->tls)
		connection->with->close(connection->tls);
	connection->tls = NULL;
}

void connection_close(struct connection *connection)
{
	if (connection->fd >= 0)
		close(connection->fd);
	connection->fd = -1;
	forget_tls(connection);
}

/* What TLS wants to send goes behind what is waiting. */
static void drain_tls(struct connection *connection)
{
	if (connection->tls)
		connection->n_out += connection->with->drain(connection->tls,
							     connection->out + connection->n_out,
							     OUT_MAX - connection->n_out);
}

static int send_out(struct connection *connection)
{
	while (connection->n_out > 0) {
		ssize_t n = send(connection->fd, connection->out, connection->n_out, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		connection->n_out -= (size_t)n;
		memmove(connection->out, connection->out + n, connection->n_out);
	}
	return 0;
}

static int send_datagram(struct connection *connection)
{
	struct talk *talk = &connection->dialogue.talk;
	struct sockaddr_storage address;
	socklen_t length = address_of(connection->target, &address);
	size_t n = talk->n_say;
	talk->n_say = 0;
	if (n == 0)
		return 0;
	connection->n_last = n;
	return sendto(connection->fd, talk->say, n, 0, (struct sockaddr *)&address, length) < 0
		       ? -errno
		       : 0;
}

int connection_say(struct connection *connection)
{
	struct talk *talk = &connection->dialogue.talk;
	if (connection->is_udp)
		return send_datagram(connection);
	if (!connection->is_connected)
		return 0;
	bool may_say = !connection->tls || connection->is_shaken;
	if (may_say && talk->n_say > 0 && talk->n_say <= OUT_MAX - connection->n_out) {
		if (connection->tls) {
			connection->with->write(connection->tls, talk->say, talk->n_say);
		} else {
			memcpy(connection->out + connection->n_out, talk->say, talk->n_say);
			connection->n_out += talk->n_say;
		}
		talk->n_say = 0;
	}
	drain_tls(connection);
	return send_out(connection);
}

void connection_secure(struct connection *connection, const struct tls_functions *with,
		       struct tls *tls)
{
	connection_say(connection);
	connection->with = with;
	connection->tls = tls;
	connection->is_shaken = false;
	connection->is_upgraded = true;
	connection_say(connection);
}

bool connection_repeat(struct connection *connection)
{
	if (connection->n_repeats >= REPEATS_MAX || !connection->n_last)
		return false;
	connection->n_repeats++;
	connection->dialogue.talk.n_say = connection->n_last;
	connection_say(connection);
	return true;
}

int connection_part(struct connection *connection)
{
	int fd = connection->fd;
	if (fd < 0)
		return -1;
	connection_say(connection);
	if (connection->tls && connection->is_shaken) {
		connection->with->end(connection->tls);
		connection_say(connection);
	}
	connection->fd = -1;
	forget_tls(connection);
	shutdown(fd, SHUT_WR);
	return fd;
}

/* A socket that is connected to itself stands on a port that nobody listens on. */
static bool is_own_end(int fd)
{
	struct sockaddr_storage own = {0}, peer = {0};
	socklen_t n_own = sizeof(own), n_peer = sizeof(peer);
	return getsockname(fd, (struct sockaddr *)&own, &n_own) == 0 &&
	       getpeername(fd, (struct sockaddr *)&peer, &n_peer) == 0 && n_own == n_peer &&
	       memcmp(&own, &peer, n_own) == 0;
}

static enum came see_connected(struct connection *connection, uint64_t now)
{
	struct sockaddr_storage peer;
	socklen_t length = sizeof(peer), n = sizeof(int);
	int error = 0;
	if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 || error)
		return CAME_FAILED;
	if (getpeername(connection->fd, (struct sockaddr *)&peer, &length) < 0)
		return errno == ENOTCONN ? CAME_NOTHING : CAME_FAILED;
	if (is_own_end(connection->fd))
		return CAME_FAILED;
	connection->is_connected = true;
	connection->connected = now;
	return CAME_CONNECTED;
}

static bool is_from_target(const struct connection *connection, const struct sockaddr_storage *from)
{
	const struct ip *address = &connection->target->address;
	if (from->ss_family == AF_INET)
		return ip_is_mapped(address) &&
		       memcmp(&((const struct sockaddr_in *)(const void *)from)->sin_addr,
			      address->bytes + 12, 4) == 0;
	return from->ss_family == AF_INET6 &&
	       memcmp(&((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, address->bytes,
		      16) == 0;
}

/* A datagram is a message: with its end nothing more of it comes. TFTP answers from another port,
 * so only the address is held against the target's. */
static enum came read_datagram(struct connection *connection, uint64_t now)
{
	uint8_t bytes[MESSAGE_MAX];
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	ssize_t n = recvfrom(connection->fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from,
			     &length);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? CAME_NOTHING : CAME_END;
	if (n == 0 || !is_from_target(connection, &from))
		return CAME_BYTES;
	connection->heard = now;
	dialogue_feed(&connection->dialogue, bytes, (size_t)n);
	if (connection->dialogue.state == DIALOGUE_OPEN)
		dialogue_end(&connection->dialogue);
	return CAME_BYTES;
}

/* The first bytes tell whether it is TLS that answers the hello (RFC 8446, 5.1: handshake or alert,
 * then the legacy version). */
static void judge_first(struct connection *connection, const uint8_t *bytes, size_t n)
{
	if (connection->heard || n == 0)
		return;
	if ((bytes[0] == 0x16 || bytes[0] == 0x15) && (n < 2 || bytes[1] == 3)) {
		connection->heard_tls = true;
		return;
	}
	connection->is_plain_after_all = true;
	forget_tls(connection);
}

static enum came read_tls(struct connection *connection)
{
	uint8_t bytes[4096];
	struct dialogue *dialogue = &connection->dialogue;
	if (!connection->is_shaken) {
		int r = connection->with->shake(connection->tls);
		connection_say(connection);
		if (r == -EAGAIN)
			return connection->has_ended ? CAME_FAILED : CAME_NOTHING;
		connection->is_shaken = r == 0;
		return r == 0 ? CAME_SHAKEN : CAME_FAILED;
	}
	size_t room = dialogue_room(dialogue);
	if (room == 0)
		return CAME_NOTHING;
	ssize_t n = connection->with->read(connection->tls, bytes,
					   room < sizeof(bytes) ? room : sizeof(bytes));
	drain_tls(connection);
	if (n == -EAGAIN)
		return connection->has_ended ? CAME_END : CAME_NOTHING;
	if (n <= 0)
		return CAME_END;
	dialogue_feed(dialogue, bytes, (size_t)n);
	return CAME_BYTES;
}

static enum came take(struct connection *connection, const uint8_t *bytes, size_t n, uint64_t now)
{
	if (connection->tls && !connection->is_shaken && !connection->is_upgraded)
		judge_first(connection, bytes, n);
	connection->heard = now;
	if (!connection->tls) {
		dialogue_feed(&connection->dialogue, bytes, n);
		return CAME_BYTES;
	}
	if (connection->with->feed(connection->tls, bytes, n) < 0)
		return CAME_FAILED;
	enum came came = read_tls(connection);
	return came == CAME_NOTHING ? CAME_PART : came;
}

enum came connection_step(struct connection *connection, uint64_t now)
{
	uint8_t bytes[8192];
	if (connection->fd < 0)
		return CAME_NOTHING;
	if (!connection->is_connected)
		return see_connected(connection, now);
	if (connection->is_udp)
		return read_datagram(connection, now);
	if (connection->tls) {
		enum came came = read_tls(connection); /* what was decrypted before */
		if (came != CAME_NOTHING)
			return came;
	}
	/* what the dialogue has no room for stays with the kernel, so that the peer has to wait */
	bool is_shaking = connection->tls && !connection->is_shaken;
	size_t room = is_shaking ? sizeof(bytes) : dialogue_room(&connection->dialogue);
	if (room == 0 || connection->has_ended)
		return CAME_NOTHING;
	if (connection->tls)
		room = sizeof(bytes);
	ssize_t n = recv(connection->fd, bytes, room < sizeof(bytes) ? room : sizeof(bytes), 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return CAME_NOTHING;
	if (n > 0)
		return take(connection, bytes, (size_t)n, now);
	connection->has_ended = true;
	return connection->tls ? read_tls(connection) : CAME_END;
}

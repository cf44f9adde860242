/* The two ends of a connection, and who takes what comes to a port. */
#ifndef MODEL_ENDS_H
#define MODEL_ENDS_H

#include "model/socket.h"

/* Who looks up by it mixes it: this only keeps ends apart that differ in one number. */
static inline uint64_t end_key(const struct ip *ip, uint16_t port)
{
	uint64_t words[2];
	memcpy(words, ip, sizeof(words));
	uint64_t key = (words[1] ^ words[0] << 1) + port * 0x9e3779b97f4a7c15ULL;
	key *= 0xbf58476d1ce4e5b9ULL;
	return key ^ key >> 32;
}

/* One for both ends of a connection. */
static inline uint64_t ends_pair_key(const struct socket *s)
{
	return end_key(&s->local, s->local_port) + end_key(&s->peer, s->peer_port) + s->proto;
}

/* Each is the other's peer. */
static inline bool ends_are_mirror(const struct socket *a, const struct socket *b)
{
	return a->local_port == b->peer_port && a->peer_port == b->local_port &&
	       a->proto == b->proto && ip_equal(&a->local, &b->peer) &&
	       ip_equal(&a->peer, &b->local);
}

static inline bool socket_is_connection(const struct socket *socket)
{
	return socket->peer_port && socket->state != STATE_LISTEN;
}

/* It takes what comes to its port: a listener, or UDP and the like without a peer. */
static inline bool socket_is_server(const struct socket *socket)
{
	return socket_is_open(socket) && socket->local_port && socket->proto != PROTO_RAW &&
	       !socket->peer_port;
}

/* Connections to this end come through @listener. */
static inline bool listener_takes(const struct socket *listener, const struct socket *connection)
{
	if (listener->netns != connection->netns ||
	    listener->local_port != connection->local_port || listener->proto != connection->proto)
		return false;
	if (ip_equal(&listener->local, &connection->local))
		return true;
	if (!ip_is_any(&listener->local))
		return false;
	bool is_v4 = socket_is_v4(connection);
	return socket_is_v4(listener) ? is_v4 : !is_v4 || !(listener->flags & SOCKET_V6ONLY);
}

#endif

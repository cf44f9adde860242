/* Ports that can be bound now: each is tried. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/format.h"
#include "source/address.h"
#include "source/interfaces.h"
#include "why/free.h"

void free_ports_init(struct free_ports *ports)
{
	*ports = (struct free_ports){.refusal = 0};
	vector_init(&ports->ports, sizeof(uint16_t));
}

void free_ports_done(struct free_ports *ports)
{
	vector_done(&ports->ports);
}

static int open_socket(const struct free_search *search, bool is_v4)
{
	int no = 0;
	cleanup(closep) int fd = address_socket(search->proto, is_v4, 0);
	if (fd < 0)
		return fd;
	if (!is_v4 && !search->has_address)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
	return TAKE_FD(fd);
}

/* A bind without any option is the strictest: what is free for it is free for all. */
static int try_bind(const struct free_search *search, bool is_v4, uint16_t port)
{
	cleanup(closep) int fd = open_socket(search, is_v4);
	if (fd < 0)
		return fd;
	struct sockaddr_storage address;
	socklen_t n = address_fill(search->has_address ? &search->address : &(struct ip){0}, is_v4,
				   port, 0, &address);
	int r = bind(fd, (const struct sockaddr *)&address, n);
	return r < 0 ? -errno : 0;
}

struct call {
	struct host *host;
	const struct free_search *search;
	const struct netns *netns;
	struct free_ports *ret;
	bool is_v4;
};

/* It is not to be had, whether it can be bound or not. */
static bool is_passed_over(const struct call *call, uint16_t port)
{
	if (!call->search->takes_ephemeral && netns_port_is_ephemeral(call->netns, port)) {
		call->ret->n_ephemeral++;
		return true;
	}
	if (!call->search->takes_reserved && netns_port_is_reserved(call->netns, port)) {
		call->ret->n_reserved++;
		return true;
	}
	return false;
}

static int try_port(struct call *call, uint16_t port)
{
	int r = try_bind(call->search, call->is_v4, port);
	if (r == -EADDRINUSE) {
		call->ret->n_taken++;
		return 0;
	}
	if (r == -EACCES || r == -EPERM) {
		call->ret->n_refused++;
		if (!call->ret->refusal)
			call->ret->refusal = r;
		return 0;
	}
	if (r < 0) /* of this address none: absent, of a family that is off, no descriptor left */
		return r;
	uint16_t *added = vector_add(&call->ret->ports);
	if (!added)
		return -ENOMEM;
	*added = port;
	return 0;
}

static int try_all(void *data)
{
	struct call *call = data;
	const struct free_search *search = call->search;
	call->is_v4 = search->has_address && search->is_v4;
	if (!search->has_address) { /* a kernel without IPv6 */
		cleanup(closep) int fd = open_socket(search, false);
		call->is_v4 = fd < 0;
	}
	int r = 0;
	for (uint32_t port = search->first; port <= search->last && r >= 0; port++) {
		if (call->ret->ports.n >= search->wanted || stop_wanted(call->host->stop))
			break;
		if (!is_passed_over(call, (uint16_t)port))
			r = try_port(call, (uint16_t)port);
	}
	return r;
}

int free_find(struct host *host, const struct found_netns *place, const struct free_search *search,
	      struct free_ports *ret, struct error *err)
{
	cleanup(arena_done) struct arena arena;
	struct netns netns = {.is_self = place->is_self};
	arena_init(&arena);
	int r = interfaces_read(host, place, &arena, &netns, err);
	if (r < 0)
		return r;
	ret->ephemeral = netns.ephemeral;
	struct call call = {.host = host, .search = search, .netns = &netns, .ret = ret};
	r = netns_call(place, try_all, &call);
	if (r == -EADDRNOTAVAIL) {
		char address[FORMAT_IP_MAX + 1];
		address[ip_format(address, &search->address, search->is_v4)] = '\0';
		error_text(err, r, "bind %s: it is no address of this network namespace", address);
		error_hint(err, "`ip address` lists them; without --bind every one is tried");
		return r;
	}
	return r < 0 ? error_set(err, r, "bind") : 0;
}

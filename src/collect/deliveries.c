/* To whom packets go, from what a person types to the kernel's choice. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/numbers.h"
#include "collect/deliveries.h"
#include "collect/story.h"

/* One end of a packet as typed. */
struct end {
	bool has_address, is_v4, is_localhost; /* of that name: 127.0.0.1 and ::1 */
	struct ip ip;
	uint16_t port; /* 0: any */
};

static int tell_end(const char *text, struct error *err)
{
	error_text(err, -EINVAL, "%.80s: it is no address:port", text);
	error_hint(err, "like 127.0.0.1:8080, [::1]:8080 or a port alone, from 1 to 65535");
	return -EINVAL;
}

static int parse_port(const char *text, const struct services *services, enum proto proto,
		      uint16_t *ret)
{
	if (number_u16(text, ret) == 0 && *ret)
		return 0;
	*ret = service_port(services, text, proto);
	return *ret ? 0 : -EINVAL;
}

/* Splits at the colon before the port: "[::1]:80", "127.0.0.1:80"; "::1" and "127.0.0.1" have none.
 */
static int parse_end(const char *text, const struct services *services, enum proto proto,
		     struct end *ret, struct error *err)
{
	const char *address = text, *port = NULL;
	size_t n = strlen(text);
	*ret = (struct end){.port = 0};

	if (text[0] == '[') {
		const char *close = strchr(text, ']');
		if (!close || (close[1] && close[1] != ':'))
			return tell_end(text, err);
		address = text + 1;
		n = (size_t)(close - address);
		port = close[1] ? close + 2 : NULL;
	} else {
		const char *colon = strchr(text, ':');
		if (colon && !strchr(colon + 1, ':')) {
			n = (size_t)(colon - text);
			port = colon + 1;
		} else if (!colon && parse_port(text, services, proto, &ret->port) == 0) {
			return 0;
		}
	}
	if (port && strcmp(port, "*") != 0 && parse_port(port, services, proto, &ret->port) < 0)
		return tell_end(text, err);
	ret->is_localhost = n == strlen("localhost") && strncasecmp(address, "localhost", n) == 0;
	if ((n == 0 && port) || ret->is_localhost)
		return 0;
	ret->has_address = true;
	return ip_parse(address, n, &ret->ip, &ret->is_v4) < 0 ? tell_end(text, err) : 0;
}

static int parse_ends(const struct services *services, const struct delivery_request *request,
		      struct end *to, struct end *from, struct error *err)
{
	*from = (struct end){.port = 0};
	int r = parse_end(request->to, services, request->proto, to, err);
	if (r >= 0 && request->from)
		r = parse_end(request->from, services, request->proto, from, err);
	if (r < 0)
		return r;

	if (!to->port) {
		error_text(err, -EINVAL, "%.80s: a port is wanted", request->to);
		error_hint(err, "like 127.0.0.1:8080 or [::1]:8080");
		return -EINVAL;
	}
	if (request->from && !from->has_address)
		return error_text(err, -EINVAL, "--from %.80s: an address is wanted",
				  request->from);
	if (to->has_address && from->has_address && to->is_v4 != from->is_v4)
		return error_text(err, -EINVAL, "--from %.80s: one end is IPv4, the other is IPv6",
				  request->from);
	return 0;
}

/* What one asking is made of. */
struct asking {
	const struct looking *looking;
	enum proto proto;
	struct end to, from;
	struct deliveries *deliveries;
};

/* What is at @port; 0: at any, for packets that are steered elsewhere. */
static int collect(const struct asking *asking, uint16_t port, struct error *err)
{
	struct bounds bounds = BOUNDS_ALL;
	bounds.protos = 1u << asking->proto;
	if (port)
		bounds.port_first = bounds.port_last = port;
	return collect_for(asking->looking, NULL, bounds, STORY_NEEDS,
			   &asking->deliveries->snapshot, err);
}

/* The namespace that was asked for: the one in the snapshot that was looked into. */
static uint32_t netns_asked(const struct looking *looking, const struct snapshot *snapshot)
{
	uint32_t index = NONE;
	if (looking->scope.choice == NETNS_SELF) {
		snapshot_own_netns(snapshot, &index);
		return index;
	}
	for (uint32_t i = 0; i < snapshot->netns.n; i++)
		if (snapshot_netns(snapshot, i)->is_detailed)
			return i;
	return index;
}

static int ask(const struct asking *asking, const struct end *to, uint32_t netns, struct error *err)
{
	const struct end *from = &asking->from;
	struct delivery *delivery = vector_add(&asking->deliveries->list);
	if (!delivery)
		return error_set(err, -ENOMEM, "ask who gets the packet");
	delivery_init(delivery);
	delivery->proto = (uint8_t)asking->proto;
	delivery->to = to->ip;
	delivery->is_v4 = to->is_v4;
	delivery->to_port = to->port;
	delivery->has_from = from->has_address;
	delivery->from = from->ip;
	delivery->from_port = from->port;
	delivery->netns = netns;
	return collect_delivery(asking->looking->host, asking->deliveries->snapshot, delivery, err);
}

static bool is_localhost(const struct interface_address *address)
{
	static const struct ip v6 = {.bytes = {[15] = 1}};
	struct ip v4 = ip_from_v4((const uint8_t[4]){127, 0, 0, 1});
	return ip_equal(&address->ip, address->is_v4 ? &v4 : &v6);
}

/* One packet, or where no address is said one to each of this host's. */
static int ask_all(const struct asking *asking, struct error *err)
{
	const struct snapshot *snapshot = asking->deliveries->snapshot;
	const struct end *to = &asking->to, *from = &asking->from;
	uint32_t index = netns_asked(asking->looking, snapshot);
	if (to->has_address)
		return ask(asking, to, index, err);
	if (index == NONE)
		return 0;
	const struct netns *netns = snapshot_netns(snapshot, index);
	for (uint32_t i = 0; i < netns->n_addresses; i++) {
		const struct interface_address *address = netns->addresses + i;
		struct end end = {
			.has_address = true,
			.is_v4 = address->is_v4,
			.ip = address->ip,
			.port = to->port,
		};
		if ((from->has_address && from->is_v4 != end.is_v4) ||
		    (to->is_localhost && !is_localhost(address)))
			continue;
		int r = ask(asking, &end, index, err);
		if (r < 0)
			return r;
	}
	return 0;
}

void deliveries_init(struct deliveries *deliveries)
{
	deliveries->snapshot = NULL;
	vector_init(&deliveries->list, sizeof(struct delivery));
}

void deliveries_done(struct deliveries *deliveries)
{
	for (uint32_t i = 0; i < deliveries->list.n; i++)
		delivery_done(vector_at(&deliveries->list, i));
	vector_done(&deliveries->list);
	snapshot_free(deliveries->snapshot);
}

static bool is_any_outside(const struct deliveries *deliveries)
{
	for (uint32_t i = 0; i < deliveries->list.n; i++)
		if (deliveries_at(deliveries, i)->is_outside)
			return true;
	return false;
}

bool deliveries_any(const struct deliveries *deliveries)
{
	for (uint32_t i = 0; i < deliveries->list.n; i++)
		if (deliveries_at(deliveries, i)->chosen != NONE)
			return true;
	return false;
}

/* Once more with the sockets of all ports where the kernel chose one that was not looked at. */
int deliveries_find(const struct looking *looking, const struct delivery_request *request,
		    struct deliveries *ret, struct error *err)
{
	struct asking asking = {.looking = looking, .proto = request->proto, .deliveries = ret};
	if (looking->scope.choice == NETNS_ALL) {
		error_text(err, -EINVAL, "--netns all: a packet arrives in one network namespace");
		error_hint(err, "self, a name or a pid");
		return -EINVAL;
	}
	int r = parse_ends(looking->services, request, &asking.to, &asking.from, err);
	if (r >= 0)
		r = collect(&asking, asking.to.port, err);
	if (r >= 0)
		r = ask_all(&asking, err);
	if (r < 0 || !is_any_outside(ret))
		return r;
	deliveries_done(ret);
	deliveries_init(ret);
	r = collect(&asking, 0, err);
	return r < 0 ? r : ask_all(&asking, err);
}

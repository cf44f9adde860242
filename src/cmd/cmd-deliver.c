/* doorward deliver TO [--from FROM]: a packet arrives at this host; who gets it? */
#include <errno.h>
#include <linux/capability.h>

#include "base/numbers.h"
#include "base/privilege.h"
#include "cmd/tell.h"
#include "cmd/terminal.h"
#include "collect/collect.h"
#include "view/delivery.h"

struct settings {
	bool json, is_unpaged;
	const char *from;
	int proto;
	struct look look;
};

static const struct option options[] = {
	{.kind = OPTION_TEXT,
	 .name = "from",
	 .at = offsetof(struct settings, from),
	 .argument = "FROM",
	 .help = N_("where the packet comes from: address or address:port")},
	{.kind = OPTION_WORD,
	 .name = "proto",
	 .at = offsetof(struct settings, proto),
	 .argument = "PROTO",
	 .words = look_door_words,
	 .help = N_("tcp (the default) or udp")},
	LOOK_JSON_OPTION(struct settings, json),
	LOOK_OPTIONS(struct settings, look),
	{.kind = OPTION_FLAG,
	 .name = "no-pager",
	 .at = offsetof(struct settings, is_unpaged),
	 .help = N_("never start a pager")},
	{.kind = OPTION_END},
};

/* One end of a packet as typed. */
struct end {
	bool has_address, is_v4;
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
	if (n == 0 && port)
		return 0;
	ret->has_address = true;
	return ip_parse(address, n, &ret->ip, &ret->is_v4) < 0 ? tell_end(text, err) : 0;
}

static int parse_ends(struct context *context, const struct settings *settings, const char *text,
		      struct end *to, struct end *from, struct error *err)
{
	const struct services *services = look_services(context);
	enum proto proto = look_doors[settings->proto];
	*from = (struct end){.port = 0};
	int r = parse_end(text, services, proto, to, err);
	if (r >= 0 && settings->from)
		r = parse_end(settings->from, services, proto, from, err);
	if (r < 0)
		return r;

	if (!to->port) {
		error_text(err, -EINVAL, "%.80s: a port is wanted", text);
		error_hint(err, "like 127.0.0.1:8080 or [::1]:8080");
		return -EINVAL;
	}
	if (settings->from && !from->has_address)
		return error_text(err, -EINVAL, "--from %.80s: an address is wanted",
				  settings->from);
	if (to->has_address && from->has_address && to->is_v4 != from->is_v4)
		return error_text(err, -EINVAL, "--from %.80s: one end is IPv4, the other is IPv6",
				  settings->from);
	return 0;
}

/* What is at @port; 0: at any, for packets that are steered elsewhere. */
static int collect(struct context *context, const struct settings *settings, uint16_t port,
		   struct snapshot **ret, struct error *err)
{
	struct look look = settings->look;
	struct bounds bounds = BOUNDS_ALL;
	if (!look.netns)
		look.netns = "self";
	look.asks_again = true;
	if (strcmp(look.netns, "all") == 0) {
		error_text(err, -EINVAL, "--netns all: a packet arrives in one network namespace");
		error_hint(err, "self, a name or a pid");
		return -EINVAL;
	}
	bounds.protos = 1u << look_doors[settings->proto];
	if (port)
		bounds.port_first = bounds.port_last = port;
	return look_collect(context, &look, NULL, bounds, TELL_NEEDS, ret, err);
}

/* The namespace that was asked for: the one in the snapshot that was looked into. */
static uint32_t netns_asked(const struct settings *settings, const struct snapshot *snapshot)
{
	uint32_t index = NONE;
	if (!settings->look.netns || strcmp(settings->look.netns, "self") == 0) {
		tell_netns_self(snapshot, &index);
		return index;
	}
	for (uint32_t i = 0; i < snapshot->netns.n; i++)
		if (snapshot_netns(snapshot, i)->is_detailed)
			return i;
	return index;
}

static int ask(struct context *context, const struct snapshot *snapshot, const struct end *to,
	       const struct end *from, uint32_t netns, const struct settings *settings,
	       struct vector *ret, struct error *err)
{
	struct delivery *delivery = vector_add(ret);
	if (!delivery)
		return error_set(err, -ENOMEM, "ask who gets the packet");
	delivery_init(delivery);
	delivery->proto = (uint8_t)look_doors[settings->proto];
	delivery->to = to->ip;
	delivery->is_v4 = to->is_v4;
	delivery->to_port = to->port;
	delivery->has_from = from->has_address;
	delivery->from = from->ip;
	delivery->from_port = from->port;
	delivery->netns = netns;
	return collect_delivery(&context->host, snapshot, delivery, err);
}

/* One packet, or where no address is said one to each of this host's. */
static int ask_all(struct context *context, const struct snapshot *snapshot, const struct end *to,
		   const struct end *from, const struct settings *settings, struct vector *ret,
		   struct error *err)
{
	uint32_t index = netns_asked(settings, snapshot);
	if (to->has_address)
		return ask(context, snapshot, to, from, index, settings, ret, err);
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
		if (from->has_address && from->is_v4 != end.is_v4)
			continue;
		int r = ask(context, snapshot, &end, from, index, settings, ret, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int tell_json(struct context *context, const struct snapshot *snapshot,
		     const struct vector *deliveries, struct error *err)
{
	struct out *out = &context->out;
	struct json_shape *shape = tell_shape(false);
	if (!shape)
		return error_set(err, -ENOMEM, "tell who gets the packet");
	out_char(out, '{');
	json_envelope(out, snapshot);
	out_string(out, ",\"deliveries\":[");
	for (uint32_t i = 0; i < deliveries->n; i++) {
		if (i)
			out_char(out, ',');
		delivery_json(out, shape, snapshot, vector_at(deliveries, i));
	}
	out_string(out, "]}\n");
	json_shape_free(shape);
	return 0;
}

static int tell(struct context *context, const struct settings *settings,
		const struct snapshot *snapshot, const struct vector *deliveries, struct error *err)
{
	struct page page = tell_page(context);
	if (settings->json)
		return tell_json(context, snapshot, deliveries, err);
	terminal_hold_page(context);
	if (deliveries->n == 1)
		delivery_print(&page, snapshot, vector_at(deliveries, 0));
	for (uint32_t i = 0; deliveries->n > 1 && i < deliveries->n; i++)
		delivery_print_short(&page, snapshot, vector_at(deliveries, i));
	terminal_show_page(context, !settings->is_unpaged);
	return 0;
}

static void deliveries_done(struct vector *deliveries)
{
	for (uint32_t i = 0; i < deliveries->n; i++)
		delivery_done(vector_at(deliveries, i));
	vector_done(deliveries);
}

static bool is_any_outside(const struct vector *deliveries)
{
	for (uint32_t i = 0; i < deliveries->n; i++)
		if (((const struct delivery *)vector_at(deliveries, i))->is_outside)
			return true;
	return false;
}

/* Asks, and once more with the sockets of all ports where the kernel chose one that was not looked
 * at. */
static int find_out(struct context *context, const struct settings *settings, const struct end *to,
		    const struct end *from, struct snapshot **snapshot, struct vector *deliveries,
		    struct error *err)
{
	int r = collect(context, settings, to->port, snapshot, err);
	if (r >= 0)
		r = ask_all(context, *snapshot, to, from, settings, deliveries, err);
	if (r < 0 || !is_any_outside(deliveries))
		return r;
	deliveries_done(deliveries);
	vector_init(deliveries, sizeof(struct delivery));
	snapshot_free(*snapshot);
	*snapshot = NULL;
	r = collect(context, settings, 0, snapshot, err);
	return r < 0 ? r : ask_all(context, *snapshot, to, from, settings, deliveries, err);
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	const struct settings *settings = data;
	cleanup(tell_free_snapshot) struct snapshot *snapshot = NULL;
	cleanup(deliveries_done) struct vector deliveries;
	struct end to, from;

	vector_init(&deliveries, sizeof(struct delivery));
	int r = parse_ends(context, settings, arguments[0], &to, &from, err);
	if (r >= 0)
		r = find_out(context, settings, &to, &from, &snapshot, &deliveries, err);
	if (r < 0)
		return r;
	privilege_drop();
	r = tell(context, settings, snapshot, &deliveries, err);
	if (r < 0)
		return r;
	look_tell_missing(context, snapshot);

	for (uint32_t i = 0; i < deliveries.n; i++)
		if (((const struct delivery *)vector_at(&deliveries, i))->chosen != NONE)
			return EXIT_DONE;
	return EXIT_NOTHING;
}

static const char *const examples[] = {
	"doorward deliver 127.0.0.1:8080",
	"doorward deliver [::1]:53 --proto udp --from [::1]:40000",
	"doorward deliver 443",
	NULL,
};

const struct command cmd_deliver = {
	.name = "deliver",
	.summary = N_("to whom a packet goes that arrives at this host"),
	.arguments = "TO",
	.min = 1,
	.max = 1,
	.options = options,
	.settings_size = sizeof(struct settings),
	.capabilities = CAPS_SEE,
	.examples = examples,
	.run = run,
};

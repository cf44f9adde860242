/* The network namespaces of a snapshot in JSON: what reach, ephemeral and interface of its sockets
 * are worked out from, so that a saved snapshot tells the same story elsewhere. */
#include "base/format.h"
#include "view/json.h"

static void write_bool(struct out *out, const char *key, bool is)
{
	out_string(out, key);
	out_string(out, is ? "true" : "false");
}

static void write_range(struct out *out, const struct port_range *range)
{
	out_char(out, '[');
	out_u64(out, range->first);
	out_char(out, ',');
	out_u64(out, range->last);
	out_char(out, ']');
}

static void write_ranges(struct out *out, const struct netns *netns)
{
	out_string(out, ",\"reserved\":[");
	for (uint32_t i = 0; i < netns->n_reserved; i++) {
		if (i)
			out_char(out, ',');
		write_range(out, &netns->reserved[i]);
	}
	out_string(out, "],\"unprivileged_start\":");
	out_u64(out, netns->unprivileged_start);
}

static void write_interfaces(struct out *out, const struct netns *netns)
{
	out_string(out, ",\"interfaces\":[");
	for (uint32_t i = 0; i < netns->n_interfaces; i++) {
		const struct interface *interface = &netns->interfaces[i];
		out_string(out, i ? ",{\"index\":" : "{\"index\":");
		out_u64(out, interface->index);
		out_string(out, ",\"name\":");
		json_text(out, interface->name);
		write_bool(out, ",\"up\":", interface->is_up);
		write_bool(out, ",\"loopback\":", interface->is_loopback);
		out_char(out, '}');
	}
	out_char(out, ']');
}

static void write_addresses(struct out *out, const struct netns *netns)
{
	out_string(out, ",\"addresses\":[");
	for (uint32_t i = 0; i < netns->n_addresses; i++) {
		const struct interface_address *address = &netns->addresses[i];
		char text[FORMAT_IP_MAX];
		out_string(out, i ? ",{\"address\":\"" : "{\"address\":\"");
		out_bytes(out, text, ip_format(text, &address->ip, address->is_v4));
		out_string(out, "\",\"prefix\":");
		out_u64(out, address->prefix);
		out_string(out, ",\"interface\":");
		out_u64(out, address->interface);
		out_char(out, '}');
	}
	out_char(out, ']');
}

void json_namespaces(struct out *out, const struct snapshot *snapshot)
{
	out_char(out, '[');
	for (uint32_t i = 0; i < snapshot->netns.n; i++) {
		const struct netns *netns = snapshot_netns(snapshot, i);
		out_string(out, i ? ",{\"netns\":" : "{\"netns\":");
		out_u64(out, netns->inode);
		out_string(out, ",\"name\":");
		json_text(out, netns->name);
		write_bool(out, ",\"self\":", netns->is_self);
		write_bool(out, ",\"initial\":", netns->is_initial);
		if (netns->ephemeral.last)
			out_format(out, ",\"ephemeral_first\":%u,\"ephemeral_last\":%u",
				   netns->ephemeral.first, netns->ephemeral.last);
		if (netns->is_detailed) {
			write_ranges(out, netns);
			write_interfaces(out, netns);
			write_addresses(out, netns);
		}
		out_char(out, '}');
	}
	out_char(out, ']');
}

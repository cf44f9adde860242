/* What is true of a network namespace, as bytes of a row: numbers of this machine's order. */
#include <errno.h>
#include <string.h>

#include "base/out.h"
#include "history/intern.h"

#define MANY 4096 /* of each kind; more is left out */

struct head {
	uint16_t ephemeral_first, ephemeral_last, unprivileged_start, is_detailed;
	uint16_t n_interfaces, n_addresses, n_reserved, padding;
};
struct packed_address {
	uint8_t ip[16];
	uint32_t interface;
	uint8_t prefix, is_v4, is_tentative, padding;
};
struct packed_interface {
	uint32_t index;
	uint8_t is_up, is_loopback, length, padding; /* the name follows */
};

static uint16_t at_most(uint32_t n)
{
	return (uint16_t)(n < MANY ? n : MANY);
}

void details_write(struct out *out, const struct netns *netns)
{
	struct head head = {.ephemeral_first = netns->ephemeral.first,
			    .ephemeral_last = netns->ephemeral.last,
			    .unprivileged_start = netns->unprivileged_start,
			    .is_detailed = netns->is_detailed,
			    .n_interfaces = at_most(netns->n_interfaces),
			    .n_addresses = at_most(netns->n_addresses),
			    .n_reserved = at_most(netns->n_reserved)};
	out_bytes(out, &head, sizeof(head));
	if (head.n_reserved)
		out_bytes(out, netns->reserved, head.n_reserved * sizeof(*netns->reserved));
	for (uint32_t i = 0; i < head.n_addresses; i++) {
		const struct interface_address *address = &netns->addresses[i];
		struct packed_address packed = {.interface = address->interface,
						.prefix = address->prefix,
						.is_v4 = address->is_v4,
						.is_tentative = address->is_tentative};
		memcpy(packed.ip, address->ip.bytes, sizeof(packed.ip));
		out_bytes(out, &packed, sizeof(packed));
	}
	for (uint32_t i = 0; i < head.n_interfaces; i++) {
		const struct interface *interface = &netns->interfaces[i];
		const char *name = interface->name ? interface->name : "";
		struct packed_interface packed = {.index = interface->index,
						  .is_up = interface->is_up,
						  .is_loopback = interface->is_loopback,
						  .length = (uint8_t)strnlen(name, UINT8_MAX)};
		out_bytes(out, &packed, sizeof(packed));
		out_bytes(out, name, packed.length);
	}
}

/* The next @n bytes at @to; false: there are not so many. */
static bool take(const char **bytes, size_t *left, void *to, size_t n)
{
	if (*left < n)
		return false;
	memcpy(to, *bytes, n);
	*bytes += n;
	*left -= n;
	return true;
}

static int read_addresses(const char **at, size_t *left, uint32_t n, struct arena *arena,
			  struct netns *netns)
{
	struct packed_address packed;
	struct interface_address *all = arena_alloc(arena, (n + 1) * sizeof(*all));
	if (!all)
		return -ENOMEM;
	netns->addresses = all;
	for (; netns->n_addresses < n && take(at, left, &packed, sizeof(packed));
	     netns->n_addresses++, all++) {
		*all = (struct interface_address){.interface = packed.interface,
						  .prefix =
							  packed.prefix > 128 ? 128 : packed.prefix,
						  .is_v4 = packed.is_v4 != 0,
						  .is_tentative = packed.is_tentative != 0};
		memcpy(all->ip.bytes, packed.ip, sizeof(packed.ip));
	}
	return 0;
}

static int read_interfaces(const char **at, size_t *left, uint32_t n, struct arena *arena,
			   struct netns *netns)
{
	struct packed_interface packed;
	char name[UINT8_MAX];
	struct interface *all = arena_alloc(arena, (n + 1) * sizeof(*all));
	if (!all)
		return -ENOMEM;
	netns->interfaces = all;
	for (; netns->n_interfaces < n && take(at, left, &packed, sizeof(packed)) &&
	       take(at, left, name, packed.length);
	     netns->n_interfaces++, all++) {
		const char *kept = arena_intern(arena, name, packed.length);
		if (!kept)
			return -ENOMEM;
		*all = (struct interface){.index = packed.index,
					  .name = kept,
					  .is_up = packed.is_up != 0,
					  .is_loopback = packed.is_loopback != 0};
	}
	return 0;
}

int details_read(const void *bytes, size_t n, struct arena *arena, struct netns *netns)
{
	const char *at = bytes;
	struct head head;
	if (!take(&at, &n, &head, sizeof(head)))
		return 0;
	netns->ephemeral = (struct port_range){head.ephemeral_first, head.ephemeral_last};
	netns->unprivileged_start = head.unprivileged_start;
	netns->is_detailed = head.is_detailed != 0;
	struct port_range *reserved =
		arena_alloc(arena, (at_most(head.n_reserved) + 1u) * sizeof(*reserved));
	if (!reserved)
		return -ENOMEM;
	size_t size = at_most(head.n_reserved) * sizeof(*reserved);
	if (take(&at, &n, reserved, size)) {
		netns->reserved = reserved;
		netns->n_reserved = at_most(head.n_reserved);
	}
	int r = read_addresses(&at, &n, at_most(head.n_addresses), arena, netns);
	return r < 0 ? r : read_interfaces(&at, &n, at_most(head.n_interfaces), arena, netns);
}

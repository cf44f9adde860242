/* What a saved snapshot says beside its sockets: the host, what is missing, the namespaces. */
#include <errno.h>
#include <string.h>

#include "source/saved-restore.h"

/* Words that a later version has added are told as what is most general. */
static void read_missing(struct restore *restore, json_t *object)
{
	const char *what = json_string_value(json_object_get(object, "what")),
		   *why = json_string_value(json_object_get(object, "why"));
	struct missing missing = {.what = WHAT_SOCKETS, .why = WHY_ERROR};
	for (unsigned i = 0; what && i < WHAT_MAX; i++)
		if (strcmp(what, what_words[i]) == 0)
			missing.what = i;
	for (unsigned i = 0; why && i < WHY_MAX; i++)
		if (strcmp(why, why_words[i]) == 0)
			missing.why = i;
	restore_number(restore, object, "count", INT64_MAX, &missing.count);
	missing.hint = restore_text(restore, object, "hint");
	restore->has_no_memory |= snapshot_add_missing(restore->snapshot, &missing) < 0;
}

int restore_envelope(struct restore *restore, json_t *object)
{
	struct snapshot *snapshot = restore->snapshot;
	double time;
	if (restore_real(restore, object, "time", &time))
		snapshot->time = time;
	const char *host = restore_text(restore, object, "host"),
		   *boot_id = restore_text(restore, object, "boot_id");
	snapshot->host = host ? host : snapshot->host;
	snapshot->boot_id = boot_id ? boot_id : snapshot->boot_id;

	json_t *list = json_object_get(object, "missing"), *one;
	size_t i;
	json_array_foreach(list, i, one)
	{
		read_missing(restore, one);
	}
	if (restore_bool(restore, object, "complete") == 0 && !snapshot->missing.n)
		read_missing(restore, NULL);
	return restore->has_no_memory ? -ENOMEM : 0;
}

static bool read_range(json_t *value, struct port_range *ret)
{
	json_int_t first = json_integer_value(json_array_get(value, 0)),
		   last = json_integer_value(json_array_get(value, 1));
	if (json_array_size(value) != 2 || first < 0 || first > last || last > UINT16_MAX)
		return false;
	*ret = (struct port_range){(uint16_t)first, (uint16_t)last};
	return true;
}

static void *array_for(struct restore *restore, json_t *list, size_t size)
{
	void *array = arena_alloc(&restore->snapshot->arena, (json_array_size(list) + 1) * size);
	restore->has_no_memory |= !array;
	return array;
}

static void read_ranges(struct restore *restore, json_t *object, struct netns *netns)
{
	json_t *reserved = json_object_get(object, "reserved"), *one;
	size_t i;
	uint64_t start, first, last;
	if (restore_number(restore, object, "ephemeral_first", UINT16_MAX, &first) &&
	    restore_number(restore, object, "ephemeral_last", UINT16_MAX, &last))
		netns->ephemeral = (struct port_range){(uint16_t)first, (uint16_t)last};
	if (restore_number(restore, object, "unprivileged_start", UINT16_MAX, &start))
		netns->unprivileged_start = (uint16_t)start;

	struct port_range *ranges = array_for(restore, reserved, sizeof(*ranges));
	uint32_t n = 0;
	json_array_foreach(reserved, i, one)
	{
		if (ranges && read_range(one, &ranges[n]))
			n++;
		else
			restore->wrong = "reserved";
	}
	netns->reserved = ranges;
	netns->n_reserved = n;
}

static void read_interfaces(struct restore *restore, json_t *object, struct netns *netns)
{
	json_t *list = json_object_get(object, "interfaces"), *one;
	struct interface *interfaces = array_for(restore, list, sizeof(*interfaces));
	uint32_t n = 0;
	size_t i;
	json_array_foreach(list, i, one)
	{
		uint64_t index;
		const char *name = restore_text(restore, one, "name");
		if (!interfaces || !name ||
		    !restore_number(restore, one, "index", INT32_MAX, &index))
			continue;
		interfaces[n++] = (struct interface){
			.index = (uint32_t)index,
			.name = name,
			.is_up = restore_bool(restore, one, "up") > 0,
			.is_loopback = restore_bool(restore, one, "loopback") > 0,
		};
	}
	netns->interfaces = interfaces;
	netns->n_interfaces = n;
}

static void read_addresses(struct restore *restore, json_t *object, struct netns *netns)
{
	json_t *list = json_object_get(object, "addresses"), *one;
	struct interface_address *addresses = array_for(restore, list, sizeof(*addresses));
	uint32_t n = 0;
	size_t i;
	json_array_foreach(list, i, one)
	{
		uint64_t interface = 0, prefix = 0;
		json_t *text = json_object_get(one, "address");
		struct ip ip;
		bool is_v4;
		if (!json_is_string(text) ||
		    ip_parse(json_string_value(text), json_string_length(text), &ip, &is_v4) < 0) {
			restore->wrong = "addresses";
			continue;
		}
		restore_number(restore, one, "interface", INT32_MAX, &interface);
		restore_number(restore, one, "prefix", is_v4 ? 32 : 128, &prefix);
		if (addresses)
			addresses[n++] = (struct interface_address){
				.ip = ip,
				.interface = (uint32_t)interface,
				.prefix = (uint8_t)prefix,
				.is_v4 = is_v4,
			};
	}
	netns->addresses = addresses;
	netns->n_addresses = n;
}

int restore_namespace(struct restore *restore, json_t *object)
{
	uint64_t inode;
	if (!restore_number(restore, object, "netns", INT64_MAX, &inode)) {
		restore->wrong = "netns";
		return 0;
	}
	uint32_t index = restore_netns(restore, inode);
	if (index == NONE)
		return -ENOMEM;
	struct netns *netns = vector_at(&restore->snapshot->netns, index);
	const char *name = restore_text(restore, object, "name");
	netns->name = name ? name : netns->name;
	netns->is_self = restore_bool(restore, object, "self") > 0;
	netns->is_initial = restore_bool(restore, object, "initial") > 0;
	netns->is_detailed = json_is_array(json_object_get(object, "addresses"));
	read_ranges(restore, object, netns);
	read_interfaces(restore, object, netns);
	read_addresses(restore, object, netns);
	restore->told |= TOLD_NAMESPACES;
	return restore->has_no_memory ? -ENOMEM : 0;
}

/* What a number means. */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/attributes.h"
#include "base/text.h"
#include "model/services.h"

const char *const class_words[CLASS_MAX + 1] = {"well-known", "registered", "dynamic"};

enum port_class port_class(uint16_t port)
{
	return port < 1024 ? CLASS_WELL_KNOWN : port < 49152 ? CLASS_REGISTERED : CLASS_DYNAMIC;
}

static uint32_t key_of(uint16_t port, enum proto proto)
{
	return (uint32_t)port << 8 | (proto == PROTO_UDPLITE ? PROTO_UDP : proto);
}

/* The first entry whose port and proto are not below. */
static const struct registry_entry *find_entry(enum proto proto, uint16_t port)
{
	uint32_t low = 0, high = registry_n_entries, key = key_of(port, proto);
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (key_of(registry_entries[middle].port, registry_entries[middle].proto) < key)
			low = middle + 1;
		else
			high = middle;
	}
	const struct registry_entry *entry = &registry_entries[low];
	return low < registry_n_entries && key_of(entry->port, entry->proto) == key ? entry : NULL;
}

static const char *host_name(const struct services *services, enum proto proto, uint16_t port)
{
	uint32_t low = 0, high = services->n, key = key_of(port, proto);
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (key_of(services->names[middle].port, services->names[middle].proto) < key)
			low = middle + 1;
		else
			high = middle;
	}
	bool is_there = low < services->n &&
			key_of(services->names[low].port, services->names[low].proto) == key;
	return is_there ? services->names[low].name : NULL;
}

const char *service_name(const struct services *services, enum proto proto, uint16_t port)
{
	if (proto == PROTO_RAW)
		return NULL;
	const char *name = services ? host_name(services, proto, port) : NULL;
	if (name)
		return name;
	const struct registry_entry *entry = find_entry(proto, port);
	return entry ? registry_strings + entry->name : NULL;
}

const char *service_description(enum proto proto, uint16_t port)
{
	const struct registry_entry *entry = proto == PROTO_RAW ? NULL : find_entry(proto, port);
	return entry && entry->description ? registry_strings + entry->description : NULL;
}

/* The first letter decides nearly always: a word that is none is held against the whole registry.
 */
static bool same_name(const char *a, const char *b)
{
	return ((*a ^ *b) & ~0x20) == 0 && strcasecmp(a, b) == 0;
}

static bool is_better(enum proto wanted, enum proto proto, enum proto best)
{
	return (wanted == PROTO_MAX || wanted == proto) && proto < best;
}

uint16_t service_port(const struct services *services, const char *name, enum proto proto)
{
	proto = proto == PROTO_UDPLITE ? PROTO_UDP : proto;
	enum proto best = PROTO_MAX;
	uint16_t found = 0;
	for (uint32_t i = 0; services && i < services->n; i++) {
		const struct service_name *service = &services->names[i];
		if (is_better(proto, service->proto, best) && same_name(service->name, name)) {
			best = service->proto;
			found = service->port;
		}
	}
	if (best != PROTO_MAX)
		return found;
	for (uint32_t i = 0; i < registry_n_entries; i++) {
		const struct registry_entry *entry = &registry_entries[i];
		if (is_better(proto, entry->proto, best) &&
		    same_name(registry_strings + entry->name, name)) {
			best = entry->proto;
			found = entry->port;
		}
	}
	return found;
}

static unsigned add_like(const char **names, unsigned n, const char *name, const char *typed)
{
	size_t length = strlen(name), wanted = strlen(typed);
	bool is_like =
		((*name ^ *typed) & ~0x20) == 0 && length + 2 >= wanted && wanted + 2 >= length;
	if (is_like)
		names[n++] = name;
	return n;
}

const char *service_nearest(const struct services *services, const char *typed)
{
	size_t room = (size_t)registry_n_entries + (services ? services->n : 0) + 1;
	cleanup(freep) const char **names = calloc(room, sizeof(*names));
	unsigned n = 0;
	if (!names || strlen(typed) < 3)
		return NULL;
	for (uint32_t i = 0; services && i < services->n; i++)
		n = add_like(names, n, services->names[i].name, typed);
	for (uint32_t i = 0; i < registry_n_entries; i++)
		n = add_like(names, n, registry_strings + registry_entries[i].name, typed);
	return text_nearest(typed, names);
}

/* Podman's database, of which only one thing is wanted: the ports that were published. Both kinds,
 * bolt (libpod/bolt_state.db) and SQLite (db.sql), keep a container's configuration as one text of
 * JSON, written once when it is made, so it is found by its id without a library for either. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/podman.h"

#define DATABASE_MAX (64 << 20)
#define CONFIG_MAX (1 << 20)
#define PAGE_NEXT 4 /* an overflow page begins with the number of the next */

void podman_init(struct podman *podman, const struct host *host)
{
	*podman = (struct podman){.host = host};
}

void podman_done(struct podman *podman)
{
	free(podman->text);
	*podman = (struct podman){0};
}

/* https://sqlite.org/fileformat.html: the size of a page stands at 16, big-endian, 1 for 65536.
 * The pages of a value that was written at once mostly follow each other. */
size_t podman_join_pages(char *bytes, size_t n)
{
	static const char magic[16] = "SQLite format 3";
	if (n < 18 || memcmp(bytes, magic, sizeof(magic)) != 0)
		return n;
	size_t page = (size_t)(uint8_t)bytes[16] << 8 | (uint8_t)bytes[17];
	page = page == 1 ? 65536 : page;
	if (page < 512)
		return n;
	size_t length = n < page ? n : page;
	for (size_t at = page; at + PAGE_NEXT < n; at += page) {
		size_t size = (n - at < page ? n - at : page) - PAGE_NEXT;
		memmove(bytes + length, bytes + at + PAGE_NEXT, size);
		length += size;
	}
	return length;
}

static uint16_t inner_port(const json_t *mappings, enum proto proto, uint16_t port)
{
	size_t i;
	json_t *mapping;
	json_array_foreach(mappings, i, mapping)
	{
		json_int_t outer = json_integer_value(json_object_get(mapping, "host_port")),
			   inner = json_integer_value(json_object_get(mapping, "container_port")),
			   range = json_integer_value(json_object_get(mapping, "range"));
		const char *protos = json_string_value(json_object_get(mapping, "protocol"));
		if (protos && protos[0] && !strstr(protos, proto_words[proto]))
			continue;
		range = range > 0 && range <= UINT16_MAX ? range : 1;
		if (outer > 0 && inner > 0 && port >= outer && port < outer + range &&
		    inner <= UINT16_MAX - (port - outer))
			return (uint16_t)(inner + (port - outer));
	}
	return 0;
}

/* The list behind @key that the next container's does not come before. */
static uint16_t port_behind(const char *at, const char *end, const char *key, enum proto proto,
			    uint16_t port)
{
	static const char next[] = "\"id\":\"";
	const char *limit = memmem(at, (size_t)(end - at), next, sizeof(next) - 1);
	if (limit)
		end = limit;
	const char *list = memmem(at, (size_t)(end - at), key, strlen(key));
	if (!list)
		return 0;
	list += strlen(key);
	json_t *mappings = json_loadb(list, (size_t)(end - list), JSON_DISABLE_EOF_CHECK, NULL);
	uint16_t found = inner_port(mappings, proto, port);
	json_decref(mappings);
	return found;
}

uint16_t podman_parse_port(const char *text, size_t n, const char *id, enum proto proto,
			   uint16_t port)
{
	/* since 3.4, and what it was called before */
	static const char *const keys[] = {"\"newPortMappings\":", "\"portMappings\":"};
	char own[160];
	int length = snprintf(own, sizeof(own), "\"id\":\"%s\"", id);
	if (length < 0 || (size_t)length >= sizeof(own))
		return 0;
	const char *end = text + n;
	for (const char *at = text; (at = memmem(at, (size_t)(end - at), own, (size_t)length));) {
		at += length;
		const char *limit = end - at > CONFIG_MAX ? at + CONFIG_MAX : end;
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			uint16_t found = port_behind(at, limit, keys[i], proto, port);
			if (found)
				return found;
		}
	}
	return 0;
}

/* /var/lib/containers/storage of /var/lib/containers/storage/overlay-containers/ID/userdata. */
static size_t storage_of(const char *bundle)
{
	const char *folder = strstr(bundle, "-containers/");
	const char *slash = folder ? memrchr(bundle, '/', (size_t)(folder - bundle)) : NULL;
	return slash ? (size_t)(slash - bundle) : 0;
}

static bool read_database(struct podman *podman, const char *storage)
{
	static const char *const files[] = {"libpod/bolt_state.db", "db.sql"};
	if (strcmp(podman->storage, storage) == 0)
		return podman->text != NULL;
	free(podman->text);
	podman->text = NULL;
	snprintf(podman->storage, sizeof(podman->storage), "%s", storage);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		ssize_t n = host_read_all(podman->host, &podman->text, DATABASE_MAX, "%s/%s",
					  storage, files[i]);
		if (n > 0) {
			podman->n = podman_join_pages(podman->text, (size_t)n);
			return true;
		}
	}
	return false;
}

uint16_t podman_port(struct podman *podman, int32_t pid, const char *bundle, const char *id,
		     enum proto proto, uint16_t port)
{
	char storage[512];
	size_t n = storage_of(bundle);
	int length = snprintf(storage, sizeof(storage), "proc/%d/root%.*s", pid, (int)n, bundle);
	if (!n || !id[0] || length < 0 || (size_t)length >= sizeof(storage))
		return 0;
	/* conmons of one engine see the same files: what one sees is read for all */
	const char *known = strstr(podman->storage, "/root/");
	if (known && strcmp(known, strstr(storage, "/root/")) == 0)
		snprintf(storage, sizeof(storage), "%s", podman->storage);
	if (!read_database(podman, storage))
		return 0;
	return podman_parse_port(podman->text, podman->n, id, proto, port);
}

/* Which ports a scan is for: "22,80-90,https,-". */
#include <errno.h>

#include "base/numbers.h"
#include "model/services.h"
#include "scan/targets.h"

#define PORTS 65536
#define HINT "-p 22,80-90,https or -p - for all"

static int parse_end(const char *text, size_t n, uint16_t otherwise, uint16_t *ret)
{
	char word[64];
	if (n == 0) {
		*ret = otherwise;
		return 0;
	}
	if (n >= sizeof(word))
		return -EINVAL;
	memcpy(word, text, n);
	word[n] = '\0';
	return number_u16(word, ret);
}

/* One of the list: a number, a range that may be open at either end, a service's name. */
static int parse_one(const char *word, uint16_t *first, uint16_t *last)
{
	const char *dash = strchr(word, '-');
	uint16_t named;
	if (word[strspn(word, "0123456789-")] != '\0') {
		named = service_port(NULL, word, PROTO_MAX);
		*first = *last = named;
		return named ? 0 : -EINVAL;
	}
	if (!dash)
		return number_u16(word, first) < 0 ? -EINVAL : (*last = *first, 0);
	if (parse_end(word, (size_t)(dash - word), 1, first) < 0 ||
	    parse_end(dash + 1, strlen(dash + 1), PORTS - 1, last) < 0)
		return -EINVAL;
	return *first <= *last ? 0 : -EINVAL;
}

int ports_parse(const char *text, struct vector *ret, struct error *err)
{
	cleanup(freep) char *copy = strdup(text);
	cleanup(freep) uint8_t *is_wanted = calloc(1, PORTS);
	char *rest = NULL;
	if (!copy || !is_wanted)
		return error_set(err, -ENOMEM, "read the ports");
	for (char *word = strtok_r(copy, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest)) {
		uint16_t first, last;
		if (parse_one(word, &first, &last) < 0 || first == 0) {
			error_text(err, -EINVAL, "%.60s is no port, no range and no service", word);
			error_hint(err, HINT);
			return -EINVAL;
		}
		memset(is_wanted + first, 1, (size_t)last - first + 1);
	}
	for (uint32_t port = 1; port < PORTS; port++) {
		uint16_t *added = is_wanted[port] ? vector_add(ret) : NULL;
		if (is_wanted[port] && !added)
			return error_set(err, -ENOMEM, "keep the ports");
		if (added)
			*added = (uint16_t)port;
	}
	if (ret->n)
		return 0;
	error_text(err, -EINVAL, "-p names no port");
	error_hint(err, HINT);
	return -EINVAL;
}

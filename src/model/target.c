/* A TARGET as people write it. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/format.h"
#include "base/numbers.h"
#include "base/text.h"
#include "model/target.h"

/* What was meant by a word, or a protocol before a slash, that is none. */
static void hint_nearest(const char *text, const struct services *services, struct error *err)
{
	const char *slash = strchr(text, '/'), *nearest = NULL;
	char proto[16];
	if (slash && (size_t)(slash - text) < sizeof(proto)) {
		snprintf(proto, sizeof(proto), "%.*s", (int)(slash - text), text);
		nearest = text_nearest(proto, proto_words);
		nearest = nearest && strcmp(nearest, proto) == 0 ? NULL : nearest;
	} else if (!slash && isalpha((unsigned char)text[0])) {
		nearest = service_nearest(services, text);
	}
	if (nearest)
		error_hint(err, "did you mean %s%.60s?", nearest, slash ? slash : "");
	else
		error_hint(err, "write 8080, 8000-8010, tcp/53, 127.0.0.1:5432, [::1]:443 or "
				"https");
}

static int fail(const char *text, const struct services *services, struct error *err)
{
	if (!err)
		return -EINVAL;
	if (text[0])
		error_text(err, -EINVAL, "%.80s is no port, no endpoint and no name of a service",
			   text);
	else
		error_text(err, -EINVAL, "an empty word is no port");
	hint_nearest(text, services, err);
	return -EINVAL;
}

static int find_proto(const char *text, size_t n)
{
	for (int i = 0; i < PROTO_MAX; i++)
		if (strlen(proto_words[i]) == n && strncasecmp(proto_words[i], text, n) == 0)
			return i;
	return -1;
}

/* "8080", "8000-8010", "https". */
static int parse_ports(const char *text, const struct services *services, struct target *ret)
{
	char first[8];
	const char *dash = strchr(text, '-');
	if (isdigit((unsigned char)text[0])) {
		if (!dash) {
			int r = number_u16(text, &ret->first);
			ret->last = ret->first;
			return r;
		}
		if ((size_t)(dash - text) >= sizeof(first))
			return -EINVAL;
		snprintf(first, sizeof(first), "%.*s", (int)(dash - text), text);
		int r = number_u16(first, &ret->first);
		if (r == 0)
			r = number_u16(dash + 1, &ret->last);
		return r < 0 ? r : ret->first > ret->last ? -EDOM : 0;
	}
	enum proto proto = PROTO_MAX;
	for (unsigned i = 0; i < PROTO_MAX; i++)
		if (ret->protos == 1u << i)
			proto = i;
	uint16_t port = service_port(services, text, proto);
	if (!port)
		return -EINVAL;
	ret->service = text;
	ret->first = ret->last = port;
	return 0;
}

/* "127.0.0.1:80", "[::1]:80", "localhost:80", ":80", "::1". *@ret_rest gets what stands behind the
 * colon; NULL when there is no address. */
static int parse_address(const char *text, struct target *ret, const char **ret_rest)
{
	const char *colon = strrchr(text, ':');
	*ret_rest = text;
	if (text[0] == '[') {
		const char *end = strchr(text, ']');
		if (!end || end[1] != ':' ||
		    ip_parse(text + 1, (size_t)(end - text - 1), &ret->address, &ret->is_v4) < 0)
			return -EINVAL;
		*ret_rest = end + 2;
	} else if (colon == text || (colon && colon == text + 1 && *text == '*')) {
		*ret_rest = colon + 1;
		return 0;
	} else if (colon && colon - text == 9 && strncasecmp(text, "localhost", 9) == 0) {
		ret->address = ip_from_v4((const uint8_t[4]){127, 0, 0, 1});
		ret->is_v4 = ret->is_localhost = true;
		*ret_rest = colon + 1;
	} else if (ip_parse(text, strlen(text), &ret->address, &ret->is_v4) == 0) {
		*ret_rest = NULL;
	} else if (colon && memchr(text, ':', (size_t)(colon - text)) == NULL) {
		if (ip_parse(text, (size_t)(colon - text), &ret->address, &ret->is_v4) < 0)
			return -EINVAL;
		*ret_rest = colon + 1;
	} else {
		return colon ? -EINVAL : 0;
	}
	ret->has_address = true;
	return 0;
}

int target_parse(const char *text, const struct services *services, struct target *ret,
		 struct error *err)
{
	*ret = (struct target){.protos = (1u << PROTO_MAX) - 1, .last = UINT16_MAX};
	const char *rest = text, *slash = strchr(text, '/');
	char ports[64];
	if (strlen(text) >= 200 || !text[0])
		return fail(text, services, err);
	if (slash) {
		int before = find_proto(text, (size_t)(slash - text)),
		    behind = find_proto(slash + 1, strlen(slash + 1));
		if (before >= 0) {
			rest = slash + 1;
		} else if (behind >= 0 && (size_t)(slash - text) < sizeof(ports)) {
			snprintf(ports, sizeof(ports), "%.*s", (int)(slash - text), text);
			rest = ports;
			before = behind;
		} else {
			return fail(text, services, err);
		}
		ret->protos = 1u << before;
	}
	const char *port;
	int r = parse_address(rest, ret, &port);
	if (r < 0)
		return fail(text, services, err);
	if (!port)
		return 0;
	r = parse_ports(port, services, ret);
	if (rest == ports) /* only borrowed from the text */
		ret->service = NULL;
	if (r == -ERANGE)
		return error_text(err, -EINVAL, "%.80s: ports go from 0 to 65535", text);
	if (r == -EDOM)
		return error_text(err, -EINVAL, "%.80s: a range goes from the small to the large",
				  text);
	return r < 0 ? fail(text, services, err) : 0;
}

bool target_looks_like(const char *text, const struct services *services)
{
	struct target target;
	const char *slash = strchr(text, '/');
	if (isdigit((unsigned char)text[0]) || text[0] == '[' || text[0] == ':')
		return true;
	if (slash && (find_proto(text, (size_t)(slash - text)) >= 0 ||
		      find_proto(slash + 1, strlen(slash + 1)) >= 0))
		return true;
	return target_parse(text, services, &target, NULL) == 0;
}

/* The address, and the wildcards that take its packets: :: takes those of IPv4 unless it is v6only
 * (where that is not known it may). */
static void address_text(const struct target *target, char *to, size_t size)
{
	char address[FORMAT_IP_MAX + 1];
	address[ip_format(address, &target->address, target->is_v4)] = '\0';
	const char *localhost = target->is_localhost ? "::1, ::, " : "";
	if (target->is_v4)
		snprintf(to, size, "(address in (%s%s, 0.0.0.0) or address = :: and not v6only)",
			 localhost, address);
	else
		snprintf(to, size, "address in (%s, ::)", address);
}

void target_filter_text(const struct target *target, char *to, size_t size)
{
	const char *and = "";
	size_t n = 0;
	bool has_ports = target->first || target->last != UINT16_MAX || !target->has_address;
	to[0] = '\0';
	if (has_ports) {
		n = (size_t)snprintf(to, size, "port in %u-%u", target->first, target->last);
		and = " and ";
	}
	for (unsigned i = 0; i < PROTO_MAX && n < size; i++)
		if (target->protos == 1u << i) {
			n += (size_t)snprintf(to + n, size - n, "%sproto = %s", and,
					      proto_words[i]);
			and = " and ";
		}
	if (target->has_address && n + strlen(and) < size) {
		n += (size_t)snprintf(to + n, size - n, "%s", and);
		address_text(target, to + n, size - n);
	}
}

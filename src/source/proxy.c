/* Holders of published ports, by name and command line. */
#include <stdio.h>
#include <string.h>

#include "base/attributes.h"
#include "base/numbers.h"
#include "source/proxy.h"

/* The word behind " @option " or "@option=" at or after *@at, to @to; *@at goes behind it. */
static bool next_option(const char **at, const char *cmdline, const char *option, char *to,
			size_t size)
{
	size_t n = strlen(option);
	for (const char *found = strstr(*at, option); found; found = strstr(found + n, option)) {
		if ((found > cmdline && found[-1] != ' ') || (found[n] != ' ' && found[n] != '='))
			continue;
		const char *word = found + n + 1;
		size_t length = strcspn(word, " ");
		snprintf(to, size, "%.*s", (int)length, word);
		*at = word + length;
		return to[0] != '\0';
	}
	return false;
}

static bool option_of(const char *cmdline, const char *option, char *to, size_t size)
{
	const char *at = cmdline;
	return next_option(&at, cmdline, option, to, size);
}

static void parse_docker(const char *cmdline, struct proxy *ret)
{
	char word[64];
	bool is_v4;
	if (option_of(cmdline, "-container-port", word, sizeof(word)) &&
	    number_u16(word, &ret->port) < 0)
		ret->port = 0;
	ret->has_ip = option_of(cmdline, "-container-ip", word, sizeof(word)) &&
		      ip_parse(word, strlen(word), &ret->ip, &is_v4) == 0;
}

static void parse_conmon(const char *cmdline, struct proxy *ret)
{
	option_of(cmdline, "-c", ret->id, sizeof(ret->id));
	option_of(cmdline, "-n", ret->name, sizeof(ret->name));
	option_of(cmdline, "-b", ret->bundle, sizeof(ret->bundle));
	ret->port = 0;
}

/* The last word that is a number: the process whose namespace is served. */
static int32_t last_number(const char *cmdline)
{
	int32_t found = 0;
	for (const char *word = cmdline; *word;) {
		char text[16];
		uint32_t number;
		size_t n = strcspn(word, " ");
		snprintf(text, sizeof(text), "%.*s", n < sizeof(text) ? (int)n : 0, word);
		if (number_u32(text, 1, INT32_MAX, &number) == 0)
			found = (int32_t)number;
		word += n;
		word += strspn(word, " ");
	}
	return found;
}

static void parse_namespace(const char *cmdline, struct proxy *ret)
{
	const char *path = NULL;
	if (option_of(cmdline, "--netns", ret->netns, sizeof(ret->netns)))
		return;
	if (!strstr(cmdline, "--netns-type=path") && !strstr(cmdline, "--netns-type path")) {
		ret->pid = last_number(cmdline);
		return;
	}
	/* slirp4netns ... PATH TAP */
	for (const char *at = strstr(cmdline, " /"); at; at = strstr(at + 1, " /"))
		path = at + 1;
	if (path)
		snprintf(ret->netns, sizeof(ret->netns), "%.*s", (int)strcspn(path, " "), path);
}

/* "A-B" or "A" at *@at; *@at goes behind it. */
static bool parse_range(const char **at, const char *end, uint64_t *ret_first, uint64_t *ret_last)
{
	if (number_scan(at, end, 10, ret_first) < 0)
		return false;
	*ret_last = *ret_first;
	if (*at < end && **at == '-') {
		++*at;
		return number_scan(at, end, 10, ret_last) == 0;
	}
	return true;
}

/* Of "8080", "8080:80", "10.0.0.1/8080:80", "8000-8010:9000-9010", a comma between them (pasta(1)):
 * where @port goes to, or 0. */
static uint16_t map_of_pasta(const char *spec, uint16_t port)
{
	for (const char *at = spec; *at;) {
		size_t n = strcspn(at, ",");
		const char *end = at + n, *slash = memchr(at, '/', n);
		uint64_t first, last, to_first, to_last;
		const char *digits = slash ? slash + 1 : at;
		if (parse_range(&digits, end, &first, &last) && port >= first && port <= last) {
			to_first = first;
			if (digits < end && *digits == ':') {
				digits++;
				if (!parse_range(&digits, end, &to_first, &to_last))
					return 0;
			}
			uint64_t to = to_first + (port - first);
			return to <= UINT16_MAX ? (uint16_t)to : 0;
		}
		at = *end ? end + 1 : end;
	}
	return 0;
}

/* "127.0.0.1:8080:80/tcp" (rootlesskit(1)): where @port goes to, or 0. */
static uint16_t map_of_rootlesskit(const char *spec, uint16_t port)
{
	const char *end = spec + strcspn(spec, "/"),
		   *last = memrchr(spec, ':', (size_t)(end - spec));
	const char *from = last ? memrchr(spec, ':', (size_t)(last - spec)) : NULL;
	uint64_t inner, outer;
	if (!last)
		return 0;
	from = from ? from + 1 : spec;
	last++;
	if (number_scan(&from, end, 10, &outer) < 0 || outer != port ||
	    number_scan(&last, end, 10, &inner) < 0 || inner > UINT16_MAX)
		return 0;
	return (uint16_t)inner;
}

static void apply_maps(const char *cmdline, const char *option,
		       uint16_t (*map)(const char *, uint16_t), uint16_t port, struct proxy *ret)
{
	char spec[512];
	for (const char *at = cmdline; next_option(&at, cmdline, option, spec, sizeof(spec));) {
		uint16_t to = map(spec, port);
		if (to)
			ret->port = to;
	}
}

static bool starts(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

/* pasta is passt under another name; the program that fits the processor may have a word behind. */
static bool is_pasta(const char *name, const char *cmdline)
{
	size_t n = strcspn(cmdline, " ");
	const char *slash = memrchr(cmdline, '/', n), *called = slash ? slash + 1 : cmdline;
	return starts(name, "pasta") || (starts(name, "passt") && starts(called, "pasta"));
}

bool proxy_parse(const char *name, const char *cmdline, enum proto proto, uint16_t port,
		 struct proxy *ret)
{
	bool is_tcp = proto == PROTO_TCP;
	*ret = (struct proxy){.port = port};
	if (strcmp(name, "docker-proxy") == 0) {
		ret->kind = PROXY_DOCKER;
		parse_docker(cmdline, ret);
	} else if (strcmp(name, "conmon") == 0) {
		ret->kind = PROXY_CONMON;
		parse_conmon(cmdline, ret);
	} else if (strcmp(name, "slirp4netns") == 0) {
		ret->kind = PROXY_NAMESPACE;
		ret->port = 0;
		parse_namespace(cmdline, ret);
	} else if (is_pasta(name, cmdline)) {
		ret->kind = PROXY_NAMESPACE;
		parse_namespace(cmdline, ret);
		apply_maps(cmdline, is_tcp ? "-t" : "-u", map_of_pasta, port, ret);
		apply_maps(cmdline, is_tcp ? "--tcp-ports" : "--udp-ports", map_of_pasta, port,
			   ret);
	} else if (strcmp(name, "rootlesskit") == 0) {
		ret->kind = PROXY_PARENT;
		apply_maps(cmdline, "-p", map_of_rootlesskit, port, ret);
		apply_maps(cmdline, "--publish", map_of_rootlesskit, port, ret);
	} else if (starts(name, "rootlessport")) {
		ret->kind = PROXY_PARENT;
		ret->port = 0;
	}
	return ret->kind != PROXY_NONE;
}

bool proxy_may_be(const char *name)
{
	static const char *const names[] = {"docker-proxy", "conmon", "slirp4netns", "rootlesskit",
					    "rootlessport", "pasta",  "passt"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (starts(name, names[i]))
			return true;
	return false;
}

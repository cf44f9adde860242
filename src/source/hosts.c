/* /etc/hosts, and what /etc/gai.conf says of the order of addresses. */
#include <errno.h>
#include <stdio.h>

#include "base/vector.h"
#include "source/hosts.h"

#define FILE_LIMIT (4u << 20) /* lists of blocked names in /etc/hosts grow large */
#define NAMES_MAX 4096

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of a line before a comment; its length, 0 at the end. */
static size_t next_word(const char **at, const char *end, const char **word)
{
	while (*at < end && is_blank(**at))
		(*at)++;
	*word = *at;
	while (*at < end && !is_blank(**at) && **at != '#')
		(*at)++;
	return (size_t)(*at - *word);
}

static bool word_is(const char *word, size_t n, const char *wanted)
{
	return n == strlen(wanted) && memcmp(word, wanted, n) == 0;
}

static int parse_line(const char *at, const char *end, struct arena *arena, struct vector *names,
		      struct hosts *ret)
{
	struct ip ip;
	bool is_v4;
	const char *word;
	size_t n = next_word(&at, end, &word);
	if (!n || ip_parse(word, n, &ip, &is_v4) < 0)
		return 0;

	bool is_first = true;
	while ((n = next_word(&at, end, &word))) {
		if (word_is(word, n, "localhost")) {
			ret->localhost_v4 |= is_v4;
			ret->localhost_v6 |= !is_v4;
		}
		if (!is_first || names->n >= NAMES_MAX)
			continue;
		is_first = false;
		struct host_name *added = vector_add(names);
		const char *name = arena_intern(arena, word, n);
		if (!added || !name)
			return -ENOMEM;
		*added = (struct host_name){.ip = ip, .name = name};
	}
	return 0;
}

int hosts_parse(const char *bytes, size_t n, struct arena *arena, struct hosts *ret)
{
	struct vector names;
	const char *end = bytes + n;
	int r = 0;

	*ret = (struct hosts){.n = 0};
	vector_init(&names, sizeof(struct host_name));
	while (r >= 0 && bytes < end) {
		const char *line_end = memchr(bytes, '\n', (size_t)(end - bytes));
		if (!line_end)
			line_end = end;
		r = parse_line(bytes, line_end, arena, &names, ret);
		bytes = line_end < end ? line_end + 1 : end;
	}
	if (r >= 0 && names.n) {
		struct host_name *kept = arena_alloc(arena, names.n * sizeof(*kept));
		if (kept) {
			memcpy(kept, names.data, names.n * sizeof(*kept));
			ret->names = kept;
			ret->n = names.n;
		} else {
			r = -ENOMEM;
		}
	}
	vector_done(&names);
	return r;
}

bool gai_puts_v4_first(const char *bytes, size_t n)
{
	const char *end = bytes + n;
	while (bytes < end) {
		const char *line_end = memchr(bytes, '\n', (size_t)(end - bytes)), *word;
		const char *at = bytes;
		if (!line_end)
			line_end = end;
		bytes = line_end < end ? line_end + 1 : end;

		size_t length = next_word(&at, line_end, &word);
		if (!word_is(word, length, "precedence"))
			continue;
		length = next_word(&at, line_end, &word);
		if (!word_is(word, length, "::ffff:0:0/96"))
			continue;
		length = next_word(&at, line_end, &word);
		/* ::1 has 50, so that only what is above it changes localhost's order */
		if (length >= 3 || (length == 2 && memcmp(word, "50", 2) > 0))
			return true;
	}
	return false;
}

int hosts_read(struct host *host, struct arena *arena, struct hosts *ret, struct error *err)
{
	cleanup(freep) char *hosts = NULL, *gai = NULL;
	*ret = (struct hosts){.n = 0};
	ssize_t n = host_read_all(host, &hosts, FILE_LIMIT, "etc/hosts");
	if (n > 0) {
		int r = hosts_parse(hosts, (size_t)n, arena, ret);
		if (r < 0)
			return error_set(err, r, "read /etc/hosts");
	}
	n = host_read_all(host, &gai, FILE_LIMIT, "etc/gai.conf");
	if (n > 0)
		ret->is_v4_first = gai_puts_v4_first(gai, (size_t)n);
	return 0;
}

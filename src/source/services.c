/* /etc/services: name port/protocol aliases... # comment (services(5)). */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/numbers.h"
#include "base/vector.h"
#include "source/services.h"

#define SERVICES_MAX (4 << 20)

struct line_name {
	struct service_name service;
	uint32_t number; /* of the name in the file: of several for a port the first is told */
};

static int compare(const void *a, const void *b)
{
	const struct line_name *x = a, *y = b;
	if (x->service.port != y->service.port)
		return x->service.port < y->service.port ? -1 : 1;
	if (x->service.proto != y->service.proto)
		return x->service.proto < y->service.proto ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The word at *@at, which moves behind it and the blanks that follow; its length, 0 at the end. */
static size_t next_word(const char **at, const char *end, const char **ret)
{
	while (*at < end && is_blank(**at))
		++*at;
	*ret = *at;
	while (*at < end && !is_blank(**at))
		++*at;
	return (size_t)(*at - *ret);
}

static int add_name(const char *word, size_t n, uint16_t port, uint8_t proto, struct arena *arena,
		    struct vector *names)
{
	struct line_name *added = vector_add(names);
	const char *name = arena_intern(arena, word, n);
	if (!added || !name)
		return -ENOMEM;
	*added = (struct line_name){.service = {.port = port, .proto = proto, .name = name},
				    .number = names->n};
	return 0;
}

static int read_line(const char *line, const char *end, struct arena *arena, struct vector *names)
{
	const char *comment = memchr(line, '#', (size_t)(end - line)), *at = line, *name, *word;
	end = comment ? comment : end;
	uint64_t port;
	size_t n_name = next_word(&at, end, &name), n_word = next_word(&at, end, &word);
	const char *digits = word, *stop = word + n_word;
	if (!n_name || !n_word || number_scan(&digits, stop, 10, &port) < 0 || port > UINT16_MAX ||
	    digits == stop || *digits++ != '/')
		return 0;
	uint8_t proto = 0;
	while (proto < PROTO_MAX &&
	       (strlen(proto_words[proto]) != (size_t)(stop - digits) ||
		memcmp(proto_words[proto], digits, (size_t)(stop - digits)) != 0))
		proto++;
	if (proto == PROTO_MAX)
		return 0;
	int r = add_name(name, n_name, (uint16_t)port, proto, arena, names);
	while (r >= 0 && (n_word = next_word(&at, end, &word)))
		r = add_name(word, n_word, (uint16_t)port, proto, arena, names);
	return r;
}

int services_parse(const char *text, size_t n, struct arena *arena, const struct services **ret)
{
	cleanup(vector_done) struct vector names;
	vector_init(&names, sizeof(struct line_name));
	int r = 0;
	for (const char *line = text; r >= 0 && line < text + n;) {
		const char *end = memchr(line, '\n', (size_t)(text + n - line));
		end = end ? end : text + n;
		r = read_line(line, end, arena, &names);
		line = end + 1;
	}
	struct services *services = r < 0 ? NULL : arena_alloc(arena, sizeof(*services));
	struct service_name *kept =
		services ? arena_alloc(arena, ((size_t)names.n + 1) * sizeof(*kept)) : NULL;
	if (!kept)
		return -ENOMEM;
	if (names.n)
		qsort(names.data, names.n, sizeof(struct line_name), compare);
	for (uint32_t i = 0; i < names.n; i++)
		kept[i] = ((const struct line_name *)vector_at(&names, i))->service;
	*services = (struct services){.names = kept, .n = names.n};
	*ret = services;
	return 0;
}

int services_read(struct host *host, struct arena *arena, const struct services **ret,
		  struct error *err)
{
	*ret = NULL;
	cleanup(freep) char *text = NULL;
	ssize_t n = host_read_all(host, &text, SERVICES_MAX, "etc/services");
	int r = n < 0 ? (int)n : services_parse(text, (size_t)n, arena, ret);
	return r == -ENOMEM ? error_set(err, r, "read /etc/services") : 0;
}

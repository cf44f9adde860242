/* /etc/services: name port/protocol aliases... # comment (services(5)). */
#include <errno.h>
#include <string.h>

#include "base/numbers.h"
#include "base/vector.h"
#include "source/services.h"

#define SERVICES_MAX (4 << 20)

static int compare(const void *a, const void *b)
{
	const struct service_name *x = a, *y = b;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return x->proto < y->proto ? -1 : x->proto > y->proto;
}

static int read_line(const char *line, const char *end, struct arena *arena, struct vector *names)
{
	const char *comment = memchr(line, '#', (size_t)(end - line));
	end = comment ? comment : end;
	size_t n_name = 0;
	while (line + n_name < end && !strchr(" \t", line[n_name]))
		n_name++;
	const char *at = line + n_name;
	while (at < end && strchr(" \t", *at))
		at++;
	uint64_t port;
	if (!n_name || number_scan(&at, end, 10, &port) < 0 || port > UINT16_MAX || at == end ||
	    *at++ != '/')
		return 0;
	size_t n_proto = 0;
	while (at + n_proto < end && !strchr(" \t", at[n_proto]))
		n_proto++;
	for (uint8_t proto = 0; proto < PROTO_MAX; proto++) {
		if (strlen(proto_words[proto]) != n_proto ||
		    memcmp(proto_words[proto], at, n_proto) != 0)
			continue;
		struct service_name *added = vector_add(names);
		const char *name = arena_copy(arena, line, n_name);
		if (!added || !name)
			return -ENOMEM;
		*added =
			(struct service_name){.port = (uint16_t)port, .proto = proto, .name = name};
	}
	return 0;
}

int services_read(struct host *host, struct arena *arena, const struct services **ret,
		  struct error *err)
{
	*ret = NULL;
	cleanup(freep) char *text = NULL;
	ssize_t n = host_read_all(host, &text, SERVICES_MAX, "etc/services");
	if (n < 0)
		return n == -ENOMEM ? error_set(err, -ENOMEM, "read /etc/services") : 0;

	cleanup(vector_done) struct vector names;
	vector_init(&names, sizeof(struct service_name));
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
		return error_set(err, -ENOMEM, "read /etc/services");
	if (names.n) {
		memcpy(kept, names.data, (size_t)names.n * sizeof(*kept));
		qsort(kept, names.n, sizeof(*kept), compare);
	}
	*services = (struct services){.names = kept, .n = names.n};
	*ret = services;
	return 0;
}

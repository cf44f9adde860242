/* Prometheus and exporters: NAME_build_info{...,version="..."} in the text format of /metrics. */
#include <string.h>

#include "scan/identify/http.h"

static const char suffix[] = "_build_info{", key[] = "version=\"";

/* The label of just that name: not goversion. */
static const char *find_label(const char *line, size_t n)
{
	const char *at = line;
	while ((at = find_text(at, n - (size_t)(at - line), key))) {
		if (at > line && (at[-1] == '{' || at[-1] == ','))
			return at + strlen(key);
		at++;
	}
	return NULL;
}

bool http_read_metric(const char *line, size_t n, struct identified *seen)
{
	const char *at = find_text(line, n, suffix);
	if (!at || line[0] == '#' || at == line)
		return false;
	size_t name = (size_t)(at - line);
	const char *value = find_label(line, n);
	const char *end = value ? memchr(value, '"', n - (size_t)(value - line)) : NULL;
	if (!end || (name == 2 && begins(line, n, "go"))) /* of the library, not of the program */
		return false;
	KEEP(seen->product, line, name);
	KEEP(seen->version, value, (size_t)(end - value));
	if (strcmp(seen->product, "prometheus") == 0)
		keep_service(seen, "prometheus");
	else
		keep_service(seen, "prometheus-exporter");
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Identifies what is named, for the tests: ADDRESS PORT tcp|udp HINT|- own|other ... One line of
 * JSON for each as it is known, and at last one of all. Options before: --limit MS, --port-limit
 * MS,
 * --here (in this process). */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/module.h"
#include "base/numbers.h"
#include "scan/identify.h"
#include "scan/identify/loop.h"

#define TARGETS_MAX 70000

#ifdef HAVE_TLS
extern const struct module module_tls;
extern const struct module *const modules_builtin[];
const struct module *const modules_builtin[] = {&module_tls, NULL};
#endif

struct printing {
	struct identify_sink sink;
	const struct identify_target *targets;
	struct timespec start;
};

static double since(const struct timespec *start)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static json_t *text(const char *value)
{
	return value[0] ? json_string(value) : json_null();
}

static json_t *tls_of(const struct identified_tls *tls)
{
	json_t *names = json_array();
	for (unsigned i = 0; i < tls->n_names; i++)
		json_array_append_new(names, json_string(tls->names[i]));
	return json_pack("{s:o, s:o, s:o, s:I, s:b}", "version", text(tls->version), "cipher",
			 text(tls->cipher), "names", names, "not_after", (json_int_t)tls->not_after,
			 "starttls", tls->is_upgraded);
}

static int print(struct identify_sink *sink, size_t i, const struct identified *what)
{
	struct printing *printing = (void *)sink;
	json_t *findings = json_array();
	for (unsigned bit = 0; bit < FINDING_MAX; bit++)
		if (what->findings >> bit & 1)
			json_array_append_new(findings, json_string(finding_words[bit]));
	json_t *line = json_pack(
		"{s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:f}", "port",
		(int)printing->targets[i].port, "outcome", identify_outcome_words[what->outcome],
		"service", text(what->service), "product", text(what->product), "version",
		text(what->version), "protocol_version", text(what->protocol_version), "tls",
		what->tls.is_there ? tls_of(&what->tls) : json_null(), "findings", findings,
		"after", since(&printing->start));
	char *bytes = line ? json_dumps(line, JSON_COMPACT) : NULL;
	puts(bytes ? bytes : "{\"error\": \"not text\"}");
	fflush(stdout);
	free(bytes);
	json_decref(line);
	return 0;
}

static bool read_target(char **words, struct identify_target *ret)
{
	bool is_v4;
	ret->proto = strcmp(words[2], "udp") == 0 ? PROTO_UDP : PROTO_TCP;
	ret->hint = strcmp(words[3], "-") == 0 ? NULL : words[3];
	ret->is_own = strcmp(words[4], "own") == 0;
	return ip_parse(words[0], strlen(words[0]), &ret->address, &is_v4) == 0 &&
	       number_u16(words[1], &ret->port) == 0;
}

int main(int argc, char **argv)
{
	struct identify_options options = {0};
	struct error err = {0}, absent = {0};
	bool here = false;
	int at = 1;
	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "--here") == 0)
			here = true;
		else if (strcmp(argv[at], "--limit") == 0 && at + 1 < argc)
			number_u32(argv[++at], 0, UINT32_MAX, &options.limit_ms);
		else if (strcmp(argv[at], "--port-limit") == 0 && at + 1 < argc)
			number_u32(argv[++at], 0, UINT32_MAX, &options.port_limit_ms);
		else
			return 2;
	}
	size_t n = (size_t)(argc - at) / 5;
	struct identify_target *targets = calloc(n ? n : 1, sizeof(*targets));
	if (!targets || n > TARGETS_MAX)
		return 3;
	for (size_t i = 0; i < n; i++)
		if (!read_target(argv + at + 5 * i, &targets[i]))
			return 2;
	struct printing printing = {.sink.identified = print, .targets = targets};
	clock_gettime(CLOCK_MONOTONIC, &printing.start);
	int r = here ? identify_here(targets, n, &options, module_get("tls", TLS_VERSION, &absent),
				     &printing.sink, NULL, &err)
		     : identify_ports(targets, n, &options, &printing.sink, stop_install(), &err);
	printf("{\"done\": %d, \"seconds\": %.3f}\n", r, since(&printing.start));
	if (r < 0)
		fprintf(stderr, "%s\n", err.what);
	free(targets);
	return r < 0 ? 3 : 0;
}

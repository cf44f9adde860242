/* Where the sockets come from, for every command that looks. */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "base/debug.h"
#include "base/numbers.h"
#include "base/privilege.h"
#include "cmd/look.h"
#include "collect/collect.h"
#include "source/saved.h"
#include "source/services.h"

const char *const look_source_words[] = {"auto", "bpf", "proc", NULL};

const struct services *look_services(struct context *context)
{
	if (!context->services)
		services_read(&context->host, &context->arena, &context->services, NULL);
	return context->services;
}

static int scope_of(const struct look *look, struct netns_scope *ret, struct error *err)
{
	uint32_t pid;
	*ret = (struct netns_scope){.choice = NETNS_ALL};
	if (!look->netns || strcmp(look->netns, "all") == 0)
		return 0;
	if (strcmp(look->netns, "self") == 0)
		ret->choice = NETNS_SELF;
	else if (number_u32(look->netns, 1, INT32_MAX, &pid) == 0)
		*ret = (struct netns_scope){.choice = NETNS_PID, .pid = (int32_t)pid};
	else if (!look->netns[0] || strchr(look->netns, '/'))
		return error_text(err, -EINVAL,
				  "--netns %.60s: it takes self, all, a name or a pid",
				  look->netns);
	else
		*ret = (struct netns_scope){.choice = NETNS_NAME, .name = look->netns};
	return 0;
}

int look_collect(struct context *context, const struct look *look, const struct filter *filter,
		 struct bounds bounds, uint32_t needs, struct snapshot **ret, struct error *err)
{
	const char *wrong;
	if (look->debug && !debug_enable(look->debug, &wrong))
		return error_text(
			err, -EINVAL,
			"--debug %.60s: the parts are plan, join, source, bpf, netns, all", wrong);
	if (look->read)
		return saved_read(look->read, ret, err);

	struct query query = {.filter = filter,
			      .bounds = bounds,
			      .needs = needs,
			      .source = (enum source_choice)look->source};
	int r = scope_of(look, &query.scope, err);
	if (r < 0)
		return r;
	if (look->is_numeric)
		query.needs |= NEED_NO_NSS;
	r = collect_snapshot(&context->host, &query, ret, err);
	if (!look->asks_again)
		privilege_drop();
	return r;
}

static const char *what_of(const struct missing *missing)
{
	switch (missing->what) {
	case WHAT_HOLDERS:
		return missing->count == 1
			       ? "socket is held by a process that may not be inspected"
			       : "sockets are held by processes that may not be inspected";
	case WHAT_PROCESSES:
		return missing->count == 1 ? "process may not be inspected"
					   : "processes may not be inspected";
	case WHAT_NETNS:
		return missing->count == 1 ? "network namespace may not be entered"
					   : "network namespaces may not be entered";
	case WHAT_SOCKETS:
		return "sockets are missing";
	case WHAT_ADDRESSES:
		return "namespaces did not tell their addresses";
	default:
		return "names are missing";
	}
}

static bool is_told(const struct snapshot *snapshot, const struct missing *missing)
{
	for (uint32_t i = 0; i < snapshot->missing.n; i++)
		if (((const struct missing *)vector_at(&snapshot->missing, i))->what == WHAT_HOLDERS)
			return missing->what != WHAT_PROCESSES; /* sockets say it best */
	return missing->why != WHY_INIT;
}

void look_tell_missing(struct context *context, const struct snapshot *snapshot)
{
	const char *hint = NULL;
	unsigned n = 0;
	for (uint32_t i = 0; i < snapshot->missing.n; i++) {
		const struct missing *missing = vector_at(&snapshot->missing, i);
		if (!is_told(snapshot, missing))
			continue;
		fputs(n++ ? "; " : context->program, stderr);
		fputs(n == 1 ? ": " : "", stderr);
		if (missing->why == WHY_INTERRUPTED || missing->why == WHY_CUT)
			fprintf(stderr, "the listing is incomplete: it %s", missing->why == WHY_CUT ? "ends early" : "changed under way");
		else if (missing->count)
			fprintf(stderr, "%llu %s", (unsigned long long)missing->count, what_of(missing));
		else
			fprintf(stderr, "some %s", what_of(missing));
		hint = hint ? hint : missing->hint;
	}
	if (n)
		fprintf(stderr, hint ? ": %s\n" : "\n", hint);
}

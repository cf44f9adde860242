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
#include "source/netns.h"
#include "source/saved.h"
#include "source/services.h"
#include "view/missing.h"

const char *const look_door_words[] = {"tcp", "udp", NULL};
const enum proto look_doors[] = {PROTO_TCP, PROTO_UDP};

const char *const look_source_words[] = {"auto", "bpf", "proc", NULL};

const struct services *look_services(struct context *context)
{
	if (!context->services)
		services_read(&context->host, &context->arena, &context->services, NULL);
	return context->services;
}

int look_scope(const struct look *look, struct netns_scope *ret, struct error *err)
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
				  "--netns %.60s: it takes self, all, a name, a container or a pid",
				  look->netns);
	else
		*ret = (struct netns_scope){.choice = NETNS_NAME, .name = look->netns};
	return 0;
}

int look_place(struct context *context, const struct look *look, struct vector *ret,
	       struct error *err)
{
	struct netns_scope scope;
	int r = look_scope(look, &scope, err);
	if (r < 0)
		return r;
	if (scope.choice == NETNS_ALL)
		return error_text(err, -EINVAL,
				  "--netns all: a port is had in one network namespace");
	r = netns_find(&context->host, &scope, NULL, ret, NULL, err);
	if (r < 0)
		return r;
	return ret->n ? 0 : error_set(err, -ENOENT, "find the network namespace");
}

static int query_of(const struct look *look, const struct filter *filter, struct bounds bounds,
		    uint32_t needs, struct query *ret, struct error *err)
{
	const char *wrong;
	if (look->debug && !debug_enable(look->debug, &wrong))
		return error_text(
			err, -EINVAL,
			"--debug %.60s: the parts are plan, join, source, bpf, netns, all", wrong);
	*ret = (struct query){.filter = filter,
			      .bounds = bounds,
			      .needs = needs | (look->is_numeric ? (uint32_t)NEED_NO_NSS : 0),
			      .source = (enum source_choice)look->source};
	return look->read ? 0 : look_scope(look, &ret->scope, err);
}

int look_looking(struct context *context, const struct look *look, struct looking *ret,
		 struct error *err)
{
	struct query query;
	int r = query_of(look, NULL, BOUNDS_ALL, 0, &query, err);
	if (r >= 0)
		*ret = (struct looking){.host = &context->host,
					.services = look_services(context),
					.scope = query.scope,
					.source = query.source,
					.needs = query.needs};
	return r;
}

int look_stream(struct context *context, const struct look *look, const struct filter *filter,
		struct bounds bounds, uint32_t needs, struct stream **ret, struct error *err)
{
	struct query query;
	int r = query_of(look, filter, bounds, needs, &query, err);
	if (r >= 0)
		r = collect_stream(&context->host, &query, ret, err);
	privilege_drop();
	return r;
}

int look_collect(struct context *context, const struct look *look, const struct filter *filter,
		 struct bounds bounds, uint32_t needs, struct snapshot **ret, struct error *err)
{
	struct query query;
	int r = query_of(look, filter, bounds, needs, &query, err);
	if (r < 0)
		return r;
	if (look->read && !look->read[0])
		return error_text(err, -EINVAL, "--read: it takes a file, or - for standard input");
	if (look->read) {
		privilege_drop(); /* the file is opened as the caller could */
		return saved_read(look->read, ret, err);
	}
	r = collect_snapshot(&context->host, &query, ret, err);
	if (!look->asks_again)
		privilege_drop();
	return r;
}

void look_tell_missing(struct context *context, const struct snapshot *snapshot)
{
	cleanup(out_done) struct out out = {.fd = -1};
	if (!snapshot->missing.n)
		return;
	if (out_init(&out, STDERR_FILENO) < 0) {
		dprintf(STDERR_FILENO, "%s: something is missing: out of memory to say what\n",
			context->program);
		return;
	}
	out_format(&out, "%s: ", context->program);
	size_t before = out.n;
	missing_text(&out, snapshot);
	if (out.n == before)
		return;
	out_char(&out, '\n');
	out_flush(&out);
}

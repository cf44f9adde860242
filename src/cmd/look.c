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
#include "source/zone.h"
#include "view/history.h"
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

int look_has_place(struct context *context, const struct netns_scope *scope, struct error *err)
{
	cleanup(netns_list_done) struct vector found;
	vector_init(&found, sizeof(struct found_netns));
	if (scope->choice != NETNS_NAME && scope->choice != NETNS_PID)
		return 0;
	return netns_find(&context->host, scope, NULL, &found, NULL, err);
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

/* What says how this host is looked at says nothing of what was kept: not taken in silence. */
static int check_kept(const struct look *look, struct error *err)
{
	if (look->read && look->netns && strcmp(look->netns, "all") != 0)
		return error_text(err, -EINVAL,
				  "--netns: with --read a filter says it: netns = NUMBER, or "
				  "netns_name = NAME");
	if ((look->read || look->at) && look->source)
		return error_text(err, -EINVAL, "--source: it does not go with %s",
				  look->read ? "--read" : "--at");
	return 0;
}

int look_prepare(struct context *context, struct look *look, struct error *err)
{
	int r = check_kept(look, err);
	if (r < 0)
		return r;
	if (!look->at)
		return look->db ? error_text(err, -EINVAL, "--db: it goes with --at") : 0;
	if (look->read)
		return error_text(err, -EINVAL, "--at: it does not go with --read");
	r = archive_moment("--at", look->at, true, &look->at_ns, err);
	return r < 0 ? r : archive_open(context, look->db, err);
}

void look_tell_at(struct context *context, const struct look *look)
{
	char date[HISTORY_DATE_MAX];
	if (!look->at)
		return;
	size_t n = history_date(date, look->at_ns, &zone_local);
	out_format(&context->out, "%sas it was on %.*s%s\n", context->has_colour ? "\033[2m" : "",
		   (int)n, date, context->has_colour ? "\033[0m" : "");
}

/* The classic views are of this namespace and of TCP and UDP alone, without a filter. */
static int own_filter(struct context *context, const struct query *query, struct filter **ret,
		      struct error *err)
{
	char link[64], text[128];
	ssize_t n = host_readlink(&context->host, link, sizeof(link), "proc/self/ns/net");
	if (n < 0)
		return error_set(err, (int)n, "read which network namespace this is");
	link[strcspn(link, "]")] = '\0';
	snprintf(text, sizeof(text), "netns = %.20s and proto in (tcp%s)",
		 link + strcspn(link, "0123456789"),
		 query->bounds.protos & 1u << PROTO_UDP ? ", udp" : "");
	return filter_parse(text, NULL, ret, err);
}

static int recall(struct context *context, const struct query *query, uint64_t at_ns,
		  struct snapshot **ret, struct error *err)
{
	const struct archived *archived = context->archived;
	cleanup(filterp) struct filter *own = NULL;
	struct recall recall = {
		.filter = query->filter, .now_ns = zone_now_ns(), .is_all_states = true};
	if (query->scope.choice == NETNS_SELF && !query->filter) {
		int r = own_filter(context, query, &own, err);
		if (r < 0)
			return r;
		recall.filter = own;
	} else if (query->scope.choice != NETNS_ALL) {
		return error_text(err, -EINVAL,
				  "--netns: with --at a filter says it: netns = NUMBER, or "
				  "netns_name = NAME");
	}
	return archived->history->snapshot_at(archived->archive, at_ns, &recall, ret, err);
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
	if (look->at) {
		privilege_keep(ARCHIVE_CAPS);
		r = recall(context, &query, look->at_ns, ret, err);
		privilege_drop();
		return r;
	}
	r = collect_snapshot(&context->host, &query, ret, err);
	if (!look->asks_again)
		privilege_drop();
	return r;
}

const char *look_join_words(struct context *context, char **words)
{
	size_t size = 1, n = 0;
	for (unsigned i = 0; words[i]; i++)
		size += strlen(words[i]) + 1;
	char *text = arena_alloc(&context->arena, size);
	for (unsigned i = 0; text && words[i]; i++)
		n += (size_t)snprintf(text + n, size - n, "%s%s", i ? " " : "", words[i]);
	return text;
}

void look_tell_missing_list(const struct context *context, const char *command,
			    const struct vector *missing)
{
	cleanup(out_done) struct out out = {.fd = -1};
	if (!missing || !missing->n)
		return;
	if (out_init(&out, STDERR_FILENO) < 0) {
		dprintf(STDERR_FILENO, "%s: something is missing: out of memory to say what\n",
			context->program);
		return;
	}
	out_format(&out, "%s: ", context->program);
	if (command)
		out_format(&out, "%s: ", command);
	size_t before = out.n;
	missing_list_text(&out, missing);
	if (out.n == before)
		return;
	out_char(&out, '\n');
	out_flush(&out);
}

void look_tell_missing(const struct context *context, const struct snapshot *snapshot)
{
	look_tell_missing_list(context, NULL, &snapshot->missing);
}

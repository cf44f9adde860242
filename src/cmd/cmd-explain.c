/* doorward explain N: the number alone, whoever is behind it. */
#include <errno.h>

#include "cmd/tell.h"
#include "model/target.h"
#include "view/explanation.h"

struct settings {
	bool json;
};

static const struct option options[] = {
	LOOK_JSON_OPTION(struct settings, json),
	{.kind = OPTION_END},
};

/* The number that @text is or names, with the protocols that it is asked for. */
static int parse_port(struct context *context, const char *text, struct target *ret,
		      struct error *err)
{
	int r = target_parse(text, look_services(context), ret, err);
	if (r < 0)
		return r;
	if (ret->first != ret->last || ret->has_address) {
		error_text(err, -EINVAL, "%.60s: it takes one number or one service", text);
		error_hint(err, "doorward show %.60s tells who is there", text);
		return -EINVAL;
	}
	return 0;
}

/* A snapshot without sockets: the host, its services, the ranges of our namespace. */
static int collect(struct context *context, struct snapshot **ret, struct error *err)
{
	struct look look = {.netns = "self", .source = SOURCE_PROC, .is_numeric = true};
	struct bounds bounds = BOUNDS_ALL;
	bounds.protos = 0;
	return look_collect(context, &look, NULL, bounds, NEED_ADDRESSES | NEED_SERVICES, ret, err);
}

static void tell(struct context *context, bool is_json, const struct snapshot *snapshot,
		 const struct explanation *explanation)
{
	struct out *out = &context->out;
	if (!is_json) {
		struct page page = tell_page(context);
		char heading[16];
		snprintf(heading, sizeof(heading), "Port %u", explanation->port);
		page_heading(&page, heading);
		explanation_print(&page, explanation);
		return;
	}
	out_char(out, '{');
	json_envelope(out, snapshot);
	out_string(out, ",\"port\":");
	explanation_json(out, explanation);
	out_string(out, "}\n");
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	const struct settings *settings = data;
	cleanup(tell_free_snapshot) struct snapshot *snapshot = NULL;
	struct explanation explanation;
	struct target target;

	int r = parse_port(context, arguments[0], &target, err);
	if (r >= 0)
		r = collect(context, &snapshot, err);
	if (r < 0)
		return r;
	explain_port(target.first, snapshot->services, snapshot_own_netns(snapshot, NULL),
		     &explanation);
	if (target.protos & (1u << PROTO_TCP | 1u << PROTO_UDP))
		explanation.asked = target.protos;
	tell(context, settings->json, snapshot, &explanation);
	return EXIT_DONE;
}

static const char *const examples[] = {"doorward explain 5432", "doorward explain https", NULL};

const struct command cmd_explain = {
	.name = "explain",
	.summary = N_("what a port's number means"),
	.arguments = "PORT",
	.min = 1,
	.max = 1,
	.options = options,
	.settings_size = sizeof(struct settings),
	.examples = examples,
	.run = run,
};

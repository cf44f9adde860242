/* doorward show TARGET: the whole story of a port on one screen. */
#include <errno.h>
#include <linux/capability.h>

#include "base/privilege.h"
#include "cmd/tell.h"
#include "cmd/terminal.h"
#include "model/target.h"
#include "source/hosts.h"
#include "source/timers.h"
#include "view/story.h"

struct settings {
	bool json, is_unpaged;
	struct look look;
};

static const struct option options[] = {
	LOOK_JSON_OPTION(struct settings, json),
	LOOK_OPTIONS(struct settings, look),
	LOOK_READ_OPTION(struct settings, look),
	{.kind = OPTION_FLAG,
	 .name = "no-pager",
	 .at = offsetof(struct settings, is_unpaged),
	 .help = N_("never start a pager")},
	{.kind = OPTION_END},
};

/* What one telling is made of. */
struct telling {
	struct arena arena; /* of hosts */
	const struct services *services;
	struct target target;
	struct filter *filter;
	struct snapshot *snapshot;
	struct hosts hosts;
	struct rows rows;
	struct explanation explanation;
	struct remarks remarks;
	struct vector peers;
	struct vector timed; /* const char * */
};

static void telling_done(struct telling *telling)
{
	vector_done(&telling->timed);
	vector_done(&telling->peers);
	remarks_done(&telling->remarks);
	rows_done(&telling->rows);
	snapshot_free(telling->snapshot);
	filter_free(telling->filter);
	arena_done(&telling->arena);
}

static void telling_init(struct telling *telling)
{
	*telling = (struct telling){.services = NULL};
	arena_init(&telling->arena);
	vector_init(&telling->peers, sizeof(struct peer_group));
	vector_init(&telling->timed, sizeof(const char *));
}

static int parse_target(struct context *context, struct telling *telling, const char *text,
			struct error *err)
{
	telling->services = look_services(context);
	int r = target_parse(text, telling->services, &telling->target, err);
	if (r < 0)
		return r;
	char filter[256];
	target_filter_text(&telling->target, filter, sizeof(filter));
	return filter_parse(filter, telling->services, &telling->filter, err);
}

static int collect(struct context *context, const struct settings *settings,
		   struct telling *telling, struct error *err)
{
	int r = settings->look.read
			? 0
			: hosts_read(&context->host, &telling->arena, &telling->hosts, err);
	return r < 0 ? r
		     : look_collect(context, &settings->look, telling->filter, BOUNDS_ALL,
				    TELL_NEEDS | NEED_PARENTS | NEED_PEERS | NEED_ROLE,
				    &telling->snapshot, err);
}

/* The number is explained as it stands in the namespace of its sockets; ours where there are none.
 */
static const struct netns *place_of(const struct telling *telling)
{
	const struct netns *self = tell_netns_self(telling->snapshot, NULL);
	if (!telling->rows.n_sockets)
		return self;
	uint32_t first = snapshot_socket(telling->snapshot, telling->rows.order[0])->netns;
	return first == NONE ? self : snapshot_netns(telling->snapshot, first);
}

static int work_out(struct telling *telling, struct error *err)
{
	int r = tell_rows(telling->snapshot, telling->filter, &telling->rows, err);
	if (r < 0)
		return r;
	bool is_of_this_host = telling->snapshot->origin == ORIGIN_HOST;
	bool is_one = telling->target.first == telling->target.last;
	if (is_one)
		explain_port(telling->target.first,
			     telling->snapshot->services ? telling->snapshot->services
							 : telling->services,
			     place_of(telling), &telling->explanation);
	r = peers_group(&telling->rows, &telling->peers);
	if (r >= 0)
		r = remarks_find(&telling->rows, is_one ? &telling->explanation : NULL,
				 is_of_this_host ? &telling->hosts : NULL, &telling->remarks);
	return r < 0 ? error_set(err, r, "tell the story of the port") : 0;
}

static int tell_json(struct context *context, const struct telling *telling,
		     const struct story *story, struct error *err)
{
	struct out *out = &context->out;
	struct json_shape *shape = tell_shape(true);
	if (!shape)
		return error_set(err, -ENOMEM, "tell the story of the port");
	out_char(out, '{');
	json_envelope(out, telling->snapshot);
	out_string(out, ",\"sockets\":[");
	for (uint32_t i = 0; i < telling->rows.n_sockets; i++) {
		if (i)
			out_char(out, ',');
		json_socket(out, shape, telling->snapshot, telling->rows.order[i]);
	}
	out_string(out, "],");
	story_json(out, story);
	out_string(out, "}\n");
	json_shape_free(shape);
	return 0;
}

static int tell(struct context *context, const struct settings *settings,
		const struct telling *telling, const char *text, struct error *err)
{
	struct page page = tell_page(context);
	struct story story = {
		.target = text,
		.rows = &telling->rows,
		.explanation = telling->target.first == telling->target.last ? &telling->explanation
									     : NULL,
		.remarks = &telling->remarks,
		.peers = &telling->peers,
		.timed = telling->timed.data,
	};
	if (settings->json)
		return tell_json(context, telling, &story, err);
	terminal_hold_page(context);
	story_print(&page, &story);
	terminal_show_page(context, !settings->is_unpaged);
	return 0;
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	const struct settings *settings = data;
	cleanup(telling_done) struct telling telling;
	telling_init(&telling);

	int r = parse_target(context, &telling, arguments[0], err);
	if (r >= 0)
		r = collect(context, settings, &telling, err);
	if (r < 0)
		return r;
	r = work_out(&telling, err);
	if (r >= 0 && !settings->look.read &&
	    timers_find(&context->host, telling.snapshot, &telling.timed) < 0)
		r = error_set(err, -ENOMEM, "look for timers");
	if (r >= 0)
		r = tell(context, settings, &telling, arguments[0], err);
	if (r < 0)
		return r;
	look_tell_missing(context, telling.snapshot);
	return telling.rows.n_sockets ? EXIT_DONE : EXIT_NOTHING;
}

static const char *const examples[] = {
	"doorward show 8080",	   "doorward show tcp/53", "doorward show 127.0.0.1:5432",
	"doorward show [::1]:443", "doorward show https",  NULL,
};

const struct command cmd_show = {
	.name = "show",
	.summary = N_("the whole story of a port on one screen"),
	.arguments = "TARGET",
	.min = 1,
	.max = 1,
	.options = options,
	.settings_size = sizeof(struct settings),
	.capabilities = CAPS_SEE,
	.examples = examples,
	.run = run,
};

/* doorward show TARGET: the whole story of a port on one screen. */
#include <errno.h>
#include <linux/capability.h>

#include "base/privilege.h"
#include "cmd/tell.h"
#include "cmd/terminal.h"
#include "view/story.h"

struct settings {
	bool json, is_unpaged;
	struct look look;
};

static const struct option options[] = {
	LOOK_JSON_OPTION(struct settings, json),
	LOOK_OPTIONS(struct settings, look),
	LOOK_READ_OPTION(struct settings, look),
	LOOK_AT_OPTIONS(struct settings, look),
	{.kind = OPTION_FLAG,
	 .name = "no-pager",
	 .at = offsetof(struct settings, is_unpaged),
	 .help = N_("never start a pager")},
	{.kind = OPTION_END},
};

static int collect(struct context *context, const struct settings *settings,
		   struct story_facts *facts, struct error *err)
{
	return look_collect(context, &settings->look, facts->filter, BOUNDS_ALL, STORY_NEEDS_ALL,
			    &facts->snapshot, err);
}

static int tell(struct context *context, const struct settings *settings,
		const struct story_facts *facts, const char *text, struct error *err)
{
	struct page page = tell_page(context);
	struct story story = {
		.target = text,
		.rows = &facts->rows,
		.explanation = facts->is_explained ? &facts->explanation : NULL,
		.remarks = &facts->remarks,
		.peers = &facts->peers,
		.timed = facts->timed.data,
	};
	if (settings->json)
		return story_document(&context->out, &story) < 0
			       ? error_set(err, -ENOMEM, "tell the story of the port")
			       : 0;
	terminal_hold_page(context);
	look_tell_at(context, &settings->look);
	story_print(&page, &story);
	terminal_show_page(context, !settings->is_unpaged);
	return 0;
}

static int prepare(struct context *context, void *data, char **arguments unused_argument,
		   struct error *err)
{
	struct settings *settings = data;
	return look_prepare(context, &settings->look, err);
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	const struct settings *settings = data;
	cleanup(story_facts_done) struct story_facts facts;
	story_facts_init(&facts);

	int r = story_parse(look_services(context), arguments[0], &facts, err);
	if (r >= 0 && !settings->look.read && !settings->look.at)
		story_read_blocks(&context->host, &facts);
	if (r >= 0)
		r = collect(context, settings, &facts, err);
	if (r >= 0)
		r = story_work_out(settings->look.read || settings->look.at ? NULL : &context->host,
				   &facts, err);
	if (r >= 0)
		r = tell(context, settings, &facts, arguments[0], err);
	if (r < 0)
		return r;
	look_tell_missing(context, facts.snapshot);
	return facts.rows.n_sockets ? EXIT_DONE : EXIT_NOTHING;
}

static const char *const examples[] = {
	"doorward show 8080",
	"doorward show tcp/53",
	"doorward show 127.0.0.1:5432",
	"doorward show [::1]:443",
	"doorward show https",
	"doorward show 8080 --at 'yesterday 14:00'",
	NULL,
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
	.prepare = prepare,
	.run = run,
};

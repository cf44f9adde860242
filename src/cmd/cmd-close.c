/* doorward close TARGET...: a port closed the right way. */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>

#include "act/closing.h"
#include "base/privilege.h"
#include "cmd/tell.h"
#include "view/plan.h"

struct settings {
	bool json, is_sure, is_trial, is_forced, keeps_connections, takes_connections;
	const char *filter;
	int by; /* enum way */
	uint64_t grace_ms;
	struct look look;
};

static const struct option options[] = {
	{.kind = OPTION_TEXT,
	 .name = "filter",
	 .at = offsetof(struct settings, filter),
	 .argument = "EXPR",
	 .help = N_("what this filter chooses, of the targets where there are any")},
	{.kind = OPTION_FLAG,
	 .name = "connections",
	 .at = offsetof(struct settings, takes_connections),
	 .help = N_("connections too, not only what listens or is bound")},
	{.kind = OPTION_WORD,
	 .name = "by",
	 .at = offsetof(struct settings, by),
	 .argument = "WAY",
	 .words = way_words,
	 .help = N_("auto, unit, container, process, socket or release")},
	{.kind = OPTION_FLAG,
	 .letter = 'y',
	 .name = "yes",
	 .at = offsetof(struct settings, is_sure),
	 .help = N_("do it without asking")},
	{.kind = OPTION_FLAG,
	 .name = "dry-run",
	 .at = offsetof(struct settings, is_trial),
	 .help = N_("say what would be done, and do nothing")},
	{.kind = OPTION_FLAG,
	 .name = "json",
	 .at = offsetof(struct settings, json),
	 .help = N_("print plan and outcome as JSON")},
	{.kind = OPTION_DURATION,
	 .name = "grace",
	 .at = offsetof(struct settings, grace_ms),
	 .argument = "TIME",
	 .help = N_("how long the port may take to be free, such as 500ms (5s)")},
	{.kind = OPTION_FLAG,
	 .name = "force",
	 .at = offsetof(struct settings, is_forced),
	 .help = N_("SIGKILL after the grace; and what is refused without it")},
	{.kind = OPTION_FLAG,
	 .name = "keep-connections",
	 .at = offsetof(struct settings, keeps_connections),
	 .help = N_("let a successor bind beside surviving connections (by release)")},
	LOOK_OPTIONS(struct settings, look),
	{.kind = OPTION_END},
};

static void set_defaults(void *data)
{
	struct settings *settings = data;
	settings->grace_ms = CLOSE_GRACE_MS;
	settings->look.netns = "self";
}

/* ---- the telling ---- */

/* A person at a terminal says yes. */
static bool is_confirmed(struct context *context)
{
	char answer[16];
	out_string(&context->out, "\nDo it? [y/N] ");
	out_flush(&context->out);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* May it be done? 0, or negative errno with @err told. */
static int ask(struct context *context, const struct settings *settings, struct error *err)
{
	if (settings->is_sure)
		return 0;
	if (context->is_terminal && isatty(STDIN_FILENO) && !settings->json) {
		if (is_confirmed(context))
			return 0;
		return error_text(err, -ECANCELED, "nothing was done");
	}
	error_text(err, -ECANCELED, "nothing was done: nobody was asked");
	error_hint(err, "--yes does it, --dry-run says what it would do");
	return -ECANCELED;
}

/* ---- the whole ---- */

static int status_of(const struct plan *plan)
{
	int status = EXIT_DONE;
	for (uint32_t i = 0; i < plan->steps.n; i++) {
		const struct step *step = plan_step(plan, i);
		if (step->outcome == OUTCOME_FREE)
			continue;
		if (step->is_refused || step->outcome == OUTCOME_NONE)
			return EXIT_REFUSED;
		status = EXIT_NOTHING;
	}
	return status;
}

static int make_plan(struct context *context, const struct settings *settings, char **arguments,
		     struct closing *closing, struct error *err)
{
	struct looking looking;
	const struct closing_request request = {
		.targets = arguments,
		.filter = settings->filter,
		.options =
			{
				.by = (enum way)settings->by,
				.grace_ms = settings->grace_ms,
				.is_forced = settings->is_forced,
				.keeps_connections = settings->keeps_connections,
				.takes_connections = settings->takes_connections,
			},
	};
	if (!arguments[0] && !settings->filter) {
		error_text(err, -EINVAL, "it needs a TARGET or --filter");
		error_hint(err, "`doorward help close` tells more");
		return -EINVAL;
	}
	int r = look_looking(context, &settings->look, &looking, err);
	return r < 0 ? r : closing_plan(&looking, &request, closing, err);
}

static int act(struct context *context, struct closing *closing, struct error *err)
{
	if (!closing_has_container(closing))
		privilege_keep(closing_capabilities(closing));
	return closing_act(closing, context->stop, err);
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	const struct settings *settings = data;
	cleanup(closing_done) struct closing closing;
	closing_init(&closing);
	int r = make_plan(context, settings, arguments, &closing, err);
	if (r < 0)
		return r;
	struct page page = tell_page(context);
	bool has_steps = closing.plan.steps.n, acts = has_steps && !settings->is_trial;
	if (!settings->json && has_steps)
		plan_print(&page, &closing.plan);
	if (!has_steps)
		look_tell_missing(context, closing.snapshot);
	acts = acts && !closing_is_refused(&closing);
	r = acts ? ask(context, settings, err) : 0;
	if (r >= 0 && acts)
		r = act(context, &closing, err);
	privilege_drop();
	if (r >= 0 && acts && !settings->json) {
		out_char(&context->out, '\n');
		plan_print_outcome(&page, &closing.plan);
	}
	if (settings->json)
		plan_document(&context->out, closing.snapshot, &closing.plan, r >= 0 && acts);
	if (r < 0)
		return r;
	if (!has_steps) {
		if (!settings->json)
			out_string(&context->out, "nothing is open there\n");
		return EXIT_NOTHING;
	}
	return settings->is_trial ? EXIT_DONE : status_of(&closing.plan);
}

static const char *const examples[] = {
	"doorward close 8080 --dry-run",
	"doorward close tcp/8080 --by process --grace 10s --dry-run",
	"doorward close --filter 'port = 8080 and state = time-wait' --dry-run",
	NULL,
};

const struct command cmd_close = {
	.name = "close",
	.summary = N_("close a port the right way"),
	.arguments = "TARGET...",
	.min = 0,
	.max = ARGUMENTS_ANY,
	.options = options,
	.settings_size = sizeof(struct settings),
	.set_defaults = set_defaults,
	.capabilities = UINT64_MAX, /* until it is known that no engine's command is run */
	.examples = examples,
	.run = run,
};

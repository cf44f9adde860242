/* doorward close TARGET...: a port closed the right way. */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>

#include "act/close.h"
#include "act/plan.h"
#include "act/units.h"
#include "act/verify.h"
#include "base/privilege.h"
#include "cmd/tell.h"
#include "model/exact.h"
#include "model/target.h"
#include "source/netns.h"
#include "view/plan.h"

#define CAPS_ACT (CAPS_SEE | CAP(KILL) | CAP(NET_BIND_SERVICE) | CAP(SYS_NICE))
#define GRACE_MS 5000
#define DOORS " and state in (listen, unconn, bound)"

/* What a plan is made of. The user's number comes without a name service, which may block. */
#define NEEDS                                                                              \
	(NEED_HOLDERS | NEED_STAT | NEED_CMDLINE | NEED_UID | NEED_CGROUP | NEED_PARENTS | \
	 NEED_USERS | NEED_NO_NSS | NEED_COOKIE | NEED_V6ONLY | NEED_ANSWERS)

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
	settings->grace_ms = GRACE_MS;
	settings->look.netns = "self";
}

/* What one closing is made of. */
struct closing {
	struct filter *filter;
	struct snapshot *snapshot;
	struct rows rows;
	struct session session;
	struct vector units; /* struct unit_fact */
	struct plan plan;
	struct close_options options;
};

static void closing_done(struct closing *closing)
{
	plan_done(&closing->plan);
	vector_done(&closing->units);
	rows_done(&closing->rows);
	snapshot_free(closing->snapshot);
	filter_free(closing->filter);
}

/* ---- what is meant ---- */

/* One TARGET as a filter: of a port the doors alone unless @takes_connections. */
static int add_target(struct context *context, const char *text, bool takes_connections,
		      struct out *to, struct error *err)
{
	struct exact exact;
	struct target target;
	char filter[512];
	int r = exact_parse(text, &exact, err);
	if (r < 0)
		return r;
	bool is_exact = r > 0, is_connection = is_exact && !exact.pid, is_raw = false;
	if (is_exact) {
		exact_filter_text(&exact, filter, sizeof(filter));
	} else {
		r = target_parse(text, look_services(context), &target, err);
		if (r < 0)
			return r;
		target_filter_text(&target, filter, sizeof(filter));
		is_raw = target.protos == 1u << PROTO_RAW;
	}
	out_format(to, "%s(%s%s%s)", to->n ? " or " : "", filter,
		   is_connection || is_raw ? "" : " and not raw", /* whose number is no port */
		   is_connection || takes_connections ? "" : DOORS);
	return 0;
}

/* All targets, and of them what --filter chooses. */
static int write_filter(struct context *context, const struct settings *settings, char **arguments,
			bool takes_connections, struct out *to, struct error *err)
{
	for (char **argument = arguments; *argument; argument++) {
		int r = add_target(context, *argument, takes_connections, to, err);
		if (r < 0)
			return r;
	}
	if (!settings->filter)
		return 0;
	cleanup(out_done) struct out targets = *to;
	int r = out_init(to, -1);
	if (r < 0)
		return r;
	if (targets.n)
		out_format(to, "(%.*s) and ", (int)targets.n, targets.data);
	out_format(to, "(%s)%s", settings->filter, targets.n || takes_connections ? "" : DOORS);
	return 0;
}

static int parse(struct context *context, const struct settings *settings, char **arguments,
		 struct closing *closing, struct error *err)
{
	const struct services *services = look_services(context);
	if (!arguments[0] && !settings->filter) {
		error_text(err, -EINVAL, "it needs a TARGET or --filter");
		error_hint(err, "`doorward help close` tells more");
		return -EINVAL;
	}
	bool takes_connections = settings->takes_connections;
	if (settings->filter) { /* alone first, so that an error shows what was typed */
		struct filter *filter = NULL;
		int r = filter_parse(settings->filter, services, &filter, err);
		if (r < 0)
			return r;
		takes_connections |= filter_names_state(filter);
		filter_free(filter);
	}
	closing->options = (struct close_options){
		.by = (enum way)settings->by,
		.grace_ms = settings->grace_ms,
		.is_forced = settings->is_forced,
		.keeps_connections = settings->keeps_connections,
		.takes_connections = takes_connections,
	};
	cleanup(out_done) struct out text;
	int r = out_init(&text, -1);
	if (r >= 0)
		r = write_filter(context, settings, arguments, takes_connections, &text, err);
	out_char(&text, '\0');
	if (r >= 0 && text.error)
		r = text.error;
	return r < 0 ? r : filter_parse(text.data, services, &closing->filter, err);
}

/* ---- the plan ---- */

static int make_plan(struct context *context, const struct settings *settings,
		     struct closing *closing, struct error *err)
{
	struct look look = settings->look;
	look.asks_again = true;
	int r = look_collect(context, &look, closing->filter, BOUNDS_ALL, NEEDS, &closing->snapshot,
			     err);
	if (r >= 0)
		r = tell_rows(closing->snapshot, closing->filter, &closing->rows, err);
	if (r < 0)
		return r;
	session_read(&context->host, &closing->session);
	r = units_ask(closing->snapshot, closing->rows.order, closing->rows.n_sockets,
		      &context->arena, &closing->units);
	if (r < 0)
		return error_set(err, r, "ask systemd");
	struct planning planning = {
		.snapshot = closing->snapshot,
		.sockets = closing->rows.order,
		.n_sockets = closing->rows.n_sockets,
		.units = closing->units.data,
		.n_units = closing->units.n,
		.session = &closing->session,
		.options = &closing->options,
	};
	r = close_plan(&planning, &closing->plan);
	return r < 0 ? error_set(err, r, "plan the closing") : 0;
}

static bool is_all_refused(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->steps.n; i++)
		if (!plan_step(plan, i)->is_refused)
			return false;
	return true;
}

/* ---- the telling ---- */

static void tell_json(struct context *context, const struct closing *closing, bool is_done)
{
	struct out *out = &context->out;
	bool is_free = is_done;
	for (uint32_t i = 0; i < closing->plan.steps.n; i++)
		is_free &= plan_step(&closing->plan, i)->outcome == OUTCOME_FREE;
	out_char(out, '{');
	json_envelope(out, closing->snapshot);
	out_format(out, ",\"acted\":%s,\"free\":%s,", is_done ? "true" : "false",
		   is_done ? is_free ? "true" : "false" : "null");
	plan_json(out, &closing->plan);
	out_string(out, "}\n");
}

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

static bool has_container(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->steps.n; i++)
		if (plan_step(plan, i)->way == WAY_CONTAINER)
			return true;
	return false;
}

static int act(struct context *context, const struct settings *settings, struct closing *closing,
	       struct error *err)
{
	cleanup(netns_list_done) struct vector places;
	cleanup(vector_done) struct vector others;
	struct netns_scope scope;
	struct acting acting = {
		.host = &context->host,
		.plan = &closing->plan,
		.options = &closing->options,
		.places = &places,
		.others = &others,
		.stop = context->stop,
	};
	if (!has_container(&closing->plan))
		privilege_keep(CAPS_ACT);
	vector_init(&places, sizeof(struct found_netns));
	vector_init(&others, sizeof(uint64_t));
	int r = look_scope(&settings->look, &scope, err);
	if (r >= 0)
		r = netns_find(&context->host, &scope, NULL, &places, NULL, err);
	if (r >= 0 && (r = verify_note_others(&acting, &others)) < 0)
		return error_set(err, r, "look who else has the port");
	if (r >= 0)
		r = close_perform(&acting, err);
	return r < 0 ? r : verify_plan(&acting, &scope, err);
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	const struct settings *settings = data;
	cleanup(closing_done) struct closing closing = {0};
	plan_init(&closing.plan);
	vector_init(&closing.units, sizeof(struct unit_fact));
	int r = parse(context, settings, arguments, &closing, err);
	if (r >= 0)
		r = make_plan(context, settings, &closing, err);
	if (r < 0)
		return r;
	struct page page = tell_page(context);
	bool has_steps = closing.plan.steps.n, acts = has_steps && !settings->is_trial;
	if (!settings->json && has_steps)
		plan_print(&page, &closing.plan);
	if (!has_steps)
		look_tell_missing(context, closing.snapshot);
	acts = acts && !is_all_refused(&closing.plan);
	r = acts ? ask(context, settings, err) : 0;
	if (r >= 0 && acts)
		r = act(context, settings, &closing, err);
	privilege_drop();
	if (r >= 0 && acts && !settings->json) {
		out_char(&context->out, '\n');
		plan_print_outcome(&page, &closing.plan);
	}
	if (settings->json)
		tell_json(context, &closing, r >= 0 && acts);
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

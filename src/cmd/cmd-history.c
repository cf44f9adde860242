/* doorward history: what was open from when to when, and what became of the doors. */
#include <errno.h>
#include <string.h>

#include "base/privilege.h"
#include "cmd/look.h"
#include "cmd/tell.h"
#include "cmd/terminal.h"
#include "source/zone.h"
#include "view/history.h"

enum output { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_CSV };
static const char *const output_words[] = {"table", "json", "csv", NULL};

#define LIMIT_TABLE 1000
#define LIMIT_UNSAID UINT32_MAX
#define IDLE_UNSAID UINT64_MAX

struct settings {
	const char *since, *until, *path;
	uint32_t limit;
	bool is_json, is_first_seen, is_changes, has_pager;
	uint64_t idle_ms;
	int output;
	uint64_t since_ns, until_ns;
};

static const struct option options[] = {
	{.kind = OPTION_TEXT,
	 .name = "since",
	 .at = offsetof(struct settings, since),
	 .argument = "TIME",
	 .help = N_("what was open then or later: 10m, yesterday 14:00, 2026-03-01 03:00, @UNIX")},
	{.kind = OPTION_TEXT,
	 .name = "until",
	 .at = offsetof(struct settings, until),
	 .argument = "TIME",
	 .help = N_("what was open then or before")},
	{.kind = OPTION_NUMBER,
	 .name = "limit",
	 .at = offsetof(struct settings, limit),
	 .argument = "N",
	 .help = N_("the newest N; 0 is all. A table has 1000 where nothing is said"),
	 .max = UINT32_MAX - 1},
	{.kind = OPTION_FLAG,
	 .name = "first-seen",
	 .at = offsetof(struct settings, is_first_seen),
	 .help = N_("each port and executable, by its first appearance")},
	{.kind = OPTION_FLAG,
	 .name = "changes",
	 .at = offsetof(struct settings, is_changes),
	 .help = N_("new doors, gone doors, doors that turned public, new holders of old doors")},
	{.kind = OPTION_DURATION,
	 .name = "idle",
	 .at = offsetof(struct settings, idle_ms),
	 .argument = "TIME",
	 .help = N_("listeners that nobody has used for so long: 7d")},
	{.kind = OPTION_FLAG,
	 .letter = 'j',
	 .name = "json",
	 .at = offsetof(struct settings, is_json),
	 .help = N_("the same as --output json")},
	{.kind = OPTION_WORD,
	 .letter = 'o',
	 .name = "output",
	 .at = offsetof(struct settings, output),
	 .argument = "FORM",
	 .help = N_("table, json or csv"),
	 .words = output_words},
	ARCHIVE_DB_OPTION(struct settings, path),
	{.kind = OPTION_NO_FLAG,
	 .name = "no-pager",
	 .at = offsetof(struct settings, has_pager),
	 .help = N_("never start a pager")},
	LOOK_FILTER_MEANT,
	{.kind = OPTION_END},
};

static void set_defaults(void *data)
{
	struct settings *settings = data;
	settings->limit = LIMIT_UNSAID;
	settings->idle_ms = IDLE_UNSAID;
	settings->has_pager = true;
}

static bool is_of_idle(const struct settings *settings)
{
	return settings->idle_ms != IDLE_UNSAID;
}

static uint64_t idle_ns(const struct settings *settings)
{
	uint64_t ns;
	return __builtin_mul_overflow(settings->idle_ms, 1000000, &ns) ? UINT64_MAX : ns;
}

static enum history_question question_of(const struct settings *settings)
{
	return settings->is_first_seen ? HISTORY_FIRST_SEEN
	       : settings->is_changes  ? HISTORY_CHANGES
	       : is_of_idle(settings)  ? HISTORY_IDLE
				       : HISTORY_INTERVALS;
}

static int check(struct settings *settings, struct error *err)
{
	int r = 0;
	if (settings->is_first_seen + settings->is_changes + is_of_idle(settings) > 1)
		return error_text(err, -EINVAL,
				  "--first-seen, --changes, --idle: each is a question of its own");
	if (settings->since)
		r = archive_moment("--since", settings->since, true, &settings->since_ns, err);
	if (r >= 0 && settings->until)
		r = archive_moment("--until", settings->until, false, &settings->until_ns, err);
	if (r >= 0 && settings->since && settings->until && settings->until_ns < settings->since_ns)
		return error_text(err, -EINVAL, "--until %.60s: that is before --since %.60s",
				  settings->until, settings->since);
	return r;
}

static int prepare(struct context *context, void *data, char **arguments unused_argument,
		   struct error *err)
{
	struct settings *settings = data;
	if (settings->is_json)
		settings->output = OUTPUT_JSON;
	if (settings->limit == LIMIT_UNSAID)
		settings->limit = settings->output == OUTPUT_TABLE ? LIMIT_TABLE : 0;
	int r = check(settings, err);
	return r < 0 ? r : archive_open(context, settings->path, err);
}

static int ask(struct context *context, const struct settings *settings,
	       const struct filter *filter, struct remembered *remembered, uint64_t now_ns,
	       struct error *err)
{
	const struct history *history = context->archived->history;
	struct archive *archive = context->archived->archive;
	const struct recall recall = {
		.filter = filter,
		.since_ns = settings->since_ns,
		.until_ns = settings->until_ns,
		.limit = settings->limit,
		.now_ns = now_ns,
	};
	switch (question_of(settings)) {
	case HISTORY_FIRST_SEEN:
		return history->first_seen(archive, &recall, remembered, err);
	case HISTORY_CHANGES:
		return history->changes(archive, &recall, remembered, err);
	case HISTORY_IDLE:
		return history->idle(archive, &recall, idle_ns(settings), remembered, err);
	case HISTORY_INTERVALS:
		break;
	}
	return history->intervals(archive, &recall, remembered, err);
}

static int print_table(struct context *context, const struct settings *settings,
		       const struct history_show *show)
{
	const struct page page = tell_page(context);
	terminal_hold_page(context);
	int r = history_table(&page, show, question_of(settings));
	terminal_show_page(context, settings->has_pager);
	return r;
}

static int print(struct context *context, const struct settings *settings,
		 const struct history_show *show)
{
	if (settings->output == OUTPUT_JSON)
		return history_json(&context->out, show, question_of(settings));
	if (settings->output == OUTPUT_CSV)
		return history_csv(&context->out, show, question_of(settings));
	return print_table(context, settings, show);
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	const struct settings *settings = data;
	cleanup(filterp) struct filter *filter = NULL;
	cleanup(remembered_done) struct remembered remembered;
	remembered_init(&remembered);
	int r = filter_parse(look_join_words(context, arguments), look_services(context), &filter,
			     err);
	uint64_t now = zone_now_ns();
	if (r >= 0)
		r = ask(context, settings, filter, &remembered, now, err);
	privilege_drop();
	if (r < 0)
		return r;
	const struct history_show show = {
		.remembered = &remembered,
		.since_ns = settings->since_ns,
		.until_ns = settings->until_ns,
		.now_ns = now,
		.idle_ns = is_of_idle(settings) ? idle_ns(settings) : 0,
		.zone = &zone_local,
		.rows = context->is_terminal ? context->rows : 0,
	};
	r = print(context, settings, &show);
	if (r < 0) {
		context->out.n = 0; /* half an answer is none */
		return error_set(err, r, "tell what was");
	}
	if (out_flush(&context->out) >= 0)
		look_tell_missing(context, remembered.snapshot);
	return history_count(&show, question_of(settings)) ? EXIT_DONE : EXIT_NOTHING;
}

static const char *const examples[] = {
	"doorward history port = 4444 --since 'yesterday 03:00'",
	"doorward history --changes --since yesterday",
	"doorward history --first-seen",
	"doorward history --idle 7d",
	"doorward history 'process ~ nginx' --output csv",
	NULL,
};

const struct command cmd_history = {
	.name = "history",
	.summary = N_("what was open from when to when, and who held it"),
	.arguments = "[FILTER]",
	.max = ARGUMENTS_ANY,
	.options = options,
	.settings_size = sizeof(struct settings),
	.set_defaults = set_defaults,
	.capabilities = ARCHIVE_CAPS,
	.examples = examples,
	.prepare = prepare,
	.run = run,
};

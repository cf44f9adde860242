/* doorward top: all the doors at a glance, live. */
#include <errno.h>
#include <unistd.h>

#include "base/privilege.h"
#include "cmd/look.h"
#include "source/saved.h"
#include "top/guardian.h"
#include "top/top.h"

#define INTERVAL_MS 1000
#define PAST_MIB 64

struct settings {
	struct look look;
	int tab;
	uint64_t interval_ms;
	uint32_t past_mib;
	const char *db;
};

static const struct option options[] = {
	{.kind = OPTION_WORD,
	 .letter = 't',
	 .name = "tab",
	 .at = offsetof(struct settings, tab),
	 .argument = "TAB",
	 .words = top_tab_words,
	 .help = N_("begin with: doors, connections, map or events")},
	{.kind = OPTION_DURATION,
	 .letter = 'i',
	 .name = "interval",
	 .at = offsetof(struct settings, interval_ms),
	 .argument = "TIME",
	 .help = N_("look each time after so long, such as 500ms (1s)")},
	{.kind = OPTION_NUMBER,
	 .name = "past",
	 .at = offsetof(struct settings, past_mib),
	 .argument = "MIB",
	 .min = 1,
	 .max = 65536,
	 .help = N_("memory for the last ten minutes, to walk back through (64)")},
	ARCHIVE_DB_OPTION(struct settings, db),
	LOOK_OPTIONS(struct settings, look),
	LOOK_READ_OPTION(struct settings, look),
	LOOK_FILTER_MEANT,
	{.kind = OPTION_END},
};

static void set_defaults(void *data)
{
	struct settings *settings = data;
	settings->interval_ms = INTERVAL_MS;
	settings->past_mib = PAST_MIB;
}

/* A record that was named is to be there; the usual one need not. */
static int prepare(struct context *context, void *data, char **arguments unused_argument,
		   struct error *err)
{
	const struct settings *settings = data;
	if (!settings->db)
		return 0;
	int r = archive_open(context, settings->db, err);
	archive_close(context);
	return r;
}

static void snapshotp(struct snapshot **snapshot)
{
	snapshot_free(*snapshot);
}

static int check(struct context *context, const struct settings *settings, const char *filter,
		 struct error *err)
{
	struct filter *parsed = NULL;
	struct netns_scope scope;
	if (settings->interval_ms < 100 || settings->interval_ms > 3600000)
		return error_text(err, -EINVAL, "--interval: from 100ms to an hour");
	int r = filter_parse(filter, look_services(context), &parsed, err);
	filter_free(parsed);
	if (r >= 0 && !settings->look.read)
		r = look_scope(&settings->look, &scope, err);
	if (r >= 0 && !settings->look.read)
		r = look_has_place(context, &scope, err);
	if (r < 0)
		return r;
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return 0;
	error_text(err, -ENOTTY, "standard input and output are no terminal");
	error_hint(err, "`doorward list` is for pipes and files");
	return -ENOTTY;
}

/* The screen, in the child. */
static int show(struct context *context, const struct settings *settings, const char *filter,
		int guardian, struct error *err)
{
	cleanup(snapshotp) struct snapshot *saved = NULL;
	struct top_options top = {
		.tab = (unsigned)settings->tab,
		.interval_ms = (unsigned)settings->interval_ms,
		.past_bytes = (uint64_t)settings->past_mib << 20,
		.filter = filter,
		.db = settings->db,
		.has_colour = context->has_colour,
		.is_utf8 = context->is_utf8,
		.stop = context->stop,
		.guardian = guardian,
	};
	int r = look_looking(context, &settings->look, &top.looking, err);
	if (r >= 0 && settings->look.read) {
		privilege_drop(); /* the file is opened as the caller could */
		r = saved_read(settings->look.read, &saved, err);
		top.saved = saved;
	}
	if (r >= 0)
		r = top_run(&top, err);
	return r < 0 ? r : EXIT_DONE;
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	const struct settings *settings = data;
	const char *filter = look_join_words(context, arguments);
	struct guardian guardian;
	if (!filter)
		return error_set(err, -ENOMEM, "read the filter");
	int r = check(context, settings, filter, err);
	if (r >= 0)
		r = guardian_fork(&guardian, err);
	if (r < 0)
		return r;
	context->ends_by_stop = true;
	if (guardian.child == 0)
		return show(context, settings, filter[0] ? filter : NULL, guardian.alive, err);
	privilege_drop();
	return guardian_wait(&guardian, err);
}

static const char *const examples[] = {
	"doorward top",
	"doorward top --tab connections 'process = nginx'",
	"doorward top --tab events 'event = refused'",
	"doorward top --interval 2s 'port in 8000-8999'",
	NULL,
};

const struct command cmd_top = {
	.name = "top",
	.summary = N_("all the doors at a glance, live, and a key closes one"),
	.arguments = "[FILTER]",
	.max = ARGUMENTS_ANY,
	.options = options,
	.settings_size = sizeof(struct settings),
	.set_defaults = set_defaults,
	.capabilities = UINT64_MAX, /* of the thread that acts; the screen's own gives all up */
	.examples = examples,
	.prepare = prepare,
	.run = run,
};

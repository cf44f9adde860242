/* doorward watch [FILTER]: what happens to sockets, as it happens. */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/privilege.h"
#include "cmd/archive.h"
#include "cmd/look.h"
#include "cmd/past.h"
#include "cmd/watching.h"
#include "collect/follow.h"
#include "collect/knocking.h"

enum output { OUTPUT_LINE, OUTPUT_JSON, OUTPUT_JSONL };
static const char *const output_words[] = {"line", "json", "jsonl", NULL};
static const char *const on_words[] = {"event", "first-seen", "public", NULL};

enum colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };
static const char *const colour_words[] = {"auto", "always", "never", NULL};

struct settings {
	struct look look;
	bool is_json, is_summary, notifies, is_of_knocks;
	const char *exec, *since, *db;
	uint64_t since_ns;
	int output, colour, on;
	uint64_t for_ms;
	uint32_t count;
	struct starter starter;
	struct notifier notifier;
};

static const struct option options[] = {
	{OPTION_FLAG, 'j', "json", offsetof(struct settings, is_json), NULL,
	 N_("a JSON object a line")},
	{OPTION_WORD, 'o', "output", offsetof(struct settings, output), "FORM",
	 N_("line, or json (jsonl is the same)"), .words = output_words},
	{OPTION_DURATION, 0, "for", offsetof(struct settings, for_ms), "TIME",
	 N_("end after this time, such as 10s")},
	{OPTION_NUMBER, 0, "count", offsetof(struct settings, count), "N",
	 N_("end after so many events that match"), .min = 1, .max = UINT32_MAX},
	{OPTION_TEXT, 0, "since", offsetof(struct settings, since), "TIME",
	 N_("first what was since then, from the record: 10m, yesterday 14:00")},
	ARCHIVE_DB_OPTION(struct settings, db),
	{OPTION_FLAG, 0, "summary", offsetof(struct settings, is_summary), NULL,
	 N_("no line for each: at the end how many, by kind, port, process and peer")},
	{OPTION_TEXT, 'x', "exec", offsetof(struct settings, exec), "COMMAND",
	 N_("run it with /bin/sh for each, what happened in $DOORWARD_EVENT, $DOORWARD_PORT and "
	    "so on; 8 at once, what comes meanwhile is counted")},
	{OPTION_FLAG, 0, "notify", offsetof(struct settings, notifies), NULL,
	 N_("show it on the desktop")},
	{OPTION_WORD, 0, "on", offsetof(struct settings, on), "WHEN",
	 N_("when --exec and --notify act: at each event, once for each new door (first-seen), or "
	    "when one turns public"),
	 .words = on_words},
	{OPTION_FLAG, 0, "knocks", offsetof(struct settings, is_of_knocks), NULL,
	 N_("instead: who tries doors of this host that are closed or filtered, and why the "
	    "kernel drops it")},
	LOOK_OPTIONS(struct settings, look),
	{OPTION_WORD, 0, "color", offsetof(struct settings, colour), "WHEN",
	 N_("colour: auto, always or never"), .words = colour_words},
	LOOK_FILTER_MEANT,
	{OPTION_END},
};

static void set_defaults(void *data)
{
	struct settings *settings = data;
	settings->for_ms = WATCH_WITHOUT_END;
	settings->starter.fd = settings->notifier.fd = -1;
}

/* What is wrong with the command line is said before anything is started. Commands and
 * notifications have the caller's rights, which go now. */
static int prepare(struct context *context, void *data, char **arguments, struct error *err)
{
	struct settings *settings = data;
	cleanup(filterp) struct filter *filter = NULL;
	int r = filter_parse(look_join_words(context, arguments),
			     arguments[0] ? look_services(context) : NULL, &filter, err);
	if (r < 0)
		return r;
	if (settings->exec && !settings->exec[0])
		return error_text(err, -EINVAL, "--exec: it takes a command");
	if (settings->on != WATCH_ON_EVENT && !settings->exec && !settings->notifies)
		return error_text(err, -EINVAL, "--on %s: it goes with --exec or --notify",
				  on_words[settings->on]);
	if (settings->on != WATCH_ON_EVENT && settings->is_of_knocks)
		return error_text(err, -EINVAL, "--on %s: a knock opens no door",
				  on_words[settings->on]);
	if (settings->since && settings->is_of_knocks)
		return error_text(err, -EINVAL, "--since: knocks are not recorded");
	if (settings->since)
		r = archive_moment("--since", settings->since, true, &settings->since_ns, err);
	if (r < 0)
		return r;
	if (settings->since)
		r = archive_open(context, settings->db, err);
	if (r >= 0 && settings->notifies)
		r = notifier_begin(&settings->notifier, err);
	if (r >= 0 && settings->exec)
		r = starter_begin(settings->exec, &settings->starter, err);
	if (r < 0) {
		notifier_end(&settings->notifier);
		return r == -EINVAL ? -EIO : r; /* 3: the command line was right */
	}
	return 0;
}

/* What its lines, its filter and its commands say of a process. */
static uint32_t needs_of(const struct settings *settings, const struct filter *filter)
{
	uint32_t needs = NEED_HOLDERS | NEED_STAT | NEED_EXE | NEED_RUNS | NEED_NETNS_NAMES |
			 NEED_ROLE | filter_needs(filter);
	const struct field *field;
	bool wants_all = settings->is_json || settings->output != OUTPUT_LINE || settings->exec;
	for (unsigned i = 0; wants_all && (field = field_at(i)); i++)
		needs |= field->flags & FIELD_JSON ? field->needs : 0;
	if (wants_all)
		needs |= NEED_PARENTS;
	return needs | (settings->look.is_numeric ? (uint32_t)NEED_NO_NSS : 0);
}

static uint32_t kinds_of(const struct settings *settings, const struct filter *filter)
{
	uint32_t kinds = filter_bounds(filter).events;
	kinds &= ~(1u << EVENT_STANDING | 1u << EVENT_KNOCK);
	kinds |= 1u << EVENT_STARTED | 1u << EVENT_LOST | 1u << EVENT_GAP;
	if (settings->on != WATCH_ON_EVENT)
		kinds |= 1u << EVENT_OPENED | 1u << EVENT_CLOSED | 1u << EVENT_STANDING;
	return kinds;
}

static int follow_source_turn(void *data, bool is_last unused_argument, const struct stop *stop,
			      struct error *err)
{
	return follow_turn(data, 0, stop, err);
}

/* What helps, where that is the right to it. */
static int refused(int r, struct error *err)
{
	if ((r == -EPERM || r == -EACCES) && err && !err->hint[0] && privilege_hint())
		error_hint(err, "%s", privilege_hint());
	return r;
}

static int run_follow(struct watching *watching, const struct settings *settings,
		      const struct follow_wish *wish, struct watch_source *source,
		      struct error *err)
{
	struct follow *follow = NULL;
	watching->has_record = settings->since && past_is_recorded(watching->context);
	int r = follow_start(&watching->context->host, wish, &watching->sink, &follow, err);
	source->since_ns = settings->since ? settings->since_ns : 0;
	bool is_stopped = stop_wanted(watching->context->stop); /* before it began */
	if (r < 0)
		return is_stopped ? 0 : refused(r, err);
	source->data = follow;
	source->fd = follow_fd(follow);
	source->turn = follow_source_turn;
	source->missing = follow_missing(follow);
	if (!is_stopped)
		look_tell_missing_list(watching->context, "watch", source->missing);
	r = watching_run(watching, source, err);
	follow_free(follow);
	return r;
}

static int knocking_source_turn(void *data, bool is_last, const struct stop *stop unused_argument,
				struct error *err)
{
	return knocking_turn(data, is_last, err);
}

static int run_knocks(struct watching *watching, const struct netns_scope *scope,
		      struct watch_source *source, struct error *err)
{
	struct knocking *knocking = NULL;
	int r = knocking_start(&watching->context->host, scope, &watching->sink, &knocking, err);
	if (r < 0)
		return refused(r, err);
	source->data = knocking;
	source->fd = knocking_fd(knocking);
	source->turn = knocking_source_turn;
	r = watching_run(watching, source, err);
	knocking_free(knocking);
	return r;
}

static int watch(struct watching *watching, const struct settings *settings, struct error *err)
{
	struct context *context = watching->context;
	char host[256] = "", boot_id[40] = "";
	struct looking looking;
	int r = look_looking(context, &settings->look, &looking, err);
	if (r < 0)
		return r;
	gethostname(host, sizeof(host) - 1);
	ssize_t n = host_read(&context->host, boot_id, sizeof(boot_id),
			      "proc/sys/kernel/random/boot_id");
	boot_id[n > 0 && boot_id[n - 1] == '\n' ? n - 1 : n < 0 ? 0 : n] = '\0';
	struct watch_source source = {.host = host, .boot_id = boot_id[0] ? boot_id : NULL};
	const struct follow_wish wish = {.scope = looking.scope,
					 .source = looking.source,
					 .needs = needs_of(settings, watching->filter),
					 .kinds = kinds_of(settings, watching->filter)};
	if (settings->is_of_knocks)
		return run_knocks(watching, &looking.scope, &source, err);
	return run_follow(watching, settings, &wish, &source, err);
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	struct settings settings = *(const struct settings *)data;
	cleanup(filterp) struct filter *filter = NULL;
	int r = filter_parse(look_join_words(context, arguments),
			     arguments[0] ? look_services(context) : NULL, &filter, err);
	if (settings.colour != COLOUR_AUTO)
		context->has_colour = settings.colour == COLOUR_ALWAYS;
	struct watching watching = {
		.context = context,
		.filter = filter,
		.is_json = settings.is_json || settings.output != OUTPUT_LINE,
		.is_summary = settings.is_summary,
		.on = (enum watch_on)settings.on,
		.for_ms = settings.for_ms,
		.count_most = settings.count,
		.starter = settings.exec ? &settings.starter : NULL,
		.notifier = settings.notifies ? &settings.notifier : NULL,
		.outlet = {.fd = -1},
	};
	if (r >= 0)
		r = watching_begin(&watching, err);
	if (r >= 0)
		r = watch(&watching, &settings, err);
	watching_done(&watching);
	starter_end(&settings.starter);
	notifier_end(&settings.notifier);
	return r < 0 ? r : EXIT_DONE;
}

static const char *const examples[] = {
	"doorward watch",
	"doorward watch event = refused and port = 5432",
	"doorward watch --json --for 10s 'process = nginx and not ended'",
	"doorward watch --exec 'logger \"$DOORWARD_PROCESS opened $DOORWARD_LOCAL\"' opened",
	"doorward watch --on public --exec 'mail -s \"$DOORWARD_LOCAL is public\" root' opened",
	"doorward watch --summary --for 2s",
	"doorward watch --knocks 'peer in 10.0.0.0/8'",
	NULL,
};

const struct command cmd_watch = {
	.name = "watch",
	.summary = N_("what happens to ports, as it happens: opened, closed, refused, by whom"),
	.arguments = "[FILTER]",
	.max = ARGUMENTS_ANY,
	.options = options,
	.settings_size = sizeof(struct settings),
	.set_defaults = set_defaults,
	.capabilities = CAPS_SEE,
	.examples = examples,
	.prepare = prepare,
	.run = run,
};

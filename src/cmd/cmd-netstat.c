/* doorward netstat: as hands from Windows know it. */
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <strings.h>

#include "base/numbers.h"
#include "base/privilege.h"
#include "base/text.h"
#include "cmd/tell.h"
#include "source/hosts.h"
#include "source/statistics.h"
#include "view/classic.h"

#define INTERVAL_MAX 86400 /* seconds */

struct settings {
	bool all, numeric, pids, executables, statistics;
	const char *proto;
	struct look look;
};

#define LIKE_LINUX                                                                             \
	N_("this netstat takes Windows' options; what listens, and who, is told by `doorward " \
	   "list`")

static const struct option options[] = {
	{.kind = OPTION_FLAG,
	 .letter = 'a',
	 .at = offsetof(struct settings, all),
	 .help = N_("listeners and UDP too")},
	{.kind = OPTION_FLAG,
	 .letter = 'b',
	 .at = offsetof(struct settings, executables),
	 .help = N_("the executable below each row")},
	{.kind = OPTION_FLAG,
	 .letter = 'n',
	 .at = offsetof(struct settings, numeric),
	 .help = N_("numbers instead of names")},
	{.kind = OPTION_FLAG,
	 .letter = 'o',
	 .at = offsetof(struct settings, pids),
	 .help = N_("the process of each row")},
	{.kind = OPTION_TEXT,
	 .letter = 'p',
	 .at = offsetof(struct settings, proto),
	 .argument = "PROTO",
	 .help = N_("one protocol: TCP, UDP, TCPv6 or UDPv6")},
	{.kind = OPTION_FLAG,
	 .letter = 's',
	 .at = offsetof(struct settings, statistics),
	 .help = N_("statistics of each protocol")},
	LOOK_AT_OPTIONS(struct settings, look),
	OPTION_IS_MEANT('t', NULL, LIKE_LINUX),
	OPTION_IS_MEANT('u', NULL, LIKE_LINUX),
	OPTION_IS_MEANT('l', NULL, LIKE_LINUX),
	{.kind = OPTION_END},
};

static int parse_proto(const char *text, enum classic_proto *ret, struct error *err)
{
	static const char *const words[] = {"TCP", "UDP", "TCPv6", "UDPv6", NULL};
	*ret = CLASSIC_ALL;
	if (!text)
		return 0;
	for (int i = 0; words[i]; i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*ret = (enum classic_proto)(i + 1);
			return 0;
		}
	}
	error_text(err, -EINVAL, "-p %.60s: it takes TCP, UDP, TCPv6 or UDPv6", text);
	const char *nearest = text_nearest(text, words);
	if (nearest)
		error_hint(err, "did you mean %s?", nearest);
	return -EINVAL;
}

static struct bounds bounds_of(const struct settings *settings)
{
	struct bounds bounds = BOUNDS_ALL;
	bounds.protos = 1u << PROTO_TCP;
	if (settings->all)
		bounds.protos |= 1u << PROTO_UDP;
	else
		bounds.states &= ~(1u << STATE_LISTEN | 1u << STATE_BOUND | 1u << STATE_UNCONN);
	return bounds;
}

static uint32_t needs_of(const struct settings *settings)
{
	uint32_t needs = 0;
	if (settings->pids || settings->executables)
		needs |= NEED_HOLDERS;
	if (settings->executables)
		needs |= NEED_STAT | NEED_EXE;
	if (!settings->numeric)
		needs |= NEED_SERVICES;
	return needs;
}

static int print_once(struct context *context, const struct settings *settings,
		      const struct netstat_view *view, struct error *err)
{
	cleanup(tell_free_snapshot) struct snapshot *snapshot = NULL;
	struct look look = settings->look;
	struct bounds bounds = bounds_of(settings);
	look.netns = "self";
	look.is_numeric = look.asks_again = true;
	struct rows rows = {.n_rows = 0};
	int r = look_collect(context, &look, NULL, bounds, needs_of(settings), &snapshot, err);
	if (r >= 0)
		r = rows_find(snapshot, NULL, &rows, err);
	if (r < 0)
		return r;
	rows_keep(&rows, bounds.states, false); /* what was recorded is not bounded */
	netstat_print(&context->out, &rows, view);
	rows_done(&rows);
	if (view->has_pids || view->has_executables)
		look_tell_missing(context, snapshot);
	return 0;
}

static int print_statistics(struct context *context, enum classic_proto proto, struct error *err)
{
	struct statistics statistics;
	statistics_init(&statistics);
	int r = statistics_read(&context->host, &statistics, err);
	if (r >= 0)
		netstat_print_statistics(&context->out, &statistics, proto);
	statistics_done(&statistics);
	return r;
}

/* Until the interval is over; true when it is to stop. */
static bool wait_interval(const struct context *context, uint32_t seconds)
{
	struct pollfd stop = {.fd = context->stop ? context->stop->fd : -1, .events = POLLIN};
	return poll(&stop, 1, (int)seconds * 1000) != 0 || stop_wanted(context->stop);
}

static int print_repeatedly(struct context *context, const struct settings *settings,
			    const struct netstat_view *view, uint32_t seconds, struct error *err)
{
	for (;;) {
		int r = settings->statistics ? print_statistics(context, view->proto, err)
					     : print_once(context, settings, view, err);
		if (r < 0)
			return r;
		if (!seconds)
			return EXIT_DONE;
		context->ends_by_stop = true;
		r = out_flush(&context->out);
		if (r < 0)
			return error_set(err, r, "write the output");
		if (wait_interval(context, seconds))
			return EXIT_DONE;
	}
}

static int prepare(struct context *context, void *data, char **arguments, struct error *err)
{
	struct settings *settings = data;
	if (settings->look.at && (arguments[0] || settings->statistics))
		return error_text(err, -EINVAL, "--at: it goes with neither SECONDS nor -s");
	return look_prepare(context, &settings->look, err);
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	const struct settings *settings = data;
	cleanup(arena_done) struct arena arena;
	struct hosts hosts = {.n = 0};
	struct netstat_view view = {
		.all = settings->all,
		.has_pids = settings->pids,
		.has_executables = settings->executables,
		.is_numeric = settings->numeric,
		.hosts = &hosts,
	};
	uint32_t seconds = 0;

	arena_init(&arena);
	int r = parse_proto(settings->proto, &view.proto, err);
	if (r >= 0 && arguments[0] && number_u32(arguments[0], 1, INTERVAL_MAX, &seconds) < 0)
		r = error_text(err, -EINVAL,
			       "%.60s: the interval is a number of seconds from 1 to %d",
			       arguments[0], INTERVAL_MAX);
	if (r >= 0 && !settings->numeric)
		r = hosts_read(&context->host, &arena, &hosts, err);
	return r < 0 ? r : print_repeatedly(context, settings, &view, seconds, err);
}

static const char *const examples[] = {"doorward netstat -ano", "doorward netstat -b -p tcp 5",
				       NULL};

const struct command cmd_netstat = {
	.name = "netstat",
	.summary = N_("connections, as Windows shows them"),
	.arguments = "[SECONDS]",
	.max = 1,
	.options = options,
	.settings_size = sizeof(struct settings),
	.capabilities = CAPS_SEE,
	.examples = examples,
	.prepare = prepare,
	.run = run,
};

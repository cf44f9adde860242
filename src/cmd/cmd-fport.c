/* doorward fport, doorward mport: which process holds which port, a row each. */
#include <errno.h>
#include <linux/capability.h>

#include "base/privilege.h"
#include "cmd/tell.h"
#include "view/classic.h"

struct settings {
	bool by_port, by_pid, by_application, by_path;
	struct look look;
};

static const struct option options[] = {
	{.kind = OPTION_FLAG,
	 .letter = 'p',
	 .at = offsetof(struct settings, by_port),
	 .help = N_("order by port (the default)")},
	{.kind = OPTION_FLAG,
	 .letter = 'i',
	 .at = offsetof(struct settings, by_pid),
	 .help = N_("order by process id")},
	{.kind = OPTION_FLAG,
	 .letter = 'a',
	 .at = offsetof(struct settings, by_application),
	 .help = N_("order by application")},
	{.kind = OPTION_FLAG,
	 .name = "ap",
	 .is_single_dash = true,
	 .at = offsetof(struct settings, by_path),
	 .help = N_("order by the application's path")},
	LOOK_AT_OPTIONS(struct settings, look),
	{.kind = OPTION_END},
};

static int order_of(const struct settings *settings, enum fport_order *ret, struct error *err)
{
	*ret = settings->by_pid		  ? FPORT_BY_PID
	       : settings->by_application ? FPORT_BY_APPLICATION
	       : settings->by_path	  ? FPORT_BY_PATH
					  : FPORT_BY_PORT;
	if (settings->by_port + settings->by_pid + settings->by_application + settings->by_path > 1)
		return error_text(err, -EINVAL, "-p, -i, -a, -ap: it takes one order");
	return 0;
}

static int prepare(struct context *context, void *data, char **arguments unused_argument,
		   struct error *err)
{
	struct settings *settings = data;
	return look_prepare(context, &settings->look, err);
}

static int run(struct context *context, const void *data, char **arguments unused_argument,
	       struct error *err)
{
	cleanup(tell_free_snapshot) struct snapshot *snapshot = NULL;
	struct rows rows = {.n_rows = 0};
	enum fport_order order;
	struct look look = ((const struct settings *)data)->look;
	look.netns = "self";
	look.is_numeric = true;
	struct bounds bounds = BOUNDS_ALL;
	bounds.protos = 1u << PROTO_TCP | 1u << PROTO_UDP;

	int r = order_of(data, &order, err);
	if (r >= 0)
		r = look_collect(context, &look, NULL, bounds, NEED_HOLDERS | NEED_STAT | NEED_EXE,
				 &snapshot, err);
	if (r < 0)
		return r;
	r = rows_find(snapshot, NULL, &rows, err);
	if (r < 0)
		return r;
	r = fport_print(&context->out, &rows, order);
	rows_done(&rows);
	if (r < 0)
		return error_set(err, r, "order the ports");
	look_tell_missing(context, snapshot);
	return EXIT_DONE;
}

const struct command cmd_fport = {
	.name = "fport",
	.summary = N_("processes and their ports, as fport shows them"),
	.arguments = "",
	.options = options,
	.settings_size = sizeof(struct settings),
	.capabilities = CAPS_SEE,
	.prepare = prepare,
	.run = run,
};

const struct command cmd_mport = {
	.name = "mport",
	.summary = N_("the same as fport"),
	.arguments = "",
	.options = options,
	.settings_size = sizeof(struct settings),
	.capabilities = CAPS_SEE,
	.prepare = prepare,
	.run = run,
};

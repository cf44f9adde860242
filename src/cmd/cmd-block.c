/* doorward block TARGET...: new traffic to a port is refused, its process is left alone. */
#include <errno.h>

#include "base/privilege.h"
#include "cmd/blocking.h"
#include "view/block.h"

#define WITHOUT_END UINT64_MAX

struct settings {
	bool json, cuts, is_forced;
	const char *from, *reason;
	uint64_t life_ms;
	struct look look;
};

static const struct option options[] = {
	{.kind = OPTION_DURATION,
	 .name = "for",
	 .at = offsetof(struct settings, life_ms),
	 .argument = "TIME",
	 .help = N_("it ends by itself after this time, such as 10m")},
	{.kind = OPTION_TEXT,
	 .name = "from",
	 .at = offsetof(struct settings, from),
	 .argument = "WHERE",
	 .help = N_("refuse only what comes from outside of this host, or from a network such as "
		    "10.0.0.0/8")},
	{.kind = OPTION_FLAG,
	 .name = "cut",
	 .at = offsetof(struct settings, cuts),
	 .help = N_("end the connections that are there too")},
	{.kind = OPTION_TEXT,
	 .name = "reason",
	 .at = offsetof(struct settings, reason),
	 .argument = "TEXT",
	 .help = N_("why; `doorward blocks` shows it")},
	{.kind = OPTION_FLAG,
	 .name = "force",
	 .at = offsetof(struct settings, is_forced),
	 .help = N_("even the port and the connection that this session came through")},
	LOOK_JSON_OPTION(struct settings, json),
	BLOCKING_NETNS_OPTION(struct settings, look),
	{.kind = OPTION_END},
};

static void set_defaults(void *data)
{
	struct settings *settings = data;
	settings->life_ms = WITHOUT_END;
	settings->look.netns = "self";
}

static int request_of(const struct settings *settings, char **arguments,
		      struct blocking_request *ret, struct error *err)
{
	*ret = (struct blocking_request){.targets = arguments,
					 .from = settings->from,
					 .reason = settings->reason,
					 .cuts = settings->cuts,
					 .is_forced = settings->is_forced};
	if (settings->life_ms == WITHOUT_END)
		return 0;
	return blocking_life(settings->life_ms, &ret->seconds, err);
}

static void tell(struct context *context, const struct settings *settings,
		 const struct blocking *blocking, const struct cut *cut)
{
	if (!settings->cuts)
		cut = NULL;
	if (settings->json)
		block_document(&context->out, block_netns(&blocking->place)->inode,
			       &blocking->table, &blocking->wanted, cut);
	else
		block_outcome(&context->out, &blocking->table, &blocking->wanted, cut);
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	const struct settings *settings = data;
	cleanup(blocking_done) struct blocking blocking;
	struct blocking_request request;
	struct cut cut = {.n_ended = 0};
	blocking_init(&blocking);
	int r = request_of(settings, arguments, &request, err);
	if (r >= 0)
		r = blocking_parse(look_services(context), &request, &blocking, err);
	if (r >= 0)
		r = blocking_begin(context, &settings->look, &blocking, err);
	if (r >= 0)
		r = blocking_add(&context->host, &request, &blocking, &cut, err);
	privilege_drop();
	if (r < 0)
		return r;
	tell(context, settings, &blocking, &cut);
	return cut_failed(&cut, err);
}

static const char *const examples[] = {
	"doorward block 8080 --for 10m",
	"doorward block tcp/443 --from outside --reason \"until it is patched\"",
	"doorward block 127.0.0.1:5432 --cut",
	NULL,
};

const struct command cmd_block = {
	.name = "block",
	.summary = N_("refuse new traffic to a port, and leave its process alone"),
	.arguments = "TARGET...",
	.min = 1,
	.max = ARGUMENTS_ANY,
	.options = options,
	.settings_size = sizeof(struct settings),
	.set_defaults = set_defaults,
	.capabilities = CAPS_BLOCK,
	.examples = examples,
	.run = run,
};

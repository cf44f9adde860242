/* doorward unblock TARGET...: lets in again what `block` refused. */
#include <errno.h>

#include "base/privilege.h"
#include "cmd/blocking.h"
#include "view/block.h"

struct settings {
	bool json, is_all;
	const char *from;
	struct look look;
};

static const struct option options[] = {
	{.kind = OPTION_TEXT,
	 .name = "from",
	 .at = offsetof(struct settings, from),
	 .argument = "WHERE",
	 .help = N_("only what was blocked from there: outside, or a network")},
	{.kind = OPTION_FLAG,
	 .name = "all",
	 .at = offsetof(struct settings, is_all),
	 .help = N_("everything, and our table with it")},
	LOOK_JSON_OPTION(struct settings, json),
	BLOCKING_NETNS_OPTION(struct settings, look),
	{.kind = OPTION_END},
};

static void set_defaults(void *data)
{
	((struct settings *)data)->look.netns = "self";
}

static int check(const struct settings *settings, char **arguments, struct error *err)
{
	if (settings->is_all && (arguments[0] || settings->from))
		return error_text(err, -EINVAL, "--all: it takes neither a TARGET nor --from");
	if (settings->is_all || arguments[0])
		return 0;
	error_text(err, -EINVAL, "it needs a TARGET or --all");
	error_hint(err, "`doorward blocks` lists what is blocked");
	return -EINVAL;
}

static void tell(struct context *context, const struct settings *settings,
		 const struct blocking *blocking, uint32_t n)
{
	if (settings->json)
		unblock_document(&context->out, block_netns(&blocking->place)->inode,
				 &blocking->table, n);
	else
		unblock_outcome(&context->out, n);
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	const struct settings *settings = data;
	cleanup(blocking_done) struct blocking blocking;
	const struct blocking_request request = {.targets = arguments, .from = settings->from};
	uint32_t n = 0;
	blocking_init(&blocking);
	int r = check(settings, arguments, err);
	if (r >= 0)
		r = blocking_parse(look_services(context), &request, &blocking, err);
	if (r >= 0)
		r = blocking_begin(context, &settings->look, &blocking, err);
	if (r >= 0)
		r = block_remove(&blocking.place, settings->is_all ? NULL : &blocking.wanted,
				 settings->from != NULL, &blocking.table, &n, err);
	privilege_drop();
	if (r < 0)
		return r;
	tell(context, settings, &blocking, n);
	return n ? EXIT_DONE : EXIT_NOTHING;
}

static const char *const examples[] = {
	"doorward unblock 8080",
	"doorward unblock --all",
	NULL,
};

const struct command cmd_unblock = {
	.name = "unblock",
	.summary = N_("let in again what block refused"),
	.arguments = "TARGET...",
	.max = ARGUMENTS_ANY,
	.options = options,
	.settings_size = sizeof(struct settings),
	.set_defaults = set_defaults,
	.capabilities = CAPS_BLOCK,
	.examples = examples,
	.run = run,
};

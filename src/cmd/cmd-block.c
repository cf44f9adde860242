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

/* Whole seconds, as the kernel's listing has them; 0 without end. */
static int life_of(const struct settings *settings, uint64_t *ret, struct error *err)
{
	*ret = 0;
	if (settings->life_ms == WITHOUT_END)
		return 0;
	*ret = settings->life_ms / 1000 + (settings->life_ms % 1000 != 0);
	if (!*ret)
		return error_text(err, -EINVAL, "--for: no time at all blocks nothing");
	if (*ret > BLOCK_SECONDS_MAX)
		return error_text(err, -EINVAL, "--for: longer than ten years is without end");
	return 0;
}

static int request_of(const struct settings *settings, char **arguments,
		      struct blocking_request *ret, struct error *err)
{
	*ret = (struct blocking_request){.targets = arguments,
					 .from = settings->from,
					 .reason = settings->reason,
					 .cuts = settings->cuts,
					 .is_forced = settings->is_forced};
	return life_of(settings, &ret->seconds, err);
}

static void tell_json(struct out *out, const struct settings *settings,
		      const struct blocking *blocking, const struct cut *cut)
{
	const char *before = "";
	out_char(out, '{');
	blocking_envelope(out, blocking);
	out_string(out, ",\"blocks\":[");
	for (uint32_t i = 0; i < blocking->wanted.n; i++) {
		const struct block *block =
			block_find(&blocking->table, vector_at(&blocking->wanted, i));
		if (!block)
			continue;
		out_string(out, before);
		block_json(out, block);
		before = ",";
	}
	out_string(out, "],\"cut\":");
	if (settings->cuts)
		out_format(out, "{\"ended\":%u,\"failed\":%u,\"spared\":%u,\"elsewhere\":%u}",
			   cut->n_ended, cut->n_failed, cut->n_spared, cut->n_elsewhere);
	else
		out_string(out, "null");
	out_string(out, "}\n");
}

static void tell(struct context *context, const struct settings *settings,
		 const struct blocking *blocking, const struct cut *cut)
{
	struct out *out = &context->out;
	if (settings->json) {
		tell_json(out, settings, blocking, cut);
		return;
	}
	for (uint32_t i = 0; i < blocking->wanted.n; i++) {
		const struct block *block =
			block_find(&blocking->table, vector_at(&blocking->wanted, i));
		if (!block)
			continue;
		block_sentence(out, block);
		out_char(out, '\n');
	}
	if (settings->cuts)
		out_format(out, "%u connection%s ended\n", cut->n_ended,
			   cut->n_ended == 1 ? "" : "s");
	if (cut->n_spared)
		out_string(out, "the connection of this session goes on: --force would end it\n");
}

/* What --cut left. */
static int tell_failed(const struct cut *cut, struct error *err)
{
	if (cut->n_failed) {
		error_set(err, cut->error, "end %u of the connections", cut->n_failed);
		if (cut->error == -EOPNOTSUPP)
			error_hint(err, "this kernel was built without CONFIG_INET_DIAG_DESTROY");
		return cut->error;
	}
	if (cut->n_elsewhere)
		return error_text(err, -ENOTSUP,
				  "%u of the connections are passed on to another host, where they "
				  "cannot be ended",
				  cut->n_elsewhere);
	return EXIT_DONE;
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
	return tell_failed(&cut, err);
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

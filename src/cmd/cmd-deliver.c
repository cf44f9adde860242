/* doorward deliver TO [--from FROM]: a packet arrives at this host; who gets it? */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <strings.h>

#include "base/privilege.h"
#include "cmd/tell.h"
#include "cmd/terminal.h"
#include "collect/deliveries.h"
#include "view/delivery.h"

#define NOT_SAID (-1) /* --proto */

struct settings {
	bool json, is_unpaged;
	const char *from;
	int proto;
	struct look look;
};

static const struct option options[] = {
	{.kind = OPTION_TEXT,
	 .name = "from",
	 .at = offsetof(struct settings, from),
	 .argument = "FROM",
	 .help = N_("where the packet comes from: address or address:port")},
	{.kind = OPTION_WORD,
	 .name = "proto",
	 .at = offsetof(struct settings, proto),
	 .argument = "PROTO",
	 .words = look_door_words,
	 .help = N_("tcp (the default) or udp")},
	LOOK_JSON_OPTION(struct settings, json),
	LOOK_OPTIONS(struct settings, look),
	{.kind = OPTION_FLAG,
	 .name = "no-pager",
	 .at = offsetof(struct settings, is_unpaged),
	 .help = N_("never start a pager")},
	{.kind = OPTION_END},
};

static void set_defaults(void *data)
{
	((struct settings *)data)->proto = NOT_SAID;
}

static int tell_json(struct context *context, const struct deliveries *deliveries,
		     struct error *err)
{
	struct out *out = &context->out;
	struct json_shape *shape = json_shape_all(false);
	if (!shape)
		return error_set(err, -ENOMEM, "tell who gets the packet");
	out_char(out, '{');
	json_envelope(out, deliveries->snapshot);
	out_string(out, ",\"deliveries\":[");
	for (uint32_t i = 0; i < deliveries->list.n; i++) {
		if (i)
			out_char(out, ',');
		delivery_json(out, shape, deliveries->snapshot, deliveries_at(deliveries, i));
	}
	out_string(out, "]}\n");
	json_shape_free(shape);
	return 0;
}

static int tell(struct context *context, const struct settings *settings,
		const struct deliveries *deliveries, struct error *err)
{
	struct page page = tell_page(context);
	if (settings->json)
		return tell_json(context, deliveries, err);
	terminal_hold_page(context);
	if (!deliveries->list.n)
		delivery_print_none(&page);
	if (deliveries->list.n == 1)
		delivery_print(&page, deliveries->snapshot, deliveries_at(deliveries, 0));
	for (uint32_t i = 0; deliveries->list.n > 1 && i < deliveries->list.n; i++)
		delivery_print_short(&page, deliveries->snapshot, deliveries_at(deliveries, i));
	terminal_show_page(context, !settings->is_unpaged);
	return 0;
}

/* tcp/53 and udp/53, as everywhere else; another --proto than that is refused. */
static int parse_proto(const char *to, int proto, struct delivery_request *ret, struct error *err)
{
	ret->to = to;
	ret->proto = look_doors[proto == NOT_SAID ? 0 : proto];
	for (int i = 0; look_door_words[i]; i++) {
		size_t n = strlen(look_door_words[i]);
		if (strncasecmp(to, look_door_words[i], n) != 0 || to[n] != '/')
			continue;
		ret->to = to + n + 1;
		if (proto != NOT_SAID && proto != i)
			return error_text(err, -EINVAL, "%.60s: --proto says %s", to,
					  look_door_words[proto]);
		ret->proto = look_doors[i];
	}
	return 0;
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	const struct settings *settings = data;
	struct delivery_request request = {.from = settings->from};
	cleanup(deliveries_done) struct deliveries deliveries;
	struct look look = settings->look;
	struct looking looking;

	deliveries_init(&deliveries);
	if (!look.netns)
		look.netns = "self";
	int r = parse_proto(arguments[0], settings->proto, &request, err);
	if (r >= 0)
		r = look_looking(context, &look, &looking, err);
	if (r >= 0)
		r = deliveries_find(&looking, &request, &deliveries, err);
	if (r < 0)
		return r;
	privilege_drop();
	r = tell(context, settings, &deliveries, err);
	if (r < 0)
		return r;
	look_tell_missing(context, deliveries.snapshot);
	return deliveries_any(&deliveries) ? EXIT_DONE : EXIT_NOTHING;
}

static const char *const examples[] = {
	"doorward deliver 127.0.0.1:8080",
	"doorward deliver [::1]:53 --proto udp --from [::1]:40000",
	"doorward deliver 443",
	NULL,
};

const struct command cmd_deliver = {
	.name = "deliver",
	.summary = N_("to whom a packet goes that arrives at this host"),
	.arguments = "TO",
	.min = 1,
	.max = 1,
	.options = options,
	.settings_size = sizeof(struct settings),
	.set_defaults = set_defaults,
	.capabilities = CAPS_SEE,
	.examples = examples,
	.run = run,
};

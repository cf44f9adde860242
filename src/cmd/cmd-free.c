/* doorward free: ports that can be bound now. */
#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <string.h>

#include "base/privilege.h"
#include "cmd/look.h"
#include "view/json.h"
#include "why/free.h"

#define FIRST 1024
#define CAPS_FREE (CAPS_SEE | CAP(NET_BIND_SERVICE))

struct settings {
	bool json, takes_ephemeral, takes_reserved;
	uint32_t first, last, count;
	int proto;
	const char *address;
	struct look look;
};

static const struct option options[] = {
	{.kind = OPTION_NUMBER,
	 .name = "from",
	 .at = offsetof(struct settings, first),
	 .argument = "N",
	 .max = UINT16_MAX,
	 .min = 1,
	 .help = N_("the lowest (1024)")},
	{.kind = OPTION_NUMBER,
	 .name = "to",
	 .at = offsetof(struct settings, last),
	 .argument = "M",
	 .max = UINT16_MAX,
	 .min = 1,
	 .help = N_("the highest (65535)")},
	{.kind = OPTION_WORD,
	 .name = "proto",
	 .at = offsetof(struct settings, proto),
	 .argument = "PROTO",
	 .words = look_door_words,
	 .help = N_("tcp (the default) or udp")},
	{.kind = OPTION_NUMBER,
	 .name = "count",
	 .at = offsetof(struct settings, count),
	 .argument = "K",
	 .max = UINT16_MAX,
	 .min = 1,
	 .help = N_("how many (1)")},
	{.kind = OPTION_TEXT,
	 .name = "bind",
	 .at = offsetof(struct settings, address),
	 .argument = "ADDR",
	 .help = N_("on this address; every one of both families without it")},
	{.kind = OPTION_FLAG,
	 .name = "ephemeral",
	 .at = offsetof(struct settings, takes_ephemeral),
	 .help = N_("those too that the kernel gives to outgoing connections")},
	{.kind = OPTION_FLAG,
	 .name = "reserved",
	 .at = offsetof(struct settings, takes_reserved),
	 .help = N_("those too that the administrator reserved")},
	LOOK_JSON_OPTION(struct settings, json),
	{.kind = OPTION_TEXT,
	 .name = "netns",
	 .at = offsetof(struct settings, look.netns),
	 .argument = "WHICH",
	 .help = N_("the network namespace: self, a name or a pid"),
	 .completes = "place"},
	{.kind = OPTION_END},
};

static void set_defaults(void *data)
{
	struct settings *settings = data;
	settings->first = FIRST;
	settings->last = UINT16_MAX;
	settings->count = 1;
	settings->look.netns = "self";
}

static int parse(const struct settings *settings, struct free_search *ret, struct error *err)
{
	*ret = (struct free_search){
		.proto = look_doors[settings->proto],
		.first = (uint16_t)settings->first,
		.last = (uint16_t)settings->last,
		.wanted = settings->count,
		.takes_ephemeral = settings->takes_ephemeral,
		.takes_reserved = settings->takes_reserved,
	};
	if (settings->first > settings->last)
		return error_text(err, -EINVAL, "--from %u: it lies above --to %u", settings->first,
				  settings->last);
	if (!settings->address)
		return 0;
	ret->has_address = true;
	if (ip_parse(settings->address, strlen(settings->address), &ret->address, &ret->is_v4) < 0)
		return error_text(err, -EINVAL, "--bind %.60s: it is no address",
				  settings->address);
	return 0;
}

static int find(struct context *context, const struct settings *settings,
		const struct free_search *search, uint64_t *ret_netns, struct free_ports *ret,
		struct error *err)
{
	cleanup(netns_list_done) struct vector places;
	vector_init(&places, sizeof(struct found_netns));
	int r = look_place(context, &settings->look, &places, err);
	if (r < 0)
		return r;
	const struct found_netns *place = vector_at(&places, 0);
	*ret_netns = place->inode;
	return free_find(&context->host, place, search, ret, err);
}

/* ---- the answer ---- */

static void tell_json(struct out *out, const struct settings *settings,
		      const struct free_search *search, uint64_t netns,
		      const struct free_ports *found)
{
	out_format(out,
		   "{\"schema\":\"" JSON_SCHEMA "\",\"netns\":%" PRIu64
		   ",\"proto\":\"%s\",\"address\":",
		   netns, proto_words[search->proto]);
	json_text(out, settings->address);
	out_format(out, ",\"from\":%u,\"to\":%u,\"wanted\":%u,\"ports\":[", search->first,
		   search->last, search->wanted);
	for (uint32_t i = 0; i < found->ports.n; i++)
		out_format(out, "%s%u", i ? "," : "", *(uint16_t *)vector_at(&found->ports, i));
	out_format(out,
		   "],\"taken\":%u,\"refused\":%u,\"ephemeral\":%u,\"reserved\":%u,"
		   "\"ephemeral_first\":%u,\"ephemeral_last\":%u}\n",
		   found->n_taken, found->n_refused, found->n_ephemeral, found->n_reserved,
		   found->ephemeral.first, found->ephemeral.last);
}

static const char *are(uint32_t n)
{
	return n == 1 ? "is" : "are";
}

/* Why there are fewer than were wanted. */
static void tell_fewer(struct context *context, const struct free_search *search,
		       const struct free_ports *found)
{
	cleanup(out_done) struct out out = {.fd = -1};
	if (out_init(&out, STDERR_FILENO) < 0)
		return;
	out_format(&out, "%s: %u of %u %s port%s free from %u to %u", context->program,
		   found->ports.n, search->wanted, proto_words[search->proto],
		   search->wanted == 1 ? "" : "s", search->first, search->last);
	if (found->n_taken)
		out_format(&out, "; %u %s taken", found->n_taken, are(found->n_taken));
	if (found->n_refused)
		out_format(&out, "; %u %s refused (%s)", found->n_refused, are(found->n_refused),
			   error_reason(found->refusal));
	if (found->n_ephemeral)
		out_format(&out, "; %u %s of the ephemeral range %u-%u (--ephemeral)",
			   found->n_ephemeral, are(found->n_ephemeral), found->ephemeral.first,
			   found->ephemeral.last);
	if (found->n_reserved)
		out_format(&out, "; %u %s reserved (--reserved)", found->n_reserved,
			   are(found->n_reserved));
	out_char(&out, '\n');
	out_flush(&out);
}

/* It gives a port, and takes none. */
static int prepare(struct context *context unused_argument, void *data unused_argument,
		   char **arguments, struct error *err)
{
	if (!arguments[0])
		return 0;
	error_text(err, -EINVAL, "%.60s: it finds a port, and is given none", arguments[0]);
	error_hint(err, "`doorward why %.60s` tells whether that one can be had", arguments[0]);
	return -EINVAL;
}

static int run(struct context *context, const void *data, char **arguments unused_argument,
	       struct error *err)
{
	const struct settings *settings = data;
	cleanup(free_ports_done) struct free_ports found;
	struct free_search search;
	uint64_t netns = 0;
	free_ports_init(&found);
	int r = parse(settings, &search, err);
	if (r >= 0)
		r = find(context, settings, &search, &netns, &found, err);
	privilege_drop();
	if (r < 0)
		return r;
	if (settings->json)
		tell_json(&context->out, settings, &search, netns, &found);
	for (uint32_t i = 0; !settings->json && i < found.ports.n; i++)
		out_format(&context->out, "%u\n", *(uint16_t *)vector_at(&found.ports, i));
	if (found.ports.n >= search.wanted)
		return EXIT_DONE;
	tell_fewer(context, &search, &found);
	return EXIT_NOTHING;
}

static const char *const examples[] = {
	"doorward free",
	"doorward free --from 8000 --to 8999 --count 3",
	"doorward free --proto udp --bind 127.0.0.1 --json",
	NULL,
};

const struct command cmd_free = {
	.name = "free",
	.summary = N_("ports that can be bound now, each tried"),
	.options = options,
	.settings_size = sizeof(struct settings),
	.set_defaults = set_defaults,
	.capabilities = CAPS_FREE,
	.examples = examples,
	.max = 1, /* which is refused with a word */
	.prepare = prepare,
	.run = run,
};

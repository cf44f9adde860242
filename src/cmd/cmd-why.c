/* doorward why TARGET: why a port cannot be bound or reached, and what to do. */
#include <errno.h>
#include <linux/capability.h>
#include <net/if.h>

#include "base/privilege.h"
#include "cmd/tell.h"
#include "model/target.h"
#include "view/diagnosis.h"
#include "why/why.h"

#define WHY_NEEDS (TELL_NEEDS | NEED_PARENTS)

struct settings {
	const char *bind, *user, *device;
	uint32_t pid;
	bool reuseaddr, reuseport, v6only, json;
	struct look look;
};

static const struct option options[] = {
	{.kind = OPTION_TEXT,
	 .name = "bind",
	 .at = offsetof(struct settings, bind),
	 .argument = "ADDR",
	 .help = N_("the address that the program binds; any (::, IPv4 too) unless given")},
	{.kind = OPTION_TEXT,
	 .name = "user",
	 .at = offsetof(struct settings, user),
	 .argument = "USER",
	 .help = N_("as that user would")},
	{.kind = OPTION_NUMBER,
	 .name = "for-pid",
	 .at = offsetof(struct settings, pid),
	 .argument = "PID",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = N_("as that process would: its network namespace, control group and user")},
	{.kind = OPTION_FLAG,
	 .name = "reuseaddr",
	 .at = offsetof(struct settings, reuseaddr),
	 .help = N_("the program sets SO_REUSEADDR")},
	{.kind = OPTION_FLAG,
	 .name = "reuseport",
	 .at = offsetof(struct settings, reuseport),
	 .help = N_("the program sets SO_REUSEPORT")},
	{.kind = OPTION_FLAG,
	 .name = "v6only",
	 .at = offsetof(struct settings, v6only),
	 .help = N_("the program sets IPV6_V6ONLY")},
	{.kind = OPTION_TEXT,
	 .name = "device",
	 .at = offsetof(struct settings, device),
	 .argument = "INTERFACE",
	 .help = N_("the program binds to that interface (SO_BINDTODEVICE)")},
	{.kind = OPTION_FLAG,
	 .name = "json",
	 .at = offsetof(struct settings, json),
	 .help = N_("print it as JSON")},
	LOOK_OPTIONS(struct settings, look),
	{.kind = OPTION_END},
};

/* What one answer is made of. */
struct answering {
	struct inquiry inquiry;
	struct diagnosis diagnosis;
	struct snapshot *snapshot;
	struct vector places; /* struct found_netns */
	bool has_address;
};

static void answering_done(struct answering *answering)
{
	diagnosis_done(&answering->diagnosis);
	snapshot_free(answering->snapshot);
	netns_list_done(&answering->places);
}

/* ---- the question ---- */

static int wrong_address(const char *text, struct error *err)
{
	error_text(err, -EINVAL, "--bind %.60s is no address", text);
	error_hint(err, "like 127.0.0.1, 0.0.0.0, ::1, :: or fe80::1%%eth0");
	return -EINVAL;
}

/* "fe80::1%eth0" too. */
static int parse_address(const char *text, struct question *ret, struct error *err)
{
	const char *percent = strchr(text, '%');
	size_t n = percent ? (size_t)(percent - text) : strlen(text);
	if (n > 1 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (ip_parse(text, n, &ret->address, &ret->is_v4) < 0)
		return wrong_address(text, err);
	if (percent && !(ret->scope = if_nametoindex(percent + 1)))
		return error_text(err, -EINVAL, "%.60s: there is no interface %.30s", text,
				  percent + 1);
	return 0;
}

static uint8_t first_proto(uint32_t protos)
{
	for (unsigned i = 0; i < PROTO_MAX; i++)
		if (protos & 1u << i)
			return (uint8_t)i;
	return PROTO_TCP;
}

static int parse_question(struct context *context, const struct settings *settings,
			  const char *text, struct question *ret, bool *has_address,
			  struct error *err)
{
	struct target target;
	*ret = (struct question){.attempt = ATTEMPT_BIND,
				 .netns = NONE,
				 .reuseaddr = settings->reuseaddr,
				 .reuseport = settings->reuseport,
				 .v6only = settings->v6only};
	int r = target_parse(text, look_services(context), &target, err);
	if (r < 0)
		return r;
	if (target.first != target.last)
		return error_text(err, -EINVAL, "%.60s: one port at a time", text);
	ret->port = target.first;
	ret->proto = first_proto(target.protos);
	if (ret->proto == PROTO_RAW)
		return error_text(err, -EINVAL, "%.60s: a raw socket has no port", text);
	ret->address = target.address;
	ret->is_v4 = target.is_v4;
	*has_address = target.has_address;
	if (settings->bind) {
		*has_address = true;
		r = parse_address(settings->bind, ret, err);
	}
	if (r >= 0 && settings->device && !(ret->interface = if_nametoindex(settings->device)))
		r = error_text(err, -EINVAL, "--device %.30s: there is no such interface",
			       settings->device);
	return r;
}

/* ---- looking ---- */

static int ignore_missing(struct sink *sink unused_argument,
			  const struct missing *missing unused_argument)
{
	return 0;
}

static int find_place(struct context *context, const struct look *look, struct answering *answering,
		      struct error *err)
{
	struct sink sink = {.missing = ignore_missing};
	struct netns_scope scope;
	struct vector unknown;
	vector_init(&unknown, sizeof(struct task_place));
	int r = look_scope(look, &scope, err);
	if (r >= 0 && scope.choice == NETNS_ALL)
		scope.choice = NETNS_SELF;
	if (r >= 0)
		r = netns_find(&context->host, &scope, &unknown, &answering->places, &sink, err);
	if (r < 0)
		return r;
	if (!answering->places.n)
		return error_set(err, -ENOENT, "find the network namespace");
	answering->inquiry.place = vector_at(&answering->places, 0);
	return 0;
}

static int find_subject(struct context *context, const struct settings *settings,
			struct inquiry *inquiry, struct error *err)
{
	if (settings->pid)
		return subject_process(&context->host, (int32_t)settings->pid, &inquiry->subject,
				       err);
	if (settings->user)
		return subject_user(&context->host, settings->user, &inquiry->subject, err);
	subject_self(&context->host, &inquiry->subject);
	return 0;
}

static int collect(struct context *context, const struct settings *settings,
		   struct answering *answering, struct error *err)
{
	struct look look = settings->look;
	struct question *question = &answering->diagnosis.question;
	struct bounds bounds = BOUNDS_ALL;
	char pid[16];
	if (!look.netns)
		look.netns = "self";
	if (settings->pid) {
		snprintf(pid, sizeof(pid), "%u", settings->pid);
		look.netns = pid;
	}
	look.asks_again = true;
	bounds.protos = 1u << question->proto;
	bounds.port_first = bounds.port_last = question->port;
	int r = find_place(context, &look, answering, err);
	if (r >= 0)
		r = look_collect(context, &look, NULL, bounds, WHY_NEEDS, &answering->snapshot,
				 err);
	if (r >= 0)
		r = find_subject(context, settings, &answering->inquiry, err);
	return r;
}

static void place_question(struct answering *answering)
{
	const struct snapshot *snapshot = answering->snapshot;
	struct inquiry *inquiry = &answering->inquiry;
	struct question *question = &answering->diagnosis.question;
	for (uint32_t i = 0; i < snapshot->netns.n; i++)
		if (snapshot_netns(snapshot, i)->inode == inquiry->place->inode)
			question->netns = i;
	question->pid = inquiry->subject.pid;
	question->uid = inquiry->subject.uid;
	question->user = inquiry->subject.user[0] ? inquiry->subject.user : NULL;
	question->is_any_asked = !answering->has_address;
	/* any address: of both families where there are both */
	const struct netns *netns = snapshot_netns(snapshot, question->netns);
	if (answering->has_address)
		return;
	question->is_v4 = true;
	for (uint32_t i = 0; netns && i < netns->n_addresses; i++)
		question->is_v4 &= netns->addresses[i].is_v4;
	question->address = question->is_v4 ? ip_from_v4((const uint8_t[4]){0})
					    : ip_from_v6((const uint8_t[16]){0});
}

/* ---- telling ---- */

static int tell(struct context *context, const struct settings *settings,
		const struct answering *answering, struct error *err)
{
	struct out *out = &context->out;
	if (!settings->json) {
		struct page page = tell_page(context);
		diagnosis_print(&page, answering->snapshot, &answering->diagnosis);
		return 0;
	}
	struct json_shape *shape = tell_shape(true);
	if (!shape)
		return error_set(err, -ENOMEM, "tell why");
	out_char(out, '{');
	json_envelope(out, answering->snapshot);
	out_char(out, ',');
	diagnosis_json(out, shape, answering->snapshot, &answering->diagnosis);
	out_string(out, "}\n");
	json_shape_free(shape);
	return 0;
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	const struct settings *settings = data;
	cleanup(answering_done) struct answering answering = {.snapshot = NULL};
	struct question question;
	diagnosis_init(&answering.diagnosis, &(struct question){.netns = NONE});
	vector_init(&answering.places, sizeof(struct found_netns));

	int r = parse_question(context, settings, arguments[0], &question, &answering.has_address,
			       err);
	answering.diagnosis.question = question;
	if (r >= 0)
		r = collect(context, settings, &answering, err);
	if (r < 0)
		return r;
	answering.inquiry.host = &context->host;
	answering.inquiry.snapshot = answering.snapshot;
	answering.inquiry.diagnosis = &answering.diagnosis;
	place_question(&answering);
	r = why_bind(&answering.inquiry, true, err);
	privilege_drop();
	if (r >= 0)
		r = tell(context, settings, &answering, err);
	if (r < 0)
		return r;
	look_tell_missing(context, answering.snapshot);
	return diagnosis_can(&answering.diagnosis) ? EXIT_DONE : EXIT_NOTHING;
}

static const char *const examples[] = {
	"doorward why 8080",
	"doorward why tcp/80 --bind 0.0.0.0 --user www-data",
	"doorward why 5432 --for-pid $$",
	NULL,
};

const struct command cmd_why = {
	.name = "why",
	.summary = N_("why a port cannot be bound or reached, and what to do"),
	.arguments = "TARGET",
	.min = 1,
	.max = 1,
	.options = options,
	.settings_size = sizeof(struct settings),
	.capabilities = CAPS_SEE | CAP(NET_BIND_SERVICE) | CAP(SETUID) | CAP(SETGID) |
			CAP(DAC_OVERRIDE) | CAP(NET_RAW),
	.examples = examples,
	.run = run,
};

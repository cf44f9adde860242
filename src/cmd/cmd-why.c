/* doorward why TARGET: why a port cannot be bound or reached, and what to do. */
#include <errno.h>
#include <linux/capability.h>
#include <net/if.h>

#include "base/privilege.h"
#include "cmd/tell.h"
#include "cmd/why-command.h"
#include "model/target.h"
#include "view/diagnosis.h"

struct settings {
	const char *bind, *user, *device;
	uint32_t pid;
	bool connect, reuseaddr, reuseport, v6only, json;
	bool is_command;
	struct launch launch;
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
	 .help = N_("as that user would"),
	 .completes = "user"},
	{.kind = OPTION_NUMBER,
	 .name = "for-pid",
	 .at = offsetof(struct settings, pid),
	 .argument = "PID",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = N_("as that process would: its network namespace, control group and user"),
	 .completes = "pid"},
	{.kind = OPTION_FLAG,
	 .name = "connect",
	 .at = offsetof(struct settings, connect),
	 .help = N_(
		 "why it cannot be reached; behind TARGET may stand FROM: an address of this host, "
		 "a network namespace's name or a pid")},
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
	LOOK_JSON_OPTION(struct settings, json),
	LOOK_OPTIONS(struct settings, look),
	{.kind = OPTION_DASHES, .at = offsetof(struct settings, is_command), .is_hidden = true},
	{.kind = OPTION_END},
};

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
			  const char *text, struct question *ret, struct error *err)
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
	ret->is_any_asked = !target.has_address && !settings->bind;
	if (settings->connect) {
		ret->attempt = ATTEMPT_CONNECT;
		if (ret->is_any_asked) {
			ret->address = ip_from_v4((const uint8_t[4]){127, 0, 0, 1});
			ret->is_v4 = true;
		}
	}
	if (settings->bind)
		r = parse_address(settings->bind, ret, err);
	if (r >= 0 && settings->device && !(ret->interface = if_nametoindex(settings->device)))
		r = error_text(err, -EINVAL, "--device %.30s: there is no such interface",
			       settings->device);
	return r;
}

/* ---- the answer ---- */

/* FROM: an address of this host, or else where the packet starts: a namespace. */
static int parse_from(const char *text, struct question *question, struct look *look,
		      struct error *err)
{
	bool is_v4;
	if (ip_parse(text, strlen(text), &question->from, &is_v4) < 0) {
		look->netns = text;
		return 0;
	}
	if (is_v4 != question->is_v4 &&
	    question->is_any_asked) { /* this host, as FROM reaches it */
		question->address = (struct ip){.bytes = {[15] = 1}};
		question->is_v4 = is_v4;
	}
	if (is_v4 != question->is_v4)
		return error_text(err, -EINVAL, "%.60s: one end is IPv4, the other is IPv6", text);
	question->has_from = true;
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

static int find_out(struct context *context, const struct settings *settings, const char *from,
		    struct answering *answering, struct error *err)
{
	struct look look = settings->look;
	bool is_connect = settings->connect;
	int r = 0;
	char pid[16];
	if (settings->pid) {
		snprintf(pid, sizeof(pid), "%u", settings->pid);
		look.netns = pid;
	}
	if (from)
		r = parse_from(from, &answering->diagnosis.question, &look, err);
	if (r >= 0)
		r = why_collect(context, &look, answering, is_connect, err);
	if (r >= 0)
		r = find_subject(context, settings, &answering->inquiry, err);
	if (r < 0)
		return r;
	answering_set_subject(answering);
	return why_find(&answering->inquiry, true, err);
}

static int tell(struct context *context, const struct settings *settings,
		const struct answering *answering, struct error *err)
{
	struct out *out = &context->out;
	if (!settings->json) {
		struct page page = tell_page(context);
		diagnosis_print(&page, answering->snapshot, &answering->diagnosis);
		return 0;
	}
	out_char(out, '{');
	int r = diagnosis_document(out, answering->snapshot, &answering->diagnosis);
	out_string(out, "}\n");
	return r < 0 ? error_set(err, r, "tell why") : 0;
}

static int answer(struct context *context, const struct settings *settings, const char *text,
		  const char *from, struct error *err)
{
	cleanup(answering_done) struct answering answering;
	struct question question;
	int r = parse_question(context, settings, text, &question, err);
	answering_init(&answering, &context->host, &question);
	if (r >= 0)
		r = find_out(context, settings, from, &answering, err);
	privilege_drop();
	if (r >= 0)
		r = tell(context, settings, &answering, err);
	if (r < 0)
		return r;
	look_tell_missing(context, answering.snapshot);
	return diagnosis_can(&answering.diagnosis) ? EXIT_DONE : EXIT_NOTHING;
}

/* ---- the command ---- */

static int check_arguments(const struct settings *settings, char **arguments, struct error *err)
{
	bool asks = settings->bind || settings->user || settings->pid || settings->device ||
		    settings->connect;
	unsigned allowed = settings->connect ? 2 : 1, n = 0;
	if (settings->is_command && asks)
		return error_text(err, -EINVAL,
				  "a command binds and connects as it does: --bind, --user, "
				  "--for-pid, --device and --connect are for a TARGET");
	if (settings->connect && settings->bind)
		return error_text(err, -EINVAL, "--bind and --connect are two questions");
	while (!settings->is_command && arguments[n])
		if (n++ == allowed)
			return error_text(err, -EINVAL, "%.60s is one argument too many",
					  arguments[allowed]);
	return 0;
}

/* The command is started while all rights of the caller are there. */
static int prepare(struct context *context unused_argument, void *data, char **arguments,
		   struct error *err)
{
	struct settings *settings = data;
	settings->launch = (struct launch){.go = -1, .failed = -1};
	int r = check_arguments(settings, arguments, err);
	if (r < 0 || !settings->is_command)
		return r;
	return launch_prepare(arguments, settings->json ? STDERR_FILENO : -1, &settings->launch,
			      err);
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	const struct settings *settings = data;
	if (!settings->is_command)
		return answer(context, settings, arguments[0], arguments[1], err);
	cleanup(launch_done) struct launch launch = settings->launch;
	return why_command(context, &settings->look, &launch, arguments, settings->json, err);
}

static const char *const examples[] = {
	"doorward why 8080",
	"doorward why tcp/80 --bind 0.0.0.0 --user www-data",
	"doorward why 5432 --for-pid $$",
	"doorward why 127.0.0.1:8080 --connect",
	"doorward why -- python3 -m http.server --help",
	NULL,
};

const struct command cmd_why = {
	.name = "why",
	.summary = N_("why a port cannot be bound or reached, and what to do"),
	.arguments = "TARGET [FROM] | -- COMMAND...",
	.min = 1,
	.max = ARGUMENTS_ANY,
	.options = options,
	.settings_size = sizeof(struct settings),
	.capabilities = CAPS_SEE | CAP(NET_BIND_SERVICE) | CAP(SETUID) | CAP(SETGID) |
			CAP(DAC_OVERRIDE) | CAP(NET_RAW) | CAP(KILL),
	.examples = examples,
	.prepare = prepare,
	.run = run,
};

/* doorward version: this program, and which facilities of the kernel work here, each with the
 * reason if not. */
#include <linux/capability.h>
#include <string.h>

#include "base/privilege.h"
#include "cmd/command.h"
#include "collect/collect.h"
#include "model/facility.h"
#include "view/json.h"

struct settings {
	bool is_json;
};

static const struct option options[] = {
	{OPTION_FLAG, 'j', "json", offsetof(struct settings, is_json), NULL, N_("as JSON")},
	{OPTION_END},
};

static void print_json(struct out *out, const struct vector *facilities)
{
	out_string(out,
		   "{\"schema\":\"" JSON_SCHEMA "\",\"version\":\"" VERSION "\",\"facilities\":[");
	for (uint32_t i = 0; i < facilities->n; i++) {
		const struct facility *facility = vector_at(facilities, i);
		out_string(out, i ? ",\n{\"name\":" : "\n{\"name\":");
		json_text(out, facility->name);
		out_string(out, ",\"gives\":");
		json_text(out, facility->gives);
		out_format(out, ",\"built_in\":%s,\"works\":%s,\"reason\":",
			   facility->is_built_in ? "true" : "false",
			   facility->works ? "true" : "false");
		json_text(out, facility->works ? NULL : facility->reason);
		out_char(out, '}');
	}
	out_string(out, "\n]}\n");
}

static void print_text(struct out *out, const struct vector *facilities)
{
	out_string(out, "doorward " VERSION "\n\n");
	for (uint32_t i = 0; i < facilities->n; i++) {
		const struct facility *facility = vector_at(facilities, i);
		out_format(out, "%-18s  %-13s  %s\n", facility->name,
			   facility->works	   ? "works"
			   : facility->is_built_in ? "does not work"
						   : "not built in",
			   facility->gives);
		if (!facility->works)
			out_format(out, "%35s%s\n", "", facility->reason);
	}
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	const struct settings *settings = data;
	cleanup(vector_done) struct vector facilities;
	(void)arguments;
	vector_init(&facilities, sizeof(struct facility));
	int r = collect_facilities(&context->host, &facilities, err);
	if (r < 0)
		return r;
	if (settings->is_json)
		print_json(&context->out, &facilities);
	else
		print_text(&context->out, &facilities);
	return EXIT_DONE;
}

const struct command cmd_version = {
	.name = "version",
	.summary = N_("this program, and which facilities work on this host"),
	.options = options,
	.settings_size = sizeof(struct settings),
	.capabilities = CAPS_SEE,
	.run = run,
};

/* doorward fields: what can be shown, sorted by and filtered on. */
#include <string.h>

#include "cmd/command.h"
#include "model/field.h"
#include "view/json.h"

struct settings {
	bool is_json;
};

static const struct option options[] = {
	{OPTION_FLAG, 'j', "json", offsetof(struct settings, is_json), NULL, N_("as JSON")},
	{OPTION_END},
};

static void print_json(struct out *out)
{
	const struct field *field;
	out_string(out, "{\"schema\":\"" JSON_SCHEMA "\",\"fields\":[");
	for (unsigned i = 0; (field = field_at(i)); i++) {
		out_string(out, i ? ",\n{\"name\":" : "\n{\"name\":");
		json_text(out, field->name);
		out_string(out, ",\"json\":");
		json_text(out, field->json);
		out_format(out, ",\"of\":\"%s\",\"help\":",
			   field->of == OF_HOLDER ? "holder" : "socket");
		json_text(out, field->help);
		out_char(out, '}');
	}
	out_string(out, "\n]}\n");
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	const struct settings *settings = data;
	struct out *out = &context->out;
	const struct field *field;
	(void)arguments;
	(void)err;
	if (settings->is_json) {
		print_json(out);
		return EXIT_DONE;
	}
	out_string(out, "FIELD              JSON            OF      MEANING\n");
	for (unsigned i = 0; (field = field_at(i)); i++)
		out_format(out, "%-17s  %-14s  %-6s  %s\n", field->name,
			   field->json ? field->json : "",
			   field->of == OF_HOLDER ? "holder" : "socket", field->help);
	return EXIT_DONE;
}

const struct command cmd_fields = {
	.name = "fields",
	.summary = N_("the fields that can be shown, sorted by and filtered on"),
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = run,
};

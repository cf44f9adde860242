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

static const char *const kind_words[] = {
	[VALUE_NULL] = "null",	   [VALUE_UINT] = "number", [VALUE_INT] = "number",
	[VALUE_BOOL] = "boolean",  [VALUE_TIME] = "time",   [VALUE_WORD] = "word",
	[VALUE_STRING] = "text",   [VALUE_IP] = "address",  [VALUE_ENDPOINT] = "endpoint",
	[VALUE_OBJECT] = "object",
};

/* The words that a field's value is one of; some tables begin with a place for none. */
static void print_words(struct out *out, const struct field *field)
{
	const char *between = "";
	if (!field->words) {
		out_string(out, "null");
		return;
	}
	out_char(out, '[');
	unsigned n = field->words == state_words ? STATE_MAX : UINT32_MAX;
	for (unsigned i = 0; i < n && (field->words[i] || n == STATE_MAX); i++) {
		if (!field->words[i] || !field->words[i][0])
			continue;
		out_string(out, between);
		json_text(out, field->words[i]);
		between = ",";
	}
	out_char(out, ']');
}

static const char *const of_words[] = {
	[OF_SOCKET] = "socket", [OF_HOLDER] = "holder", [OF_EVENT] = "event"};

static bool is_in_json(const struct field *field)
{
	return field->flags & FIELD_JSON || field->of == OF_EVENT;
}

static void print_json(struct out *out)
{
	const struct field *field;
	out_string(out, "{\"schema\":\"" JSON_SCHEMA "\",\"fields\":[");
	for (unsigned i = 0; (field = field_any_at(i)); i++) {
		out_string(out, i ? ",\n{\"name\":" : "\n{\"name\":");
		json_text(out, field->name);
		out_string(out, ",\"json\":");
		json_text(out, field->json);
		out_format(out, ",\"of\":\"%s\",\"kind\":\"%s\",\"words\":", of_words[field->of],
			   kind_words[field->kind]);
		print_words(out, field);
		out_format(out, ",\"in_json\":%s,\"filters\":%s,\"help\":",
			   is_in_json(field) ? "true" : "false",
			   field->flags & FIELD_NO_FILTER ? "false" : "true");
		json_text(out, field->help);
		out_char(out, '}');
	}
	out_string(out, "\n]}\n");
}

/* The help of a field, broken between words where the terminal ends. */
static void print_help(struct out *out, const char *help, unsigned at, unsigned columns)
{
	size_t room = columns > at + 20 ? columns - at : SIZE_MAX;
	while (strlen(help) > room) {
		size_t cut = room;
		while (cut && help[cut] != ' ')
			cut--;
		if (!cut)
			break;
		out_bytes(out, help, cut);
		out_char(out, '\n');
		out_spaces(out, at);
		help += cut + 1;
	}
	out_string(out, help);
	out_char(out, '\n');
}

#define HELP_AT 43

static void print_text(struct out *out, unsigned columns)
{
	const struct field *field;
	out_string(out, "FIELD              JSON            OF      MEANING\n");
	for (unsigned i = 0; (field = field_any_at(i)); i++) {
		out_format(out, "%-17s  %-14s  %-6s  ", field->name, field->json ? field->json : "",
			   of_words[field->of]);
		print_help(out, field->help, HELP_AT, columns);
	}
}

static int run(struct context *context, const void *data, unused_argument char **arguments,
	       unused_argument struct error *err)
{
	const struct settings *settings = data;
	if (settings->is_json)
		print_json(&context->out);
	else
		print_text(&context->out, context->columns);
	return EXIT_DONE;
}

const struct command cmd_fields = {
	.name = "fields",
	.summary = N_("the fields that can be shown, sorted by and filtered on"),
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = run,
};

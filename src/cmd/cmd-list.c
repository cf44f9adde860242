/* doorward list: what is open on this host, and all the rest of its sockets. */
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "base/privilege.h"
#include "cmd/look.h"
#include "cmd/terminal.h"
#include "model/columns.h"
#include "view/csv.h"
#include "view/json.h"
#include "view/table.h"

enum output { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_JSONL, OUTPUT_CSV, OUTPUT_RAW };
static const char *const output_words[] = {"table", "wide", "json", "jsonl", "csv", "raw", NULL};

enum colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };
static const char *const colour_words[] = {"auto", "always", "never", NULL};

struct settings {
	struct look look;
	bool is_all, is_connections, has_groups, is_json, has_pager;
	const char *fields, *sort;
	int output, colour;
};

#define LIKE_SS                                                                                  \
	N_("what listens is listed with its process without asking; a filter bounds it: 'proto " \
	   "= tcp'")

static const struct option options[] = {
	{OPTION_FLAG, 'a', "all", offsetof(struct settings, is_all), NULL,
	 N_("every socket, not only what is open")},
	{OPTION_FLAG, 'c', "connections", offsetof(struct settings, is_connections), NULL,
	 N_("those that have another end")},
	{OPTION_NO_FLAG, 0, "no-group", offsetof(struct settings, has_groups), NULL,
	 N_("a row for each socket; else one for each service, both families and all workers")},
	{OPTION_TEXT, 'f', "fields", offsetof(struct settings, fields), "LIST",
	 N_("these columns, with commas between; `doorward fields` lists them"),
	 .completes = "field"},
	{OPTION_TEXT, 's', "sort", offsetof(struct settings, sort), "LIST",
	 N_("by these fields; -FIELD from the large to the small"), .completes = "field"},
	{OPTION_FLAG, 'j', "json", offsetof(struct settings, is_json), NULL,
	 N_("the same as --output json")},
	{OPTION_WORD, 'o', "output", offsetof(struct settings, output), "FORM",
	 N_("table, wide, json, jsonl, csv or raw"), .words = output_words},
	LOOK_OPTIONS(struct settings, look),
	LOOK_READ_OPTION(struct settings, look),
	LOOK_AT_OPTIONS(struct settings, look),
	{OPTION_WORD, 0, "color", offsetof(struct settings, colour), "WHEN",
	 N_("colour: auto, always or never"), .words = colour_words},
	{OPTION_NO_FLAG, 0, "no-pager", offsetof(struct settings, has_pager), NULL,
	 N_("never start a pager")},
	LOOK_FILTER_MEANT,
	OPTION_IS_MEANT(
		'p', NULL,
		N_("a filter says it: 'port = 80'; who holds a port is shown without asking")),
	OPTION_IS_MEANT('t', NULL, LIKE_SS),
	OPTION_IS_MEANT('u', NULL, LIKE_SS),
	OPTION_IS_MEANT('l', NULL, LIKE_SS),
	{OPTION_END},
};

static void set_defaults(void *data)
{
	struct settings *settings = data;
	settings->has_groups = settings->has_pager = true;
}

static struct bounds bounds_of(const struct settings *settings, const struct filter *filter)
{
	struct bounds bounds = BOUNDS_ALL;
	if (settings->is_connections)
		bounds.states &= ~(1u << STATE_LISTEN | 1u << STATE_BOUND);
	else if (!settings->is_all && !filter_names_state(filter))
		bounds.states = STATES_OPEN;
	return bounds;
}

static bool is_json(const struct settings *settings)
{
	return settings->output == OUTPUT_JSON || settings->output == OUTPUT_JSONL;
}

/* Rows that have another end are shown one by one, with both ends. */
static bool shows_connections(const struct settings *settings, const struct filter *filter)
{
	return settings->is_all || settings->is_connections ||
	       (filter_names_state(filter) && filter_bounds(filter).states & ~STATES_OPEN);
}

static enum columns_of columns_of(const struct settings *settings, const struct filter *filter)
{
	if (settings->output == OUTPUT_CSV || settings->output == OUTPUT_RAW)
		return COLUMNS_FILE;
	if (shows_connections(settings, filter))
		return COLUMNS_CONNECTIONS;
	return settings->output == OUTPUT_WIDE ? COLUMNS_WIDE : COLUMNS_OPEN;
}

static int run_jsonl(struct context *context, const struct snapshot *snapshot,
		     const struct rows *rows, struct json_shape *shape)
{
	for (uint32_t i = 0; i < rows->n_sockets; i++) {
		json_socket(&context->out, shape, snapshot, rows->order[i]);
		out_char(&context->out, '\n');
	}
	json_end(&context->out, snapshot);
	return 0;
}

static struct table_style style_of(const struct context *context, const struct settings *settings)
{
	return (struct table_style){
		.columns = settings->output == OUTPUT_TABLE ? context->columns : 0,
		.has_colour = settings->colour == COLOUR_ALWAYS ||
			      (settings->colour == COLOUR_AUTO && context->has_colour),
		.is_utf8 = context->is_utf8,
		.is_terminal = context->is_terminal,
		.hides_empty = !settings->fields,
	};
}

static int print_table(struct context *context, const struct settings *settings, struct rows *rows,
		       const struct field **fields)
{
	struct table_style style = style_of(context, settings);
	style.has_marks = table_marks(rows) > 0;
	if (settings->has_pager && context->is_terminal && rows->n_rows + 3 > context->rows)
		terminal_start_pager(context);
	int r = table_print(&context->out, rows, fields, &style);
	table_footer(&context->out, rows, &style);
	look_tell_at(context, &settings->look);
	return r;
}

static int print(struct context *context, const struct settings *settings, struct rows *rows,
		 const struct field **fields)
{
	switch ((enum output)settings->output) {
	case OUTPUT_CSV:
		return csv_print(&context->out, rows, fields);
	case OUTPUT_RAW:
		return raw_print(&context->out, rows, fields);
	default:
		return print_table(context, settings, rows, fields);
	}
}

static int print_json(struct context *context, const struct settings *settings,
		      const struct snapshot *snapshot, const struct rows *rows,
		      const struct field *const *fields)
{
	struct json_shape *shape = json_shape_new(fields);
	if (!shape)
		return -ENOMEM;
	int r = 0;
	if (settings->output == OUTPUT_JSONL)
		r = run_jsonl(context, snapshot, rows, shape);
	else
		json_print(&context->out, rows, shape);
	json_shape_free(shape);
	return r;
}

static uint32_t json_needs(void)
{
	uint32_t needs = 0;
	const struct field *field;
	for (unsigned i = 0; (field = field_at(i)); i++)
		needs |= field->flags & FIELD_JSON ? field->needs : 0;
	return needs;
}

struct choice {
	const struct field **fields, **sort; /* NULL: the usual */
	bool *descending;
	bool is_grouped;
	uint32_t needs; /* of columns and order, and of what makes one service of several sockets */
};

/* As they come: nothing but the current socket is kept. */
static int print_stream(struct context *context, const struct settings *settings,
			const struct filter *filter, struct stream *stream,
			struct json_shape *shape, uint32_t states)
{
	uint32_t index, n = 0;
	int r;
	while ((r = stream_next(stream, &index)) > 0 && !context->out.error) {
		const struct socket *socket = snapshot_socket(stream->snapshot, index);
		if (stop_wanted(context->stop))
			break;
		if (!(states & 1u << socket->state) ||
		    (settings->is_connections && !socket_has_peer(socket)) ||
		    !filter_match(filter, stream->snapshot, index))
			continue;
		json_socket(&context->out, shape, stream->snapshot, index);
		out_char(&context->out, '\n');
		n++;
	}
	if (r < 0 || context->out.error)
		return r < 0 ? r : context->out.error;
	if (r > 0)
		r = stream_break(stream);
	json_end(&context->out, stream->snapshot);
	return r < 0 ? r : n ? EXIT_DONE : EXIT_NOTHING;
}

static void streamp(struct stream **stream)
{
	stream_free(*stream);
}

static void shapep(struct json_shape **shape)
{
	json_shape_free(*shape);
}

static int run_stream(struct context *context, const struct settings *settings,
		      const struct filter *filter, const struct choice *choice, struct error *err)
{
	cleanup(shapep) struct json_shape *shape = json_shape_new(choice->fields);
	cleanup(streamp) struct stream *stream = NULL;
	if (!shape)
		return -ENOMEM;
	struct bounds bounds = bounds_of(settings, filter);
	int r = look_stream(context, &settings->look, filter, bounds, choice->needs, &stream, err);
	if (r < 0)
		return r;
	r = print_stream(context, settings, filter, stream, shape, bounds.states);
	if (out_flush(&context->out) >= 0)
		look_tell_missing(context, stream->snapshot);
	return r;
}

static void snapshotp(struct snapshot **snapshot)
{
	snapshot_free(*snapshot);
}

static void choice_done(struct choice *choice, const struct settings *settings)
{
	if (settings->fields) /* else they are the context's */
		free(choice->fields);
	free(choice->sort);
	free(choice->descending);
}

static int choose(struct context *context, const struct settings *settings,
		  const struct filter *filter, struct choice *ret, struct error *err)
{
	*ret = (struct choice){0};
	int r = settings->fields ? fields_parse(settings->fields, &ret->fields, NULL, err) : 0;
	if (r >= 0 && settings->sort)
		r = fields_parse(settings->sort, &ret->sort, &ret->descending, err);
	if (r < 0)
		return r;
	if (!settings->fields && !is_json(settings)) {
		ret->fields = columns_usual(&context->arena, columns_of(settings, filter));
		if (!ret->fields)
			return error_set(err, -ENOMEM, "choose the columns");
		ret->needs = NEED_NETNS_NAMES;
	}
	ret->is_grouped = settings->has_groups && settings->output <= OUTPUT_WIDE &&
			  !shows_connections(settings, filter);
	ret->needs |= (ret->fields ? fields_needs(ret->fields) : json_needs()) |
		      (ret->sort ? fields_needs(ret->sort) : 0);
	if (ret->is_grouped)
		ret->needs |= NEED_HOLDERS | NEED_STAT | NEED_EXE | NEED_CGROUP;
	return 0;
}

static int show(struct context *context, const struct settings *settings,
		const struct filter *filter, const struct snapshot *snapshot,
		const struct choice *choice, uint32_t states)
{
	struct rows rows;
	int r = rows_select(snapshot, filter, &rows);
	if (r < 0)
		return r;
	/* a saved snapshot is not bounded by its collection */
	rows_keep(&rows, states, settings->is_connections);
	r = rows_sort(&rows, choice->sort, choice->descending);
	if (r >= 0 && choice->is_grouped)
		r = rows_group(&rows);
	if (r >= 0 && !settings->fields && settings->output <= OUTPUT_WIDE)
		columns_add_netns(&rows, choice->fields);
	if (r >= 0)
		r = is_json(settings)
			    ? print_json(context, settings, snapshot, &rows, choice->fields)
			    : print(context, settings, &rows, choice->fields);
	if (r >= 0)
		r = rows.n_sockets ? EXIT_DONE : EXIT_NOTHING;
	rows_done(&rows);
	if (r < 0)
		context->out.n = 0; /* half a listing is none */
	return r;
}

/* An order and tcp_info want the whole first. */
static bool may_stream(const struct settings *settings, const struct choice *choice,
		       const struct filter *filter)
{
	return settings->output == OUTPUT_JSONL && !settings->look.read && !settings->look.at &&
	       !choice->sort &&
	       !((choice->needs | filter_needs(filter)) & (NEED_TCP_INFO | NEED_RATE));
}

static int prepare(struct context *context, void *data, char **arguments unused_argument,
		   struct error *err)
{
	struct settings *settings = data;
	if (settings->is_json && settings->output != OUTPUT_TABLE &&
	    settings->output != OUTPUT_JSON)
		return error_text(err, -EINVAL, "--json: it does not go with --output %s",
				  output_words[settings->output]);
	return look_prepare(context, &settings->look, err);
}

/* A dump that has connections alone is no host without a service. */
static void tell_closed(const struct context *context, const struct settings *settings,
			const struct filter *filter, const struct snapshot *snapshot)
{
	if (!settings->look.read || filter || settings->is_all || settings->is_connections ||
	    !snapshot->sockets.n)
		return;
	for (uint32_t i = 0; i < snapshot->sockets.n; i++)
		if (STATES_OPEN & 1u << snapshot_socket(snapshot, i)->state)
			return;
	dprintf(STDERR_FILENO,
		"%s: list: nothing open was saved there, as by `ss -D` without -a; --all shows the "
		"%u "
		"socket%s that it has\n",
		context->program, snapshot->sockets.n, snapshot->sockets.n == 1 ? "" : "s");
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	struct settings settings = *(const struct settings *)data;
	if (settings.is_json)
		settings.output = OUTPUT_JSON;
	cleanup(filterp) struct filter *filter = NULL;
	cleanup(snapshotp) struct snapshot *snapshot = NULL;
	const char *text = look_join_words(context, arguments);
	int r = filter_parse(text, arguments[0] ? look_services(context) : NULL, &filter, err);
	if (r < 0)
		return r;

	struct choice choice;
	r = choose(context, &settings, filter, &choice, err);
	struct bounds bounds = bounds_of(&settings, filter);
	if (r >= 0 && may_stream(&settings, &choice, filter))
		r = run_stream(context, &settings, filter, &choice, err);
	else if (r >= 0)
		r = look_collect(context, &settings.look, filter, bounds, choice.needs, &snapshot,
				 err);
	if (r >= 0 && snapshot)
		r = show(context, &settings, filter, snapshot, &choice, bounds.states);
	if (snapshot) {
		out_flush(&context->out);
		tell_closed(context, &settings, filter, snapshot);
		look_tell_missing(context, snapshot);
	}
	choice_done(&choice, &settings);
	return r;
}

static const char *const examples[] = {
	"doorward list",
	"doorward list --all --json 'port = 443 and not user = root'",
	"doorward list --connections --sort peer",
	"doorward list --fields local,process,unit reach = any",
	"doorward list --at '2 hours ago' port = 8080",
	NULL,
};

const struct command cmd_list = {
	.name = "list",
	.summary = N_("what is open: every service of this host, who holds it, who can reach it"),
	.arguments = "[FILTER]",
	.max = ARGUMENTS_ANY,
	.options = options,
	.settings_size = sizeof(struct settings),
	.set_defaults = set_defaults,
	.capabilities = CAPS_SEE,
	.examples = examples,
	.prepare = prepare,
	.run = run,
};

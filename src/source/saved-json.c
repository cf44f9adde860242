/* Our own JSON, and JSON lines, walked over a value at a time: a file of any size costs its sockets
 * and one value. */
#include <errno.h>
#include <string.h>

#include "source/saved-restore.h"

#define SCHEMA "doorward/1" /* view/json.h */
#define VALUE_MAX (1 << 30)

struct text {
	const char *start, *at, *end;
};

static void skip_blanks(struct text *text)
{
	while (text->at < text->end &&
	       (*text->at == ' ' || *text->at == '\n' || *text->at == '\t' || *text->at == '\r'))
		text->at++;
}

static bool next_is(struct text *text, char c)
{
	skip_blanks(text);
	return text->at < text->end && *text->at == c;
}

static unsigned line_of(const struct text *text)
{
	unsigned line = 1;
	for (const char *at = text->start; at < text->at; at++)
		line += *at == '\n';
	return line;
}

static int tell_broken(const struct restore *restore, const struct text *text, const char *why,
		       struct error *err)
{
	return error_text(err, -EINVAL, "%.60s: line %u is broken: %.80s", restore->name,
			  line_of(text), why);
}

/* What jansson makes of the value at text->at, which moves behind it. Where the file ends within it
 * *@ret is NULL and restore->is_cut. 0, -EINVAL: it is broken, -ENOMEM; both told. */
static int next_value(struct restore *restore, struct text *text, json_t **ret, struct error *err)
{
	json_error_t error = {0};
	size_t left = (size_t)(text->end - text->at);
	*ret = NULL;
	/* what lacks memory in jansson is told as broken text, or as nothing: it gets another try
	 */
	for (unsigned try = 0; !*ret && try < 2; try++)
		*ret = json_loadb(text->at, left < VALUE_MAX ? left : VALUE_MAX,
				  JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, &error);
	if (*ret) {
		text->at += error.position;
		return 0;
	}
	cleanup(freep) void *memory = malloc(256);
	enum json_error_code code = json_error_code(&error);
	if (!memory || code == json_error_out_of_memory || code == json_error_unknown)
		return error_set(err, -ENOMEM, "read %.60s", restore->name);
	if (code == json_error_premature_end_of_input || (size_t)error.position >= left) {
		restore->is_cut = true;
		text->at = text->end;
		return 0;
	}
	text->at += error.position;
	return tell_broken(restore, text, error.text, err);
}

static void json_freep(json_t **json)
{
	json_decref(*json);
}

static int tell_wrong(const struct restore *restore, json_t *object, const char *what,
		      unsigned number, struct error *err)
{
	json_t *value = json_object_get(object, restore->wrong);
	if (!value || json_is_null(value)) {
		error_text(err, -EINVAL, "%.60s: %s %u has no %s", restore->name, what, number,
			   restore->wrong);
		error_hint(err, "what was saved with --fields cannot be read again");
		return -EINVAL;
	}
	return error_text(err, -EINVAL, "%.60s: %s %u: its %s cannot be", restore->name, what,
			  number, restore->wrong);
}

static int take_socket(struct restore *restore, json_t *object, struct error *err)
{
	unsigned number = restore->snapshot->sockets.n + 1;
	if (!json_is_object(object))
		return error_text(err, -EINVAL, "%.60s: socket %u is no object", restore->name,
				  number);
	int r = restore_socket(restore, object);
	if (r < 0)
		return error_set(err, r, "read %.60s", restore->name);
	return restore->wrong ? tell_wrong(restore, object, "socket", number, err) : 0;
}

/* [value, value, ...] at text->at, each given to @take. */
static int walk_array(struct restore *restore, struct text *text, struct error *err)
{
	text->at++;
	while (!next_is(text, ']')) {
		if (text->at == text->end) {
			restore->is_cut = true;
			return 0;
		}
		cleanup(json_freep) json_t *value = NULL;
		int r = next_value(restore, text, &value, err);
		if (r < 0 || restore->is_cut)
			return r;
		r = take_socket(restore, value, err);
		if (r < 0)
			return r;
		if (next_is(text, ','))
			text->at++;
		else if (!next_is(text, ']') && text->at < text->end)
			return tell_broken(restore, text, "a comma is missing", err);
	}
	text->at++;
	return 0;
}

/* Before the sockets, where they stand there: their order is that of the rows. */
static int take_namespaces(struct restore *restore, json_t *head, struct error *err)
{
	json_t *list = json_object_get(head, "namespaces"), *one;
	size_t i;
	if (restore->told & TOLD_NAMESPACES)
		return 0;
	json_array_foreach(list, i, one)
	{
		restore->wrong = NULL;
		int r = restore_namespace(restore, one);
		if (r < 0)
			return error_set(err, r, "read %.60s", restore->name);
		if (restore->wrong)
			return tell_wrong(restore, one, "namespace", (unsigned)i + 1, err);
	}
	return 0;
}

/* A member of the object at text->at: into @head, or where it is the array of sockets, read. */
static int walk_member(struct restore *restore, struct text *text, json_t *head, bool *has_sockets,
		       struct error *err)
{
	cleanup(json_freep) json_t *key = NULL, *value = NULL;
	int r = next_value(restore, text, &key, err);
	if (r < 0 || restore->is_cut)
		return r;
	if (!json_is_string(key))
		return tell_broken(restore, text, "a key is no string", err);
	if (!next_is(text, ':')) {
		restore->is_cut = text->at == text->end;
		return restore->is_cut ? 0 : tell_broken(restore, text, "a colon is missing", err);
	}
	text->at++;
	bool is_array = next_is(text, '[');
	if (is_array && strcmp(json_string_value(key), "sockets") == 0) {
		*has_sockets = true;
		r = take_namespaces(restore, head, err);
		return r < 0 ? r : walk_array(restore, text, err);
	}
	r = next_value(restore, text, &value, err);
	if (r < 0 || restore->is_cut)
		return r;
	return json_object_set(head, json_string_value(key), value) < 0 ? -ENOMEM : 0;
}

static int walk_object(struct restore *restore, struct text *text, json_t *head, bool *has_sockets,
		       struct error *err)
{
	text->at++;
	while (!next_is(text, '}')) {
		if (text->at == text->end) {
			restore->is_cut = true;
			return 0;
		}
		int r = walk_member(restore, text, head, has_sockets, err);
		if (r < 0 || restore->is_cut)
			return r;
		if (next_is(text, ','))
			text->at++;
		else if (!next_is(text, '}') && text->at < text->end)
			return tell_broken(restore, text, "a comma is missing", err);
	}
	text->at++;
	return 0;
}

/* What stands around the sockets, before them or (jsonl) behind them. */
static int take_envelope(struct restore *restore, json_t *head, struct error *err)
{
	restore->wrong = NULL;
	int r = restore_envelope(restore, head);
	if (r < 0)
		return error_set(err, r, "read %.60s", restore->name);
	if (restore->wrong)
		return error_text(err, -EINVAL, "%.60s: its %s cannot be", restore->name,
				  restore->wrong);
	return take_namespaces(restore, head, err);
}

static int take_snapshot(struct restore *restore, json_t *head, bool has_sockets, struct error *err)
{
	const char *schema = json_string_value(json_object_get(head, "schema"));
	if (!schema || strcmp(schema, SCHEMA) != 0) {
		error_text(err, -EINVAL, "%.60s: its schema is %.30s, not " SCHEMA, restore->name,
			   schema ? schema : "not told");
		error_hint(err, "another version of doorward wrote it, or another program");
		return -EINVAL;
	}
	if (!has_sockets && !restore->is_cut)
		return error_text(err, -EINVAL, "%.60s: there are no sockets in it", restore->name);
	return take_envelope(restore, head, err);
}

/* Lines behind the first, which is @head; the last has `end`. */
static int walk_lines(struct restore *restore, struct text *text, json_t *head, struct error *err)
{
	json_t *line = json_incref(head);
	for (;;) {
		bool is_end = json_is_true(json_object_get(line, "end"));
		int r = is_end ? take_envelope(restore, line, err)
			       : take_socket(restore, line, err);
		json_decref(line);
		skip_blanks(text);
		if (r < 0 || is_end)
			return r < 0 || text->at == text->end
				       ? r
				       : tell_broken(restore, text, "there is more behind the end",
						     err);
		if (text->at == text->end) {
			restore->is_cut = true;
			return 0;
		}
		r = next_value(restore, text, &line, err);
		if (r < 0 || restore->is_cut)
			return r;
	}
}

int restore_json(struct restore *restore, const char *bytes, size_t n, struct error *err)
{
	struct text text = {.start = bytes, .at = bytes, .end = bytes + n};
	cleanup(json_freep) json_t *head = json_object();
	bool has_sockets = false;
	if (!head)
		return error_set(err, -ENOMEM, "read %.60s", restore->name);
	skip_blanks(&text);
	int r = walk_object(restore, &text, head, &has_sockets, err);
	if (r < 0)
		return err && err->code ? r : error_set(err, r, "read %.60s", restore->name);
	if (has_sockets || json_object_get(head, "schema")) {
		r = take_snapshot(restore, head, has_sockets, err);
		skip_blanks(&text);
		return r < 0 || text.at == text.end
			       ? r
			       : tell_broken(restore, &text, "there is more behind the end", err);
	}
	if (restore->is_cut)
		return tell_broken(restore, &text, "the file ends within its first object", err);
	return walk_lines(restore, &text, head, err);
}

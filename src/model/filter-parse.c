/* The filter language: text to tree. See docs/filter.md for the grammar. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/numbers.h"
#include "base/text.h"
#include "model/filter-node.h"

#define LENGTH_MAX 4096
#define DEPTH_MAX 64
#define OPERANDS_MAX 1024
#define FIELDS_MAX 128

struct parser {
	const char *text, *at;
	const char *token; /* the present one; its kind in `kind` */
	size_t length;
	enum {
		TOKEN_END,
		TOKEN_WORD,
		TOKEN_QUOTED,
		TOKEN_OPERATOR,
		TOKEN_OPEN,
		TOKEN_CLOSE,
		TOKEN_COMMA
	} kind;
	const struct services *services;
	struct filter *filter;
	struct error *err;
	unsigned depth;
};

/* A caret under the place, with as much of the text around it as fits. */
static int fail(struct parser *parser, const char *place, const char *format, const char *subject)
{
	char what[96], excerpt[64], cut[40];
	size_t offset = (size_t)(place - parser->text), start = offset > 30 ? offset - 30 : 0;
	snprintf(cut, sizeof(cut), "%s", subject);
	snprintf(what, sizeof(what), format, cut);
	snprintf(excerpt, sizeof(excerpt), "%.50s", parser->text + start);
	for (char *c = excerpt; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			*c = '?';
	for (char *c = what; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			*c = '?';
	error_text(parser->err, -EINVAL, "filter: %s\n  %s\n  %*s^", what, excerpt,
		   (int)(offset - start), "");
	if (parser->err)
		parser->err->place = (unsigned)offset + 1;
	return -EINVAL;
}

static int fail_nearest(struct parser *parser, const char *place, const char *format,
			const char *subject, const char *nearest)
{
	fail(parser, place, format, subject);
	if (nearest)
		error_hint(parser->err, "did you mean %s?", nearest);
	return -EINVAL;
}

static bool is_word_byte(char c)
{
	return c && !isspace((unsigned char)c) && !strchr("()=!<>~,\"'", c);
}

static int next(struct parser *parser)
{
	while (isspace((unsigned char)*parser->at))
		parser->at++;
	parser->token = parser->at;
	parser->length = 1;
	char c = *parser->at;
	if (!c) {
		parser->kind = TOKEN_END;
		parser->length = 0;
	} else if (c == '(' || c == ')' || c == ',') {
		parser->kind = c == '(' ? TOKEN_OPEN : c == ')' ? TOKEN_CLOSE : TOKEN_COMMA;
		parser->at++;
	} else if (strchr("=!<>~", c)) {
		parser->kind = TOKEN_OPERATOR;
		parser->at++;
		if (*parser->at == '=' && c != '~') {
			parser->at++;
			parser->length = 2;
		}
	} else if (c == '"' || c == '\'') {
		const char *end = strchr(parser->at + 1, c);
		if (!end)
			return fail(parser, parser->at, "a quote that does not end%s", "");
		parser->kind = TOKEN_QUOTED;
		parser->token++;
		parser->length = (size_t)(end - parser->token);
		parser->at = end + 1;
	} else {
		parser->kind = TOKEN_WORD;
		while (is_word_byte(*parser->at))
			parser->at++;
		parser->length = (size_t)(parser->at - parser->token);
	}
	return 0;
}

static bool is_word(const struct parser *parser, const char *word)
{
	return parser->kind == TOKEN_WORD && strlen(word) == parser->length &&
	       strncasecmp(parser->token, word, parser->length) == 0;
}

static const char *keep_token(struct parser *parser)
{
	return arena_copy(&parser->filter->arena, parser->token, parser->length);
}

static int64_t add_node(struct parser *parser, struct node node)
{
	struct node *added = vector_add(&parser->filter->nodes);
	if (!added)
		return error_set(parser->err, -ENOMEM, "read the filter");
	*added = node;
	return parser->filter->nodes.n - 1;
}

static struct operand *add_operand(struct parser *parser)
{
	if (parser->filter->operands.n >= OPERANDS_MAX) {
		fail(parser, parser->token, "too many values%s", "");
		return NULL;
	}
	struct operand *added = vector_add(&parser->filter->operands);
	if (!added)
		error_set(parser->err, -ENOMEM, "read the filter");
	else
		*added = (struct operand){.text = ""};
	return added;
}

/* "time-wait", "TIME_WAIT" and "timewait" are one word. */
static bool same_word(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (*a == '_' || *a == '-')
			a++;
		while (*b == '_' || *b == '-')
			b++;
		if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
			return false;
		if (!*a)
			return true;
	}
}

static int find_word(const struct field *field, const char *typed)
{
	bool is_state = field->words == state_words;
	for (int i = is_state ? 1 : 0; is_state ? i < STATE_MAX : field->words[i] != NULL; i++)
		if (field->words[i] && field->words[i][0] && same_word(field->words[i], typed))
			return i;
	if (is_state && same_word(typed, "established"))
		return STATE_ESTABLISHED;
	return -1;
}

/* A word of the field's is none of its own: the nearest, or where none is near all. */
static int fail_word(struct parser *parser, const char *place, const struct field *field,
		     const char *typed)
{
	const char *words[32];
	unsigned n = 0;
	bool is_state = field->words == state_words;
	for (int i = is_state ? 1 : 0;
	     n < 31 && (is_state ? i < STATE_MAX : field->words[i] != NULL); i++)
		if (field->words[i] && field->words[i][0])
			words[n++] = field->words[i];
	words[n] = NULL;
	const char *nearest = text_nearest(typed, words);
	fail_nearest(parser, place, "%s is not one of its words", typed, nearest);
	if (nearest || !parser->err)
		return -EINVAL;
	size_t length = 0, size = sizeof(parser->err->hint);
	for (unsigned i = 0; i < n && length < size; i++)
		length += (size_t)snprintf(parser->err->hint + length, size - length, "%s%s",
					   i ? ", " : "it has ", words[i]);
	return -EINVAL;
}

static int parse_number(struct parser *parser, const struct field *field, const char *place,
			const char *typed, struct operand *ret)
{
	bool is_port = strcmp(field->name, "port") == 0 || strcmp(field->name, "peer_port") == 0 ||
		       strcmp(field->name, "shown_port") == 0;
	uint64_t most = is_port ? UINT16_MAX : UINT64_MAX;
	const char *dash = strchr(typed, '-');
	int r;
	if (dash && dash > typed && dash[1] && isdigit((unsigned char)typed[0])) {
		char first[24];
		snprintf(first, sizeof(first), "%.*s", (int)(dash - typed), typed);
		r = number_u64(first, 0, most, &ret->first);
		if (r == 0)
			r = number_u64(dash + 1, 0, most, &ret->last);
		if (r == 0 && ret->first > ret->last)
			return fail(parser, place, "%s: a range goes from the small to the large",
				    typed);
	} else {
		r = number_u64(typed, 0, most, &ret->first);
		ret->last = ret->first;
	}
	if (r == -EINVAL && is_port) {
		uint16_t port = service_port(parser->services, typed, PROTO_MAX);
		if (!port)
			return fail_nearest(parser, place, "%s is no port and no name of a service",
					    typed, service_nearest(parser->services, typed));
		ret->first = ret->last = port;
		return 0;
	}
	if (r == -ERANGE)
		return fail(parser, place,
			    is_port ? "port %s: ports go from 0 to 65535" : "%s is too large",
			    typed);
	if (r >= 0)
		return 0;
	fail(parser, place, "%s is not a number", typed);
	if (field->kind == VALUE_TIME)
		error_hint(parser->err, "it takes Unix seconds, as date +%%s -d '5 minutes ago'");
	return -EINVAL;
}

static int parse_address(struct parser *parser, const char *place, const char *typed,
			 struct operand *ret)
{
	const char *slash = strchr(typed, '/');
	size_t n = slash ? (size_t)(slash - typed) : strlen(typed);
	bool is_v4;
	if (n > 2 && typed[0] == '[' && typed[n - 1] == ']') {
		typed++;
		n -= 2;
	}
	uint32_t prefix = 0;
	if (ip_parse(typed, n, &ret->ip, &is_v4) < 0)
		return fail(parser, place, "%s is not an address", typed);
	if (slash && number_u32(slash + 1, 0, is_v4 ? 32 : 128, &prefix) < 0)
		return fail(parser, place, "%s: the part behind / is not a prefix length", typed);
	ret->prefix = slash ? (is_v4 ? 96 : 0) + prefix : 128;
	return 0;
}

static int parse_boolean(struct parser *parser, const char *place, const char *typed,
			 struct operand *ret)
{
	static const char *const words[] = {"false", "true", "no", "yes", "0", "1"};
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(words[i], typed) == 0) {
			ret->first = ret->last = i & 1;
			return 0;
		}
	return fail(parser, place, "%s is neither true nor false", typed);
}

/* One value at the present token, by the field's kind. */
static int parse_operand(struct parser *parser, const struct field *field, enum operation operation)
{
	const char *place = parser->token;
	if (parser->kind != TOKEN_WORD && parser->kind != TOKEN_QUOTED)
		return fail(parser, place, "a value is missing behind %s", field->name);
	const char *typed = keep_token(parser);
	if (!typed)
		return error_set(parser->err, -ENOMEM, "read the filter");
	struct operand *operand = add_operand(parser);
	if (!operand)
		return parser->err->code;
	operand->text = typed;
	int r = 0;
	if (operation == OP_CONTAINS)
		r = 0;
	else if (field->kind == VALUE_UINT || field->kind == VALUE_TIME)
		r = parse_number(parser, field, place, typed, operand);
	else if (field->kind == VALUE_BOOL)
		r = parse_boolean(parser, place, typed, operand);
	else if (field->kind == VALUE_IP)
		r = parse_address(parser, place, typed, operand);
	else if (field->kind == VALUE_WORD) {
		int word = find_word(field, typed);
		if (word < 0)
			return fail_word(parser, place, field, typed);
		operand->first = operand->last = (uint64_t)word;
	}
	return r < 0 ? r : next(parser);
}

static bool is_order(enum operation operation)
{
	return operation >= OP_LESS && operation <= OP_GREATER_EQUAL;
}

static int parse_operation(struct parser *parser, const struct field *field, enum operation *ret)
{
	static const struct {
		const char *text;
		enum operation operation;
	} operators[] = {{"=", OP_EQUAL},	   {"==", OP_EQUAL},	  {"!=", OP_NOT_EQUAL},
			 {"<", OP_LESS},	   {"<=", OP_LESS_EQUAL}, {">", OP_GREATER},
			 {">=", OP_GREATER_EQUAL}, {"~", OP_CONTAINS}};
	if (is_word(parser, "in")) {
		*ret = OP_IN;
		return next(parser);
	}
	for (unsigned i = 0; parser->kind == TOKEN_OPERATOR && i < ARRAY_SIZE(operators); i++)
		if (strlen(operators[i].text) == parser->length &&
		    strncmp(operators[i].text, parser->token, parser->length) == 0) {
			*ret = operators[i].operation;
			bool is_ordered = field->kind == VALUE_UINT || field->kind == VALUE_TIME;
			if (is_order(*ret) && !is_ordered)
				return fail(parser, parser->token, "%s has no order: use = or ~",
					    field->name);
			return next(parser);
		}
	return fail(parser, parser->token, "an operator (= != < > ~ in) is missing behind %s",
		    field->name);
}

/* One value and no range from @first on. */
static bool is_one_number(const struct parser *parser, uint32_t first)
{
	const struct operand *operand = filter_operand(parser->filter, first);
	return parser->filter->operands.n == first + 1 && operand->first == operand->last;
}

static int64_t parse_test(struct parser *parser, const struct field *field)
{
	struct node node = {.kind = NODE_TEST, .field = field, .first = parser->filter->operands.n};
	/* a boolean field alone says that it is true */
	if (field->kind == VALUE_BOOL && parser->kind != TOKEN_OPERATOR && !is_word(parser, "in")) {
		struct operand *operand = add_operand(parser);
		if (!operand)
			return parser->err->code;
		operand->first = operand->last = 1;
		node.n = 1;
		return add_node(parser, node);
	}
	int r = parse_operation(parser, field, &node.operation);
	if (r < 0)
		return r;
	bool has_brackets = parser->kind == TOKEN_OPEN;
	const char *place = parser->token;
	if (has_brackets)
		r = next(parser);
	for (bool more = true; r >= 0 && more;) {
		r = parse_operand(parser, field, node.operation);
		more = r >= 0 && parser->kind == TOKEN_COMMA;
		if (more)
			r = next(parser);
	}
	if (r >= 0 && is_order(node.operation) && !is_one_number(parser, node.first))
		return fail(parser, place, "%s is compared with one number by < and >",
			    field->name);
	if (r >= 0 && has_brackets)
		r = parser->kind == TOKEN_CLOSE
			    ? next(parser)
			    : fail(parser, parser->token, "a closing bracket is missing%s", "");
	if (r < 0)
		return r;
	node.n = parser->filter->operands.n - node.first;
	return add_node(parser, node);
}

/* A word that says it all: a port, a range, a protocol, a family, a state, what happened. 0: it is
 * none. */
static int64_t parse_bare(struct parser *parser, const char *typed)
{
	static const char *const names[] = {"proto", "family", "state", "event"};
	struct node node = {.kind = NODE_TEST,
			    .operation = OP_EQUAL,
			    .first = parser->filter->operands.n,
			    .n = 1};
	const char *place = parser->token;
	struct operand operand = {.text = typed};
	if (isdigit((unsigned char)typed[0])) {
		node.field = field_find("port");
		int r = parse_number(parser, node.field, place, typed, &operand);
		if (r < 0)
			return r;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(names) && !node.field; i++) {
		const struct field *field = field_find(names[i]);
		int word = find_word(field, typed);
		if (word >= 0) {
			node.field = field;
			operand.first = operand.last = (uint64_t)word;
		}
	}
	if (!node.field)
		return 0;
	struct operand *added = add_operand(parser);
	if (!added)
		return parser->err->code;
	*added = operand;
	int r = next(parser);
	return r < 0 ? r : add_node(parser, node) + 1;
}

/* The word nearest to @typed of those that a test may begin with. */
static const char *nearest_start(const char *typed)
{
	static const char *const alone[] = {
		"tcp",	      "udp",	 "udplite",  "raw",	    "sctp",	 "ipv4",
		"ipv6",	      "listen",	 "unconn",   "established", "bound",	 "syn-sent",
		"syn-recv",   "closing", "last-ack", "fin-wait1",   "fin-wait2", "time-wait",
		"close-wait", "opened",	 "closed",   "ended",	    "refused",	 "not",
		"and",	      "or",	 NULL};
	const char *names[FIELDS_MAX + ARRAY_SIZE(alone)];
	unsigned n = 0;
	const struct field *field;
	for (unsigned i = 0; i < FIELDS_MAX && (field = field_at(i)); i++)
		names[n++] = field->name;
	for (unsigned i = 0; n < FIELDS_MAX && (field = field_of_event_at(i)); i++)
		names[n++] = field->name;
	memcpy(names + n, alone, sizeof(alone));
	return text_nearest(typed, names);
}

/* What was meant by a word that begins no test. */
static int fail_start(struct parser *parser, const char *place, const char *typed)
{
	char name[32] = "";
	const char *colon = strchr(typed, ':'), *nearest = nearest_start(typed);
	fail_nearest(parser, place, "%s is no field and no word that stands alone", typed, nearest);
	if (colon && (size_t)(colon - typed) < sizeof(name))
		memcpy(name, typed, (size_t)(colon - typed));
	if (name[0] && field_find(name))
		error_hint(parser->err, "write '%s = %.60s'", name, colon + 1);
	else if (!nearest)
		error_hint(
			parser->err,
			"a test names a field: 'user = %.24s', 'process ~ %.24s', 'unit ~ %.24s'",
			typed, typed, typed);
	return -EINVAL;
}

static int64_t parse_or(struct parser *parser);

static int64_t parse_primary(struct parser *parser)
{
	const char *place = parser->token;
	if (parser->kind == TOKEN_OPEN) {
		int64_t inner = next(parser) < 0 ? -EINVAL : parse_or(parser);
		if (inner < 0)
			return inner;
		if (parser->kind != TOKEN_CLOSE)
			return fail(parser, parser->token, "a closing bracket is missing%s", "");
		return next(parser) < 0 ? -EINVAL : inner;
	}
	if (parser->kind != TOKEN_WORD || is_word(parser, "and") || is_word(parser, "or"))
		return fail(parser, place,
			    parser->kind == TOKEN_END ? "it ends where a test was expected%s"
						      : "a test was expected here%s",
			    "");

	const char *typed = keep_token(parser);
	if (!typed)
		return error_set(parser->err, -ENOMEM, "read the filter");
	const struct field *field = field_find(typed);
	if (field && !(field->flags & FIELD_NO_FILTER))
		return next(parser) < 0 ? -EINVAL : parse_test(parser, field);
	int64_t bare = parse_bare(parser, typed);
	if (bare)
		return bare < 0 ? bare : bare - 1;
	return fail_start(parser, place, typed);
}

static int64_t parse_not(struct parser *parser)
{
	if (!is_word(parser, "not") &&
	    !(parser->kind == TOKEN_OPERATOR && parser->length == 1 && *parser->token == '!'))
		return parse_primary(parser);
	if (++parser->depth > DEPTH_MAX)
		return fail(parser, parser->token, "it is nested too deep%s", "");
	int64_t inner = next(parser) < 0 ? -EINVAL : parse_not(parser);
	parser->depth--;
	return inner < 0
		       ? inner
		       : add_node(parser, (struct node){.kind = NODE_NOT, .left = (uint32_t)inner});
}

/* Two tests side by side are both meant. */
static bool starts_test(const struct parser *parser)
{
	return parser->kind == TOKEN_OPEN ||
	       (parser->kind == TOKEN_WORD && !is_word(parser, "or")) ||
	       (parser->kind == TOKEN_OPERATOR && parser->length == 1 && *parser->token == '!');
}

static int64_t parse_and(struct parser *parser)
{
	int64_t left = parse_not(parser);
	while (left >= 0 && starts_test(parser)) {
		if (is_word(parser, "and") && next(parser) < 0)
			return -EINVAL;
		int64_t right = parse_not(parser);
		left = right < 0 ? right
				 : add_node(parser, (struct node){.kind = NODE_AND,
								  .left = (uint32_t)left,
								  .right = (uint32_t)right});
	}
	return left;
}

static int64_t parse_or(struct parser *parser)
{
	if (++parser->depth > DEPTH_MAX)
		return fail(parser, parser->token, "it is nested too deep%s", "");
	int64_t left = parse_and(parser);
	while (left >= 0 && is_word(parser, "or")) {
		int64_t right = next(parser) < 0 ? -EINVAL : parse_and(parser);
		left = right < 0 ? right
				 : add_node(parser, (struct node){.kind = NODE_OR,
								  .left = (uint32_t)left,
								  .right = (uint32_t)right});
	}
	parser->depth--;
	return left;
}

void filter_free(struct filter *filter)
{
	if (!filter)
		return;
	vector_done(&filter->nodes);
	vector_done(&filter->operands);
	arena_done(&filter->arena);
	free(filter);
}

int filter_parse(const char *text, const struct services *services, struct filter **ret,
		 struct error *err)
{
	*ret = NULL;
	if (!text || text[strspn(text, " \t\n")] == '\0')
		return 0;
	if (strlen(text) > LENGTH_MAX)
		return error_text(err, -EINVAL, "filter: it is longer than %d characters",
				  LENGTH_MAX);
	struct filter *filter = calloc(1, sizeof(*filter));
	if (!filter)
		return error_set(err, -ENOMEM, "read the filter");
	vector_init(&filter->nodes, sizeof(struct node));
	vector_init(&filter->operands, sizeof(struct operand));
	struct error ignored;
	struct parser parser = {.text = text,
				.at = text,
				.services = services,
				.filter = filter,
				.err = err ? err : &ignored};
	int64_t root = next(&parser) < 0 ? -EINVAL : parse_or(&parser);
	if (root >= 0 && parser.kind != TOKEN_END)
		root = fail(&parser, parser.token, "%s",
			    parser.kind == TOKEN_CLOSE ? "a bracket closes that was not opened"
						       : "this belongs to no test");
	if (root < 0) {
		filter_free(filter);
		return (int)root;
	}
	filter->root = (uint32_t)root;
	*ret = filter;
	return 0;
}

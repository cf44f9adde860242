/* Paths, parameters and bodies to requests. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/numbers.h"
#include "web/question.h"

static const struct refusal passed;

/* A parameter of the address, or a member of the body. */
struct parameter {
	const char *name;
	size_t at, size; /* in struct request */
	enum { TEXT, NUMBER, NUMBER_LONG, WORD, FLAG } kind;
	const char *const *words; /* of a WORD, which is a byte */
	unsigned n_words, part;	  /* part: of WISH_ */
	uint32_t most;
};

#define IN(member) offsetof(struct request, member), sizeof(((struct request *)0)->member)

static const char *const proto_names[] = {"tcp", "udp"};

static const struct parameter of_wish[] = {
	{"tab", IN(wish.tab), WORD, tab_words, TAB_MAX, WISH_TAB},
	{"filter", IN(wish.filter), TEXT, .part = WISH_FILTER},
	{"sort", IN(wish.sort), TEXT, .part = WISH_SORT},
	{"group", IN(wish.group), WORD, group_words, GROUP_MAX, WISH_GROUP},
	{"columns", IN(wish.columns), TEXT, .part = WISH_COLUMNS},
	{"from", IN(wish.from), NUMBER, .part = WISH_FROM, .most = UINT32_MAX},
	{"count", IN(wish.count), NUMBER, .part = WISH_COUNT, .most = WINDOW_ROWS_MAX},
	{"paused", IN(wish.is_paused), FLAG, .part = WISH_PAUSED},
	{"map", IN(wish.has_map), FLAG},
	{"moment", IN(wish.moment_ms), NUMBER_LONG, .part = WISH_MOMENT},
	{NULL},
};
static const struct parameter of_check[] = {
	{"filter", IN(wish.filter), TEXT}, {"at", IN(number), NUMBER, .most = 65535}, {NULL}};
static const struct parameter of_graph[] = {
	{"filter", IN(wish.filter), TEXT}, {"moment", IN(wish.moment_ms), NUMBER_LONG}, {NULL}};
static const struct parameter of_map[] = {{"proto", IN(proto), WORD, proto_names, 2},
					  {"moment", IN(wish.moment_ms), NUMBER_LONG},
					  {NULL}};
static const struct parameter of_past[] = {{"step", IN(step), WORD, step_words, STEP_MAX},
					   {"moment", IN(wish.moment_ms), NUMBER_LONG},
					   {NULL}};
static const struct parameter of_story[] = {{"target", IN(target), TEXT},
					    {"netns", IN(netns), NUMBER_LONG},
					    {"moment", IN(wish.moment_ms), NUMBER_LONG},
					    {NULL}};
static const struct parameter of_rates[] = {
	{"of", IN(rates_of), WORD, rates_words, RATES_MAX}, {"target", IN(target), TEXT}, {NULL}};
static const struct parameter of_plan[] = {
	{"action", IN(deed.kind), WORD, act_words, ACT_MAX},
	{"target", IN(deed.target), TEXT},
	{"filter", IN(deed.filter), TEXT},
	{"from", IN(deed.from), TEXT},
	{"reason", IN(deed.reason), TEXT},
	{"by", IN(deed.by), WORD, by_words, 6},
	{"force", IN(deed.is_forced), FLAG},
	{"connections", IN(deed.takes_connections), FLAG},
	{"keep_connections", IN(deed.keeps_connections), FLAG},
	{"cut", IN(deed.cuts), FLAG},
	{"grace_ms", IN(deed.grace_ms), NUMBER, .most = 60000},
	{"for_ms", IN(deed.for_ms), NUMBER_LONG},
	{"netns", IN(netns), NUMBER_LONG},
	{NULL},
};
static const struct parameter nothing[] = {{NULL}};

static const struct route {
	const char *path;
	enum verb verb;
	bool is_post;
	const struct parameter *parameters;
} routes[] = {
	{"/api/fields", VERB_FIELDS, false, nothing},
	{"/api/check", VERB_CHECK, false, of_check},
	{"/api/complete", VERB_COMPLETE, false, of_check},
	{"/api/stream", VERB_STREAM, false, of_wish},
	{"/api/map", VERB_MAP, false, of_map},
	{"/api/map/legend", VERB_LEGEND, false, nothing},
	{"/api/story", VERB_STORY, false, of_story},
	{"/api/rates", VERB_RATES, false, of_rates},
	{"/api/graph", VERB_GRAPH, false, of_graph},
	{"/api/past", VERB_PAST, false, of_past},
	{"/api/plan", VERB_PLAN, true, of_plan},
	{"/api/act", VERB_ACT, true, nothing},
};

/* ---- one value ---- */

static bool take_text(const struct parameter *parameter, const char *text, size_t n, void *to)
{
	if (n >= parameter->size || memchr(text, '\0', n))
		return false;
	memcpy(to, text, n);
	memset((char *)to + n, 0, parameter->size - n);
	return true;
}

static bool take_word(const struct parameter *parameter, const char *text, void *to)
{
	for (unsigned i = 0; i < parameter->n_words; i++) {
		if (strcmp(parameter->words[i], text) != 0)
			continue;
		*(uint8_t *)to = (uint8_t)i;
		return true;
	}
	return false;
}

static bool take_number(const struct parameter *parameter, uint64_t number, void *to)
{
	uint32_t small = (uint32_t)number;
	if (parameter->kind == NUMBER_LONG)
		memcpy(to, &number, sizeof(number));
	else if (number <= parameter->most)
		memcpy(to, &small, sizeof(small));
	else
		return false;
	return true;
}

static void note(struct request *request, const struct parameter *parameter)
{
	if (parameter->part)
		request->wish.parts |= parameter->part;
	if (request->verb == VERB_PLAN && parameter->at == offsetof(struct request, deed.for_ms))
		request->deed.has_end = true;
}

static const struct parameter *find(const struct parameter *list, const char *name)
{
	for (; list->name; list++)
		if (strcmp(list->name, name) == 0)
			return list;
	return NULL;
}

/* ---- the address ---- */

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* %41 and + undone, in place. How long it is then, or -1. */
static ssize_t decode(char *text)
{
	char *to = text;
	for (const char *at = text; *at; at++) {
		if (*at != '%') {
			*to++ = *at == '+' ? ' ' : *at;
			continue;
		}
		int high = hex(at[1]), low = high < 0 ? -1 : hex(at[2]);
		if (low < 0 || !(high | low))
			return -1;
		*to++ = (char)(high << 4 | low);
		at += 2;
	}
	*to = '\0';
	return to - text;
}

static bool take_parameter(const struct parameter *list, char *name, char *value,
			   struct request *request)
{
	uint64_t number;
	ssize_t n = decode(value);
	const struct parameter *parameter = decode(name) < 0 ? NULL : find(list, name);
	if (!parameter || n < 0)
		return false;
	void *to = (char *)request + parameter->at;
	note(request, parameter);
	switch (parameter->kind) {
	case TEXT:
		return take_text(parameter, value, (size_t)n, to);
	case WORD:
		return take_word(parameter, value, to);
	case FLAG:
		*(uint8_t *)to = strcmp(value, "1") == 0;
		return !value[0] || strcmp(value, "0") == 0 || strcmp(value, "1") == 0;
	default:
		return number_u64(value, 0, UINT64_MAX, &number) == 0 &&
		       take_number(parameter, number, to);
	}
}

static bool take_parameters(const struct parameter *list, const char *text, struct request *request)
{
	cleanup(freep) char *copy = strdup(text);
	char *rest = copy, *word;
	while ((word = strsep(&rest, "&"))) {
		char *equals = strchr(word, '=');
		if (!*word)
			continue;
		if (!equals)
			return false;
		*equals = '\0';
		if (!take_parameter(list, word, equals + 1, request))
			return false;
	}
	return copy != NULL;
}

/* ---- the body ---- */

static void decref(json_t **json)
{
	json_decref(*json);
}

static bool take_member(const struct parameter *parameter, const json_t *value,
			struct request *request)
{
	void *to = (char *)request + parameter->at;
	note(request, parameter);
	switch (parameter->kind) {
	case TEXT:
		return json_is_string(value) && take_text(parameter, json_string_value(value),
							  json_string_length(value), to);
	case WORD:
		return json_is_string(value) && take_word(parameter, json_string_value(value), to);
	case FLAG:
		*(uint8_t *)to = json_is_true(value);
		return json_is_boolean(value);
	default:
		return json_is_integer(value) && json_integer_value(value) >= 0 &&
		       take_number(parameter, (uint64_t)json_integer_value(value), to);
	}
}

static bool take_members(const struct parameter *list, json_t *body, struct request *request)
{
	const char *name;
	json_t *value;
	json_object_foreach(body, name, value)
	{
		const struct parameter *parameter = find(list, name);
		if (json_is_null(value)) /* as if it were not there */
			continue;
		if (!parameter || !take_member(parameter, value, request))
			return false;
	}
	return true;
}

/* 16 hexadecimal digits. */
static bool parse_id(const char *text, uint64_t *ret)
{
	const char *at = text;
	size_t n = text ? strlen(text) : 0;
	return n == 16 && number_scan(&at, text + n, 16, ret) == 0 && at == text + n;
}

static bool take_act(json_t *body, struct request *request)
{
	const json_t *identities = json_object_get(body, "identities");
	size_t n = json_array_size(identities);
	if (!parse_id(json_string_value(json_object_get(body, "plan")), &request->of) ||
	    !json_is_array(identities) || n > STEPS_MAX || json_object_size(body) != 2)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!parse_id(json_string_value(json_array_get(identities, i)),
			      &request->identities[i]))
			return false;
	request->n_identities = (uint32_t)n;
	return true;
}

static struct refusal take_body(const struct asked *asked, const struct parameter *list,
				const char *body, struct request *request)
{
	const char *type = asked_header(asked, "Content-Type");
	if (!type || strncmp(type, "application/json", 16) != 0 || (type[16] && type[16] != ';'))
		return (struct refusal){415, "a body is application/json", NULL};
	cleanup(decref) json_t *json =
		json_loadb(body, asked->n_body, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(json))
		return (struct refusal){400, "the body is no JSON object", NULL};
	if (request->verb == VERB_ACT ? !take_act(json, request)
				      : !take_members(list, json, request))
		return (struct refusal){400,
					"a member of the body is not known, or not as it should be",
					"docs/page-protocol.md has them"};
	return passed;
}

/* ---- the whole ---- */

static struct refusal take(const struct asked *asked, const struct route *route, const char *body,
			   struct request *request)
{
	const char *parameters = strchr(asked->target, '?');
	request->verb = (uint8_t)route->verb;
	if (route->is_post ? !asked->is_post : !asked->is_get)
		return (struct refusal){405, "that is not how it is asked for", NULL,
					route->is_post ? "POST" : "GET"};
	if (route->is_post && parameters)
		return (struct refusal){400, "it takes a body and no parameters", NULL};
	if (route->is_post)
		return take_body(asked, route->parameters, body, request);
	if (parameters && !take_parameters(route->parameters, parameters + 1, request))
		return (struct refusal){400, "a parameter is not known, or not as it should be",
					"docs/page-protocol.md has them"};
	return passed;
}

static const struct route *find_route(const struct asked *asked, struct request *request)
{
	static const char stream[] = "/api/stream/";
	static const struct route change = {"", VERB_CHANGE, true, of_wish};
	size_t n = strcspn(asked->target, "?");
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		if (strlen(routes[i].path) == n && strncmp(routes[i].path, asked->target, n) == 0)
			return &routes[i];
	if (strncmp(asked->target, stream, sizeof(stream) - 1) == 0 &&
	    parse_id(asked->target + sizeof(stream) - 1, &request->of))
		return &change;
	return NULL;
}

struct refusal question_parse(const struct asked *asked, const char *body, struct question *ret)
{
	*ret = (struct question){.kind = QUESTION_DESK};
	const struct route *route = find_route(asked, &ret->request);
	if (!route)
		return (struct refusal){404, "there is nothing of that name", NULL};
	ret->is_act = route->verb == VERB_PLAN || route->verb == VERB_ACT;
	struct refusal refusal = take(asked, route, body, &ret->request);
	if (refusal.status)
		return refusal;
	ret->kind = route->verb == VERB_STREAM ? QUESTION_STREAM : QUESTION_DESK;
	if (!request_is_valid(&ret->request))
		return (struct refusal){400, "that cannot be asked", NULL};
	return passed;
}

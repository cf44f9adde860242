/* Answers that need nothing collected, or what is there already. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/module.h"
#include "base/privilege.h"
#include "serve/state.h"
#include "view/json.h"

#define WORDS_MAX 60

/* ---- what the page is made of ---- */

static const char *const kind_words[] = {
	[VALUE_NULL] = "text",	   [VALUE_UINT] = "number", [VALUE_INT] = "number",
	[VALUE_BOOL] = "bool",	   [VALUE_TIME] = "time",   [VALUE_WORD] = "word",
	[VALUE_STRING] = "text",   [VALUE_IP] = "address",  [VALUE_ENDPOINT] = "endpoint",
	[VALUE_OBJECT] = "object",
};

static const char *const of_words[] = {
	[OF_SOCKET] = "socket", [OF_HOLDER] = "process", [OF_EVENT] = "event"};

static unsigned n_words(const struct field *field)
{
	/* states have no word for two of their numbers (model/socket.h) */
	return field->words == state_words ? STATE_MAX : UINT16_MAX;
}

static void put_words(struct out *out, const struct field *field)
{
	const char *before = "";
	if (!field->words) {
		out_string(out, "null");
		return;
	}
	out_char(out, '[');
	for (unsigned i = 0; i < n_words(field); i++) {
		const char *word = field->words[i];
		if (!word && field->words != state_words)
			break;
		if (!word || !*word)
			continue;
		out_string(out, before);
		json_text(out, word);
		before = ",";
	}
	out_char(out, ']');
}

static void put_field(struct out *out, const struct field *field)
{
	out_string(out, "{\"name\":");
	json_text(out, field->name);
	out_string(out, ",\"title\":");
	json_text(out, field->title);
	out_string(out, ",\"help\":");
	json_text(out, field->help);
	out_format(out, ",\"of\":\"%s\",\"kind\":\"%s\",\"is_right\":%s,\"filters\":%s,\"words\":",
		   of_words[field->of], kind_words[field->kind],
		   field->flags & FIELD_RIGHT ? "true" : "false",
		   field->flags & FIELD_NO_FILTER ? "false" : "true");
	put_words(out, field);
	out_char(out, '}');
}

static void put_tabs(const struct desk *desk, struct out *out)
{
	for (unsigned tab = 0; tab < TAB_MAX; tab++) {
		out_format(out, "%s\"%s\":[", tab ? "," : "", tab_words[tab]);
		for (unsigned i = 0; desk->usual[tab][i]; i++)
			out_format(out, "%s\"%s\"", i ? "," : "", desk->usual[tab][i]->name);
		out_char(out, ']');
	}
}

/* What hinders an act before it is tried. */
static const char *objection(const struct desk *desk, enum act_kind act)
{
	if (desk->settings->is_read_only)
		return "this server was started with --read-only";
	if (act == ACT_CLOSE)
		return NULL;
	if (module_absent("nft"))
		return "the module nft is not installed";
	return desk->may_block ? NULL : "it needs the capability CAP_NET_ADMIN: run it with sudo";
}

void answer_fields(struct desk *desk, uint32_t id)
{
	struct out *out = &desk->out;
	size_t began = reply_begin(desk, id, REPLY_JSON, 200);
	char host[256] = "";
	const struct field *field;
	gethostname(host, sizeof(host) - 1);
	out_string(out, "{\"version\":\"" VERSION "\",\"host\":");
	json_text(out, host);
	out_format(out, ",\"read_only\":%s,\"privileged\":%s,\"interval_ms\":%u,\"actions\":{",
		   desk->settings->is_read_only ? "true" : "false",
		   desk->is_privileged ? "true" : "false", desk->settings->interval_ms);
	for (unsigned act = 0; act < ACT_MAX; act++) {
		out_format(out, "%s\"%s\":", act ? "," : "", act_words[act]);
		json_text(out, objection(desk, (enum act_kind)act));
	}
	out_string(out, "},\"fields\":[");
	for (unsigned i = 0; (field = field_at(i)); i++) {
		out_string(out, i ? "," : "");
		put_field(out, field);
	}
	out_string(out, "],\"event_fields\":[");
	for (unsigned i = 0; (field = field_of_event_at(i)); i++) {
		out_string(out, i ? "," : "");
		put_field(out, field);
	}
	out_string(out, "],\"tabs\":{");
	put_tabs(desk, out);
	out_string(out, "}}\n");
	reply_end(desk, began, true);
}

/* ---- the filter while it is typed ---- */

void answer_check(struct desk *desk, const struct request *request)
{
	struct filter *filter = NULL;
	struct error err = {0};
	if (filter_parse(request->wish.filter, desk->settings->services, &filter, &err) < 0) {
		reply_error(desk, request->id, 400, &err);
		return;
	}
	filter_free(filter);
	size_t began = reply_begin(desk, request->id, REPLY_JSON, 200);
	out_string(&desk->out, "{\"ok\":true}\n");
	reply_end(desk, began, true);
}

struct completion {
	struct out *out;
	const char *begin; /* what is typed already */
	size_t n_begin;
	unsigned n;
};

static void offer(struct completion *completion, const char *word)
{
	if (!word || !*word || completion->n >= WORDS_MAX ||
	    strncasecmp(word, completion->begin, completion->n_begin) != 0)
		return;
	out_string(completion->out, completion->n++ ? "," : "");
	json_quote(completion->out, word, strlen(word));
}

static void offer_fields(struct completion *completion)
{
	static const char *const alone[] = {"tcp",	   "udp", "ipv4", "ipv6", "listen",
					    "established", "not", "(",	  NULL};
	const struct field *field;
	for (unsigned i = 0; (field = field_at(i)); i++)
		if (!(field->flags & FIELD_NO_FILTER))
			offer(completion, field->name);
	for (unsigned i = 0; alone[i]; i++)
		offer(completion, alone[i]);
}

static void offer_words(struct completion *completion, const struct field *field)
{
	static const char *const truth[] = {"true", "false", NULL};
	const char *const *words = field->kind == VALUE_BOOL ? truth : field->words;
	for (unsigned i = 0; words && i < n_words(field); i++) {
		char lower[32];
		if (!words[i] && words != state_words)
			break;
		if (!words[i])
			continue;
		snprintf(lower, sizeof(lower), "%s", words[i]);
		for (char *c = lower; *c; c++)
			*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
		offer(completion, lower);
	}
}

static bool is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* The word before @end, and where it begins. */
static size_t word_before(const char *text, size_t end, char *to, size_t size)
{
	while (end && is_space(text[end - 1]))
		end--;
	size_t begin = end;
	while (begin && is_word_byte(text[begin - 1]))
		begin--;
	size_t n = end - begin < size - 1 ? end - begin : size - 1;
	memcpy(to, text + begin, n);
	to[n] = '\0';
	return begin;
}

/* Behind a field comes an operator, behind an operator a value, behind a value and, or. */
static void offer_what_fits(struct completion *completion, const char *text, size_t from)
{
	static const char *const operators[] = {"=", "!=", "~", "in", "<", ">", "<=", ">=", NULL};
	static const char *const links[] = {"and", "or", ")", NULL};
	char word[64];
	size_t end = from;
	while (end && is_space(text[end - 1]))
		end--;
	bool has_operator = end && strchr("=<>~!,", text[end - 1]);
	bool is_begin = !end || text[end - 1] == '(';
	while (end && strchr("=<>~!", text[end - 1]))
		end--;
	word_before(text, end, word, sizeof(word));
	const struct field *field = field_find(word);
	const char *const *list = NULL;
	if (is_begin || strcasecmp(word, "and") == 0 || strcasecmp(word, "or") == 0 ||
	    strcasecmp(word, "not") == 0)
		offer_fields(completion);
	else if (has_operator && field)
		offer_words(completion, field);
	else
		list = field && !has_operator ? operators : links;
	for (unsigned i = 0; list && list[i]; i++)
		offer(completion, list[i]);
}

void answer_complete(struct desk *desk, const struct request *request)
{
	const char *text = request->wish.filter;
	size_t n = strlen(text), at = request->number < n ? request->number : n, from = at;
	while (from && is_word_byte(text[from - 1]))
		from--;
	struct completion completion = {
		.out = &desk->out, .begin = text + from, .n_begin = at - from};
	size_t began = reply_begin(desk, request->id, REPLY_JSON, 200);
	out_format(&desk->out, "{\"from\":%zu,\"words\":[", from);
	offer_what_fits(&completion, text, from);
	out_string(&desk->out, "]}\n");
	reply_end(desk, began, true);
}

/* ---- the map ---- */

void answer_map(struct desk *desk, const struct request *request)
{
	const struct door_map *map = moment_map(desk, request->wish.moment_ms);
	if (!map) {
		reply_error(desk, request->id, 503,
			    &(struct error){.what = "nothing was collected yet",
					    .hint = "open a stream first"});
		return;
	}
	size_t began = reply_begin(desk, request->id, REPLY_BYTES, 200);
	out_bytes(&desk->out, map->doors[request->proto], DOORS);
	reply_end(desk, began, true);
}

static void put_list(struct out *out, const char *key, const char *const *words)
{
	out_format(out, "\"%s\":[", key);
	for (unsigned i = 0; words[i]; i++)
		out_format(out, "%s\"%s\"", i ? "," : "", words[i]);
	out_string(out, "],");
}

static const struct netns *own_netns(const struct snapshot *snapshot)
{
	for (uint32_t i = 0; snapshot && i < snapshot->netns.n; i++)
		if (snapshot_netns(snapshot, i)->is_self)
			return snapshot_netns(snapshot, i);
	return NULL;
}

void answer_legend(struct desk *desk, uint32_t id)
{
	const struct netns *netns = own_netns(desk->snapshot);
	struct out *out = &desk->out;
	size_t began = reply_begin(desk, id, REPLY_JSON, 200);
	out_char(out, '{');
	put_list(out, "states", door_state_words);
	put_list(out, "reach", door_reach_words);
	if (netns && netns->ephemeral.last)
		out_format(out, "\"ephemeral\":[%u,%u],", netns->ephemeral.first,
			   netns->ephemeral.last);
	else
		out_string(out, "\"ephemeral\":null,");
	out_string(out, "\"classes\":[[0,1023,\"well-known\"],[1024,49151,\"registered\"],"
			"[49152,65535,\"dynamic\"]]}\n");
	reply_end(desk, began, true);
}

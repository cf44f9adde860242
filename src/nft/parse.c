/* Our table as libnftables lists it. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "nft/nft.h"
#include "nft/parse.h"

#define BLOCKS_MAX (1u << 20)
#define SCOPES_MAX (1u << 14)

static const uint8_t numbers[PROTO_MAX] = {[PROTO_TCP] = 6,
					   [PROTO_UDP] = 17,
					   [PROTO_UDPLITE] = 136,
					   [PROTO_RAW] = 255,
					   [PROTO_SCTP] = 132};

static bool is_text(const json_t *json, const char *text)
{
	const char *value = json_string_value(json);
	return value && strcmp(value, text) == 0;
}

static bool is_ours(const json_t *object)
{
	return is_text(json_object_get(object, "table"), NFT_TABLE) &&
	       is_text(json_object_get(object, "family"), "inet");
}

/* ---- elements ---- */

static bool parse_proto(const json_t *json, uint8_t *ret)
{
	for (uint8_t proto = 0; proto < PROTO_MAX; proto++)
		if (proto != PROTO_RAW && (json_integer_value(json) == numbers[proto] ||
					   is_text(json, proto_words[proto]))) {
			*ret = proto;
			return true;
		}
	return false;
}

static bool parse_port(const json_t *json, uint16_t *ret)
{
	json_int_t number = json_integer_value(json);
	if (!json_is_integer(json) || number < 0 || number > UINT16_MAX)
		return false;
	*ret = (uint16_t)number;
	return true;
}

/* 8080, {"range": [8000, 8010]}, {"prefix": {"addr": 8064, "len": 10}}. */
static bool parse_ports(const json_t *json, struct block *block)
{
	const json_t *range = json_object_get(json, "range"),
		     *prefix = json_object_get(json, "prefix");
	if (prefix) {
		json_int_t bits = json_integer_value(json_object_get(prefix, "len"));
		if (!parse_port(json_object_get(prefix, "addr"), &block->first) || bits < 0 ||
		    bits > 16)
			return false;
		block->last = (uint16_t)(block->first | 0xffff >> bits);
		return true;
	}
	if (range)
		return parse_port(json_array_get(range, 0), &block->first) &&
		       parse_port(json_array_get(range, 1), &block->last) &&
		       block->first <= block->last;
	block->last = 0;
	if (!parse_port(json, &block->first))
		return false;
	block->last = block->first;
	return true;
}

static uint64_t count_of(const json_t *object, const char *key)
{
	json_int_t number = json_integer_value(json_object_get(object, key));
	return number > 0 ? (uint64_t)number : 0;
}

/* {"concat": [...]} alone, or as the "val" of {"elem": {..., "timeout": 600, "expires": 599}}. */
static bool parse_element(const json_t *json, struct block *block)
{
	const json_t *element = json_object_get(json, "elem"),
		     *value = element ? json_object_get(element, "val") : json,
		     *parts = json_object_get(value, "concat");
	const char *reason = json_string_value(json_object_get(element, "comment"));
	if (json_array_size(parts) != 2 || !parse_proto(json_array_get(parts, 0), &block->proto) ||
	    !parse_ports(json_array_get(parts, 1), block))
		return false;
	block->seconds = count_of(element, "timeout");
	block->seconds_left = count_of(element, "expires");
	block->packets = count_of(json_object_get(element, "counter"), "packets");
	/* below a second the kernel still has an end to tell, but nft rounds it down */
	if (json_object_get(element, "timeout") && !block->seconds)
		block->seconds = 1;
	if (reason)
		snprintf(block->reason, sizeof(block->reason), "%s", reason);
	return true;
}

static struct block_scope_found *find_scope(struct block_table *table, const char *name)
{
	struct block_scope scope;
	if (!name || !block_scope_parse(name, &scope))
		return NULL;
	for (uint32_t i = 0; i < table->scopes.n; i++) {
		struct block_scope_found *found = vector_at(&table->scopes, i);
		if (block_scope_equal(&found->scope, &scope))
			return found;
	}
	struct block_scope_found *added =
		table->scopes.n < SCOPES_MAX ? vector_add(&table->scopes) : NULL;
	if (added)
		*added = (struct block_scope_found){.scope = scope};
	return added;
}

static int parse_set(const json_t *set, struct block_table *ret)
{
	struct block_scope_found *found =
		find_scope(ret, json_string_value(json_object_get(set, "name")));
	if (!found)
		return 0;
	found->has_set = true;
	struct block_scope scope = found->scope;
	size_t i;
	json_t *element;
	json_array_foreach(json_object_get(set, "elem"), i, element)
	{
		struct block block = {.scope = scope, .is_there = true};
		if (!parse_element(element, &block))
			continue;
		struct block *added = ret->blocks.n < BLOCKS_MAX ? vector_add(&ret->blocks) : NULL;
		if (!added)
			return -ENOMEM;
		*added = block;
	}
	return 0;
}

/* ---- what makes them work ---- */

/* Of a chain the name is "SCOPE.in" or "SCOPE.out". False: none of ours. */
static bool chain_name(const char *chain, char scope[BLOCK_SCOPE_NAME_MAX], bool *ret_is_in)
{
	const char *dot = chain ? strrchr(chain, '.') : NULL;
	if (!dot || (size_t)(dot - chain) >= BLOCK_SCOPE_NAME_MAX ||
	    (strcmp(dot, ".in") != 0 && strcmp(dot, ".out") != 0))
		return false;
	*ret_is_in = strcmp(dot, ".in") == 0;
	snprintf(scope, BLOCK_SCOPE_NAME_MAX, "%.*s", (int)(dot - chain), chain);
	return true;
}

/* The chain hangs where ours do, before any NAT. */
static bool is_hooked(const json_t *chain, bool is_in)
{
	return is_text(json_object_get(chain, "type"), "filter") &&
	       is_text(json_object_get(chain, "hook"), is_in ? "prerouting" : "output") &&
	       json_integer_value(json_object_get(chain, "prio")) == NFT_PRIORITY;
}

/* The rule looks into the scope's set and rejects what it finds. */
static bool is_refusing(const json_t *rule, const char *scope)
{
	char set[BLOCK_SCOPE_NAME_MAX + 1];
	bool looks = false, rejects = false;
	size_t i;
	json_t *part;
	snprintf(set, sizeof(set), "@%s", scope);
	json_array_foreach(json_object_get(rule, "expr"), i, part)
	{
		const json_t *match = json_object_get(part, "match");
		looks |= match && is_text(json_object_get(match, "right"), set);
		rejects |= json_object_get(part, "reject") != NULL;
	}
	return looks && rejects;
}

/* How many rules refuse in the scope's chain, and whether it is hooked. */
static bool chain_works(const json_t *objects, const char *scope, bool is_in)
{
	bool is_there = false, is_in_this;
	unsigned n_rules = 0;
	char name[BLOCK_SCOPE_NAME_MAX];
	size_t i;
	json_t *object;
	json_array_foreach(objects, i, object)
	{
		const json_t *chain = json_object_get(object, "chain"),
			     *rule = json_object_get(object, "rule");
		const char *of = json_string_value(
			json_object_get(chain ? chain : rule, chain ? "name" : "chain"));
		if (!is_ours(chain ? chain : rule) || !chain_name(of, name, &is_in_this) ||
		    is_in_this != is_in || strcmp(name, scope) != 0)
			continue;
		is_there |= chain && is_hooked(chain, is_in);
		n_rules += rule && is_refusing(rule, scope);
	}
	return is_there && n_rules == 2; /* TCP, and the others */
}

static void look_at_rules(const json_t *objects, struct block_table *table)
{
	for (uint32_t i = 0; i < table->scopes.n; i++) {
		struct block_scope_found *found = vector_at(&table->scopes, i);
		char name[BLOCK_SCOPE_NAME_MAX];
		block_scope_name(&found->scope, name);
		found->is_in_force = found->has_set && chain_works(objects, name, true) &&
				     (found->scope.from.kind == BLOCK_OUTSIDE ||
				      chain_works(objects, name, false));
	}
}

bool nft_parse_dormant(const char *text)
{
	/* "table inet doorward {\n\tflags dormant\n"; what is in the table stands further in */
	static const char flags[] = "\n\tflags ";
	const char *line = strstr(text, flags);
	if (!line)
		return false;
	const char *word = strstr(line + 1, "dormant"), *end = strchr(line + 1, '\n');
	return word && (!end || word < end);
}

int nft_parse(const char *text, size_t n, struct block_table *ret)
{
	json_t *root = json_loadb(text, n, 0, NULL), *object;
	const json_t *objects = json_object_get(root, "nftables");
	int r = json_is_array(objects) ? 0 : -EBADMSG;
	size_t i;
	json_array_foreach(objects, i, object)
	{
		const json_t *table = json_object_get(object, "table"),
			     *set = json_object_get(object, "set");
		char name[BLOCK_SCOPE_NAME_MAX];
		bool is_in;
		const char *chain = json_string_value(
			json_object_get(json_object_get(object, "chain"), "name"));
		if (table && is_text(json_object_get(table, "name"), NFT_TABLE) &&
		    is_text(json_object_get(table, "family"), "inet")) {
			ret->is_there = true;
		} else if (set && is_ours(set) && r == 0) {
			r = parse_set(set, ret);
		} else if (chain_name(chain, name, &is_in) &&
			   is_ours(json_object_get(object, "chain"))) {
			find_scope(ret, name); /* one without a set is still to be taken away */
		}
	}
	look_at_rules(objects, ret);
	json_decref(root);
	return r;
}

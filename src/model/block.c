/* Blocks: what a person types as blocks, and blocks as the names and texts of the kernel's table.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/format.h"
#include "base/numbers.h"
#include "base/text.h"
#include "model/block.h"

void block_table_init(struct block_table *table)
{
	*table = (struct block_table){.is_there = false};
	vector_init(&table->blocks, sizeof(struct block));
	vector_init(&table->scopes, sizeof(struct block_scope_found));
}

void block_table_done(struct block_table *table)
{
	vector_done(&table->blocks);
	vector_done(&table->scopes);
}

static bool end_equal(const struct block_end *a, const struct block_end *b)
{
	return a->kind == b->kind &&
	       (a->kind != BLOCK_PREFIX ||
		(a->is_v4 == b->is_v4 && a->bits == b->bits && ip_equal(&a->ip, &b->ip)));
}

bool block_scope_equal(const struct block_scope *a, const struct block_scope *b)
{
	return end_equal(&a->to, &b->to) && end_equal(&a->from, &b->from);
}

const struct block_scope_found *block_table_scope(const struct block_table *table,
						  const struct block_scope *scope)
{
	for (uint32_t i = 0; i < table->scopes.n; i++) {
		const struct block_scope_found *found = vector_at(&table->scopes, i);
		if (block_scope_equal(&found->scope, scope))
			return found;
	}
	return NULL;
}

bool block_is_in_force(const struct block_table *table, const struct block *block)
{
	const struct block_scope_found *found = block_table_scope(table, &block->scope);
	return found && found->is_in_force;
}

/* ---- one end ---- */

static void end_mask(struct block_end *end)
{
	unsigned bits = end->bits + (end->is_v4 ? 96 : 0);
	for (unsigned i = 0; i < sizeof(end->ip.bytes); i++) {
		unsigned kept = bits > i * 8 ? bits - i * 8 : 0;
		if (kept < 8)
			end->ip.bytes[i] &= (uint8_t)(0xff00u >> kept);
	}
}

/* "10.0.0.0/8", "::1". */
static bool parse_prefix(const char *text, size_t n, struct block_end *ret)
{
	const char *slash = memchr(text, '/', n);
	size_t n_address = slash ? (size_t)(slash - text) : n;
	*ret = (struct block_end){.kind = BLOCK_PREFIX};
	if (ip_parse(text, n_address, &ret->ip, &ret->is_v4) < 0)
		return false;
	uint64_t bits = ret->is_v4 ? 32 : 128;
	if (slash) {
		const char *at = slash + 1;
		if (number_scan(&at, text + n, 10, &bits) < 0 || at != text + n ||
		    bits > (ret->is_v4 ? 32u : 128u))
			return false;
	}
	if (!ret->is_v4 && bits >= 96 && ip_is_mapped(&ret->ip)) {
		ret->is_v4 = true;
		bits -= 96;
	}
	ret->bits = (uint8_t)bits;
	end_mask(ret);
	return true;
}

int block_parse_from(const char *text, struct block_end *ret, struct error *err)
{
	*ret = (struct block_end){.kind = BLOCK_ANY};
	if (!text || strcmp(text, "anywhere") == 0)
		return 0;
	*ret = (struct block_end){.kind = BLOCK_OUTSIDE};
	if (strcmp(text, "outside") == 0 || parse_prefix(text, strlen(text), ret))
		return 0;
	error_text(err, -EINVAL, "--from %.60s: it is no network", text);
	error_hint(err, "it takes anywhere, outside, or a network such as 10.0.0.0/8");
	return -EINVAL;
}

/* An address, and of a network its bits; "-" for ":" where @is_name. */
static size_t end_text(const struct block_end *end, bool has_bits, bool is_name, char *to,
		       size_t size)
{
	char address[FORMAT_IP_MAX + 1];
	address[ip_format(address, &end->ip, end->is_v4)] = '\0';
	for (char *at = address; is_name && *at; at++)
		*at = *at == ':' ? '-' : *at;
	int n = has_bits ? snprintf(to, size, "%s/%u", address, end->bits)
			 : snprintf(to, size, "%s", address);
	return (size_t)n;
}

void block_end_text(const struct block_end *end, char *to, size_t size)
{
	bool is_whole = end->bits == (end->is_v4 ? 32 : 128);
	if (end->kind == BLOCK_PREFIX)
		end_text(end, !is_whole, false, to, size);
	else
		snprintf(to, size, "%s",
			 end->kind == BLOCK_OUTSIDE ? "outside"
			 : end->kind == BLOCK_IPV4  ? "0.0.0.0"
						    : "anywhere");
}

/* ---- names ---- */

void block_scope_name(const struct block_scope *scope, char to[BLOCK_SCOPE_NAME_MAX])
{
	char address[64], network[64];
	end_text(&scope->to, false, true, address, sizeof(address));
	end_text(&scope->from, true, true, network, sizeof(network));
	snprintf(to, BLOCK_SCOPE_NAME_MAX, "to_%s_from_%s",
		 scope->to.kind == BLOCK_ANY	? "any"
		 : scope->to.kind == BLOCK_IPV4 ? "ipv4"
						: address,
		 scope->from.kind == BLOCK_ANY	     ? "any"
		 : scope->from.kind == BLOCK_OUTSIDE ? "outside"
						     : network);
}

static bool is_word(const char *text, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(text, word, n) == 0;
}

static bool parse_end(const char *text, size_t n, struct block_end *ret)
{
	static const struct {
		const char *word;
		uint8_t kind;
	} words[] = {{"any", BLOCK_ANY}, {"ipv4", BLOCK_IPV4}, {"outside", BLOCK_OUTSIDE}};
	char address[64];
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (is_word(text, n, words[i].word)) {
			*ret = (struct block_end){.kind = words[i].kind};
			return true;
		}
	if (n >= sizeof(address))
		return false;
	for (size_t i = 0; i < n; i++)
		address[i] = text[i] == '-' ? ':' : text[i];
	return parse_prefix(address, n, ret);
}

bool block_scope_parse(const char *name, struct block_scope *ret)
{
	static const char to[] = "to_", from[] = "_from_";
	const char *behind = strstr(name, from);
	if (strncmp(name, to, sizeof(to) - 1) != 0 || !behind || behind < name + sizeof(to) - 1)
		return false;
	const char *begin = name + sizeof(to) - 1, *network = behind + sizeof(from) - 1;
	char again[BLOCK_SCOPE_NAME_MAX];
	if (!parse_end(begin, (size_t)(behind - begin), &ret->to) ||
	    !parse_end(network, strlen(network), &ret->from))
		return false;
	block_scope_name(ret, again); /* one scope, one name */
	return strcmp(again, name) == 0;
}

void block_text(const struct block *block, char *to, size_t size)
{
	char address[64] = "", ports[16];
	const struct block_end *end = &block->scope.to;
	bool has_address = end->kind != BLOCK_ANY;
	if (has_address)
		block_end_text(end, address, sizeof(address));
	if (block->first == block->last)
		snprintf(ports, sizeof(ports), "%u", block->first);
	else
		snprintf(ports, sizeof(ports), "%u-%u", block->first, block->last);
	bool is_v6 = end->kind == BLOCK_PREFIX && !end->is_v4;
	snprintf(to, size, "%s/%s%s%s%s%s", proto_words[block->proto], is_v6 ? "[" : "", address,
		 is_v6 ? "]" : "", has_address ? ":" : "", ports);
}

/* ---- what a person types ---- */

const char *block_reason_objection(const char *reason)
{
	size_t n = strlen(reason), length;
	if (!n)
		return "it is empty";
	if (n > BLOCK_REASON_MAX)
		return "it is longer than 100 bytes";
	for (size_t i = 0; i < n; i += length) {
		int32_t c = text_decode(reason + i, n - i, &length);
		if (c < 0)
			return "it is not UTF-8";
		if (!text_is_printable(c))
			return "it has a character that cannot be printed";
		/* the one ends a text of nft, the other may quote in it */
		if (c == '"' || c == '\\')
			return "a \" or a \\ cannot stand in it";
	}
	return NULL;
}

static int add_block(const struct target *target, uint8_t proto, const struct block_end *to,
		     const struct block_end *from, struct vector *ret)
{
	struct block *added = vector_add(ret);
	if (!added)
		return -ENOMEM;
	*added = (struct block){
		.scope = {.to = *to, .from = *from},
		.proto = proto,
		.first = target->first,
		.last = target->last,
	};
	return 0;
}

/* The address that was typed; 0.0.0.0 is every one of IPv4, [::] takes IPv4 too. */
static struct block_end end_of(const struct target *target)
{
	struct block_end end = {.kind = BLOCK_ANY};
	bool is_v4 = target->is_v4 || ip_is_mapped(&target->address);
	if (!target->has_address)
		return end;
	if (ip_is_any(&target->address))
		end.kind = is_v4 ? BLOCK_IPV4 : BLOCK_ANY;
	else
		end = (struct block_end){.kind = BLOCK_PREFIX,
					 .is_v4 = is_v4,
					 .bits = is_v4 ? 32 : 128,
					 .ip = target->address};
	return end;
}

static bool is_mixed(const struct block_end *to, const struct block_end *from)
{
	bool is_v4 = to->kind == BLOCK_IPV4 || to->is_v4;
	return from->kind == BLOCK_PREFIX && to->kind != BLOCK_ANY && is_v4 != from->is_v4;
}

int block_targets(const struct target *target, const char *text, const struct block_end *from,
		  struct vector *ret, struct error *err)
{
	static const uint8_t loopback[16] = {[15] = 1};
	uint32_t protos = target->protos;
	if (protos == (1u << PROTO_MAX) - 1)
		protos = 1u << PROTO_TCP | 1u << PROTO_UDP;
	if (protos & 1u << PROTO_RAW)
		return error_text(err, -EINVAL, "%.80s: a raw socket has no port", text);
	struct block_end ends[2] = {end_of(target)};
	unsigned n_ends = 1;
	if (target->is_localhost)
		ends[n_ends++] = (struct block_end){
			.kind = BLOCK_PREFIX, .bits = 128, .ip = ip_from_v6(loopback)};
	bool is_any = false;
	for (unsigned i = 0; i < n_ends; i++) {
		if (is_mixed(&ends[i], from))
			continue;
		is_any = true;
		for (uint8_t proto = 0; proto < PROTO_MAX; proto++)
			if (protos & 1u << proto &&
			    add_block(target, proto, &ends[i], from, ret) < 0)
				return error_set(err, -ENOMEM, "block %.80s", text);
	}
	return is_any ? 0
		      : error_text(err, -EINVAL,
				   "%.80s: the address and the network of --from are of two "
				   "families",
				   text);
}

const struct block *block_find(const struct block_table *table, const struct block *wanted)
{
	for (uint32_t i = 0; i < table->blocks.n; i++) {
		const struct block *block = vector_at(&table->blocks, i);
		if (block->proto == wanted->proto && block->first <= wanted->first &&
		    block->last >= wanted->last &&
		    block_scope_equal(&block->scope, &wanted->scope) &&
		    block_is_in_force(table, block))
			return block;
	}
	return NULL;
}

const struct block *block_of_port(const struct block_table *table, uint8_t proto, uint16_t port,
				  uint32_t *at)
{
	while (*at < table->blocks.n) {
		const struct block *block = vector_at(&table->blocks, (*at)++);
		if (block->proto == proto && port >= block->first && port <= block->last &&
		    block_is_in_force(table, block))
			return block;
	}
	return NULL;
}

/* What the kernel is asked for. Nothing but our own table stands in it, and of what a person typed
 * only the reason, which was checked (block_reason_objection). */
#include <inttypes.h>

#include "nft/nft.h"
#include "nft/script.h"

#define TABLE "inet " NFT_TABLE

static bool has_blocks(const struct vector *blocks, const struct block_scope *scope, bool only_new)
{
	for (uint32_t i = 0; i < blocks->n; i++) {
		const struct block *block = vector_at(blocks, i);
		if (block_scope_equal(&block->scope, scope) && !(only_new && block->is_there))
			return true;
	}
	return false;
}

/* The first of its scope in the list: what is done once for a scope is done there. */
static bool is_first(const struct vector *blocks, uint32_t i)
{
	const struct block *block = vector_at(blocks, i);
	for (uint32_t k = 0; k < i; k++)
		if (block_scope_equal(&((const struct block *)vector_at(blocks, k))->scope,
				      &block->scope))
			return false;
	return true;
}

static void add_key(struct out *out, const struct block *block)
{
	out_format(out, "%s . %u", proto_words[block->proto], block->first);
	if (block->last != block->first)
		out_format(out, "-%u", block->last);
}

static void delete_element(struct out *out, const struct block *block)
{
	char name[BLOCK_SCOPE_NAME_MAX];
	block_scope_name(&block->scope, name);
	out_format(out, "delete element " TABLE " %s { ", name);
	add_key(out, block);
	out_string(out, " }\n");
}

static void add_element(struct out *out, const struct block *block)
{
	char name[BLOCK_SCOPE_NAME_MAX];
	block_scope_name(&block->scope, name);
	out_format(out, "add element " TABLE " %s { ", name);
	add_key(out, block);
	if (block->seconds)
		out_format(out, " timeout %" PRIu64 "s expires %" PRIu64 "s", block->seconds,
			   block->seconds_left ? block->seconds_left : 1);
	if (block->reason[0] && !block_reason_objection(block->reason))
		out_format(out, " comment \"%s\"", block->reason);
	out_string(out, " }\n");
}

/* ---- the rules of a scope ---- */

static void add_ends(struct out *out, const struct block_scope *scope)
{
	char text[64];
	if (scope->to.kind == BLOCK_IPV4)
		out_string(out, "meta nfproto ipv4 ");
	if (scope->to.kind == BLOCK_PREFIX) {
		block_end_text(&scope->to, text, sizeof(text));
		out_format(out, "%s daddr %s ", scope->to.is_v4 ? "ip" : "ip6", text);
	}
	if (scope->from.kind == BLOCK_OUTSIDE)
		out_string(out, "iifname != \"lo\" ");
	if (scope->from.kind == BLOCK_PREFIX && scope->from.bits == 0) {
		out_format(out, "meta nfproto %s ", scope->from.is_v4 ? "ipv4" : "ipv6");
	} else if (scope->from.kind == BLOCK_PREFIX) {
		block_end_text(&scope->from, text, sizeof(text));
		out_format(out, "%s saddr %s ", scope->from.is_v4 ? "ip" : "ip6", text);
	}
}

/* Of TCP only what opens a connection; of the others every packet. What is sent to all who listen
 * (broadcast, multicast) is for this host too where it arrives, but not where it leaves. */
static void add_chain(struct out *out, const struct block_scope *scope, bool is_in)
{
	char name[BLOCK_SCOPE_NAME_MAX];
	const char *chain = is_in ? "in" : "out";
	block_scope_name(scope, name);
	out_format(out,
		   "add chain " TABLE " %s.%s { type filter hook %s priority %d; policy accept; }\n"
		   "flush chain " TABLE " %s.%s\n",
		   name, chain, is_in ? "prerouting" : "output", NFT_PRIORITY, name, chain);
	for (int is_tcp = 1; is_tcp >= 0; is_tcp--) {
		out_format(out, "add rule " TABLE " %s.%s fib daddr type %s ", name, chain,
			   is_in ? "{ local, broadcast, anycast, multicast }" : "local");
		add_ends(out, scope);
		out_format(out, "%s meta l4proto . th dport @%s reject%s\n",
			   is_tcp ? "meta l4proto tcp tcp flags & (fin | syn | rst | ack) == syn"
				  : "meta l4proto != tcp",
			   name, is_tcp ? " with tcp reset" : "");
	}
}

/* Adding what is there changes nothing, and a chain is emptied and filled in the same transaction:
 * so whatever another took away of it stands again. */
static void add_scope(struct out *out, const struct block_scope *scope)
{
	char name[BLOCK_SCOPE_NAME_MAX];
	block_scope_name(scope, name);
	out_format(out,
		   "add set " TABLE
		   " %s { type inet_proto . inet_service; flags interval, timeout; counter; }\n",
		   name);
	add_chain(out, scope, true);
	if (scope->from.kind != BLOCK_OUTSIDE)
		add_chain(out, scope, false);
}

/* Each is added before, since there is no deleting of what is not there. */
static void delete_scope(struct out *out, const struct block_scope *scope)
{
	static const char *const chains[] = {"in", "out"};
	char name[BLOCK_SCOPE_NAME_MAX];
	block_scope_name(scope, name);
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		out_format(out,
			   "add chain " TABLE " %s.%s\nflush chain " TABLE
			   " %s.%s\ndelete chain " TABLE " %s.%s\n",
			   name, chains[i], name, chains[i], name, chains[i]);
	out_format(out,
		   "add set " TABLE
		   " %s { type inet_proto . inet_service; flags interval, timeout; counter; }\n"
		   "delete set " TABLE " %s\n",
		   name, name);
}

void nft_script(struct out *out, const struct block_table *table, const struct block_change *change)
{
	if (!change->after.n) {
		out_string(out, "add table " TABLE "\ndelete table " TABLE "\n");
		return;
	}
	out_string(out, "add table " TABLE "\n"); /* which wakes a dormant one */
	if (table->is_dormant)
		return;
	for (uint32_t i = 0; i < change->removed.n; i++)
		delete_element(out, vector_at(&change->removed, i));
	for (uint32_t i = 0; i < change->after.n; i++) {
		const struct block *block = vector_at(&change->after, i);
		if (is_first(&change->after, i) && has_blocks(&change->after, &block->scope, true))
			add_scope(out, &block->scope);
	}
	for (uint32_t i = 0; i < change->after.n; i++)
		if (!((const struct block *)vector_at(&change->after, i))->is_there)
			add_element(out, vector_at(&change->after, i));
	for (uint32_t i = 0; i < table->scopes.n; i++) {
		const struct block_scope_found *found = vector_at(&table->scopes, i);
		if (!has_blocks(&change->after, &found->scope, false))
			delete_scope(out, &found->scope);
	}
}

/* A port that may be bound, and yet gets nothing: its packets are led elsewhere or refused. Looked
 * for only where the kernel grants the bind: else there are nearer causes. */
#include <errno.h>
#include <inttypes.h>

#include "base/module.h"
#include "collect/blocks.h"
#include "source/chains.h"
#include "why/cause.h"
#include "why/words.h"

static bool meets(const struct block_end *to, const struct question *question)
{
	struct ip prefix = to->ip;
	if (to->kind == BLOCK_ANY || ip_is_any(&question->address))
		return true;
	if (to->kind == BLOCK_IPV4)
		return question->is_v4;
	return to->is_v4 == question->is_v4 && ip_equal(&prefix, &question->address);
}

/* ---- our own table ---- */

static int tell_block(struct inquiry *inquiry, const struct block *block)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	char from[128], text[160];
	const char *netns = words_netns(inquiry, diagnosis->question.netns);
	struct cause *cause = diagnosis_add(diagnosis, CAUSE_BLOCK, 0);
	if (!cause)
		return -ENOMEM;
	block_end_text(&block->scope.from, from, sizeof(from));
	block_text(block, text, sizeof(text));
	cause->rule_family = "inet";
	cause->rule_table = NFT_TABLE;
	cause->because = diagnosis_text(
		diagnosis, "Nothing new reaches it: Doorward's own table blocks %s from %s%s%s.",
		text, from, block->reason[0] ? ", for the reason: " : "", block->reason);
	cause->remedy = diagnosis_text(
		diagnosis, "`doorward blocks%s` tells until when; `doorward unblock %s%s` ends it",
		netns, text, netns);
	return 0;
}

static int find_block(struct inquiry *inquiry, const struct nft *nft)
{
	const struct question *question = &inquiry->diagnosis->question;
	cleanup(block_table_done) struct block_table table;
	block_table_init(&table);
	if (blocks_read_by(nft, inquiry->place, &table) < 0)
		return 0;
	for (uint32_t i = 0; i < table.blocks.n; i++) {
		const struct block *block = vector_at(&table.blocks, i);
		if (block->proto == question->proto && question->port >= block->first &&
		    question->port <= block->last && meets(&block->scope.to, question) &&
		    block_is_in_force(&table, block))
			return tell_block(inquiry, block);
	}
	return 0;
}

/* ---- address translation ---- */

struct reading {
	const struct nft *nft;
	struct nat_wanted wanted;
	struct nft_rule rule;
};

static int find_rule(void *data)
{
	struct reading *reading = data;
	return reading->nft->find_nat(&reading->wanted, &reading->rule, NULL);
}

static int tell_rule(struct inquiry *inquiry, const struct nft_rule *rule)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	struct cause *cause = diagnosis_add(diagnosis, CAUSE_NAT, 0);
	if (!cause)
		return -ENOMEM;
	cause->rule_family = diagnosis_text(diagnosis, "%s", rule->family);
	cause->rule_table = diagnosis_text(diagnosis, "%s", rule->table);
	cause->rule_chain = diagnosis_text(diagnosis, "%s", rule->chain);
	cause->rule_handle = rule->handle;
	cause->rule_text = diagnosis_text(diagnosis, "%s", rule->text);
	cause->because = diagnosis_text(
		diagnosis,
		"A rule of address translation leads what comes to this port elsewhere, as a "
		"container engine does for a published port: the chain %s, table %s %s, handle "
		"%" PRIu64 ".",
		rule->chain, rule->family, rule->table, rule->handle);
	cause->remedy = diagnosis_text(
		diagnosis,
		"take another port, or stop what publishes it (`docker ps`, `podman ps`, `nft -a "
		"list chain %s %s %s`)",
		rule->family, rule->table, rule->chain);
	return 0;
}

static int find_nat(struct inquiry *inquiry, const struct nft *nft)
{
	const struct question *question = &inquiry->diagnosis->question;
	struct reading reading = {.nft = nft,
				  .wanted = {.is_udp = question->proto != PROTO_TCP,
					     .is_v4 = question->is_v4,
					     .port = question->port,
					     .address = question->address}};
	return netns_call(inquiry->place, find_rule, &reading) > 0
		       ? tell_rule(inquiry, &reading.rule)
		       : 0;
}

static int find(struct inquiry *inquiry)
{
	struct chains chains;
	const struct tried *answer = &inquiry->diagnosis->answer;
	if (!answer->is_tried || answer->error || !inquiry->diagnosis->question.port)
		return 0;
	int r = chains_read(inquiry->place, NFT_TABLE, &chains);
	if (r == -EPERM)
		return diagnosis_note(inquiry->diagnosis,
				      "Whether a rule of the packet filter blocks the port or "
				      "leads it elsewhere was not looked at: that takes root.");
	if (r < 0 || (!chains.has_nat && !chains.has_own))
		return 0;
	struct error refused = {0};
	const struct nft *nft = module_get("nft", NFT_VERSION, &refused);
	if (!nft)
		return diagnosis_note(inquiry->diagnosis,
				      "The rules of the packet filter were not looked at: %s.",
				      refused.what);
	r = chains.has_own ? find_block(inquiry, nft) : 0;
	if (r >= 0 && chains.has_nat)
		r = find_nat(inquiry, nft);
	return r;
}

const struct cause_family cause_elsewhere = {
	.name = "led elsewhere", .attempts = 1u << ATTEMPT_BIND, .find = find};

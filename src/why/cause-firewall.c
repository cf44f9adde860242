/* What the traced probe showed: the rule that dropped it, or the kernel's own reason. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "why/cause.h"
#include "why/endpoint.h"
#include "why/words.h"

#define OWN_TABLE "doorward"

static uint32_t index_of(const struct inquiry *inquiry, uint64_t inode)
{
	for (uint32_t i = 0; i < inquiry->snapshot->netns.n; i++)
		if (snapshot_netns(inquiry->snapshot, i)->inode == inode)
			return i;
	return NONE;
}

/* " in network namespace web", where it is another than ours. */
static const char *where(struct inquiry *inquiry, uint64_t inode)
{
	uint32_t index = index_of(inquiry, inode);
	const struct netns *netns = snapshot_netns(inquiry->snapshot, index);
	if (!inode || inode == inquiry->place->inode)
		return "";
	if (netns && netns->name)
		return diagnosis_text(inquiry->diagnosis, " in network namespace %s", netns->name);
	return diagnosis_text(inquiry->diagnosis, " in network namespace net:%" PRIu64, inode);
}

/* ---- rules ---- */

static const struct packet_hit *find_drop(const struct traced *traced)
{
	for (uint32_t i = 0; i < traced->hits.n; i++) {
		const struct packet_hit *hit = vector_at(&traced->hits, i);
		if (hit->is_dropped)
			return hit;
	}
	return NULL;
}

static int tell_block(struct inquiry *inquiry, struct cause *cause)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	const char *netns = words_netns(inquiry, index_of(inquiry, inquiry->traced.netns));
	cause->because =
		diagnosis_text(diagnosis,
			       "Doorward's own table blocks the port%s, as somebody asked it "
			       "to.",
			       where(inquiry, inquiry->traced.netns));
	cause->remedy = diagnosis_text(diagnosis,
				       "`doorward blocks%s` tells why and until when; `doorward "
				       "unblock %s/%u%s` ends it",
				       netns, proto_words[diagnosis->question.proto],
				       diagnosis->question.port, netns);
	return 0;
}

static int tell_rule(struct inquiry *inquiry, const struct packet_hit *hit)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	bool is_ours = strcmp(hit->table, OWN_TABLE) == 0;
	struct cause *cause = diagnosis_add(diagnosis, is_ours ? CAUSE_BLOCK : CAUSE_FIREWALL,
					    diagnosis->answer.error);
	if (!cause)
		return -ENOMEM;
	const char *family = packet_family_word(hit->family);
	cause->rule_family = family;
	cause->rule_table = diagnosis_text(diagnosis, "%s", hit->table);
	cause->rule_chain = diagnosis_text(diagnosis, "%s", hit->chain);
	cause->rule_handle = hit->handle;
	cause->rule_text = hit->kind == HIT_RULE
				   ? diagnosis_text(diagnosis, "%s %s %s, handle %" PRIu64, family,
						    hit->table, hit->chain, hit->handle)
				   : diagnosis_text(diagnosis, "%s %s %s, policy drop", family,
						    hit->table, hit->chain);
	inquiry->is_explained = true;
	if (is_ours)
		return tell_block(inquiry, cause);
	cause->because = diagnosis_text(
		diagnosis,
		"The packet filter%s drops or rejects it: %s of the chain %s, table %s %s.",
		where(inquiry, inquiry->traced.netns),
		hit->kind == HIT_RULE ? diagnosis_text(diagnosis, "rule %" PRIu64, hit->handle)
				      : "the policy",
		hit->chain, family, hit->table);
	cause->remedy = diagnosis_text(
		diagnosis,
		"look at it with `nft -a list chain %s %s %s`, and accept tcp port %u before it",
		family, hit->table, hit->chain, diagnosis->question.port);
	return 0;
}

/* ---- the kernel's reasons ---- */

static const struct {
	const char *word;
	enum cause_kind what;
	const char *because, *remedy;
} reasons[] = {
	{"NETFILTER_DROP", CAUSE_FIREWALL,
	 "A packet filter%s drops it, by no rule of nftables that was met: the rules of "
	 "iptables-legacy, or of a module.",
	 "look at `iptables-legacy -S` and `ip6tables-legacy -S` there"},
	{"IP_RPFILTER", CAUSE_DROPPED,
	 "The reverse path filter%s drops it: the answer would leave by another interface than the "
	 "packet came in.",
	 "mend the routes, or loosen `sysctl net.ipv4.conf.IF.rp_filter` to 2"},
	{"NEIGH_FAILED", CAUSE_NEIGHBOUR,
	 "Nobody on the link%s answers for this address: the host is off, or is not there.",
	 "look at `ip neighbour`, the cable and the address"},
	{"NEIGH_QUEUEFULL", CAUSE_NEIGHBOUR,
	 "Nobody on the link%s has answered for this address yet.", "look at `ip neighbour`"},
	{"SOCKET_FILTER", CAUSE_DROPPED,
	 "A filter on the listening socket%s drops it (SO_ATTACH_FILTER, SO_ATTACH_BPF).",
	 "it is the program that listens which attached it: look there (`ss -lb`)"},
	{"XDP", CAUSE_DROPPED, "An XDP program of the interface%s drops it.",
	 "`ip link` and `bpftool net` show it"},
	{"TC_INGRESS", CAUSE_DROPPED, "A traffic control filter of the interface%s drops it.",
	 "`tc filter show dev IF ingress`, `bpftool net`"},
	{"TC_EGRESS", CAUSE_DROPPED, "A traffic control filter of the interface%s drops it.",
	 "`tc filter show dev IF egress`, `bpftool net`"},
	{"BPF_CGROUP_EGRESS", CAUSE_DROPPED,
	 "A BPF program of a control group%s drops it (systemd's IPAddressDeny=).",
	 "look at IPAddressDeny= of the unit, or `bpftool cgroup tree`"},
	{"IP_INNOROUTES", CAUSE_NO_ROUTE, "No route leads on%s, or back to the sender.",
	 "`ip route get` there shows the lookup"},
	{"IP_OUTNOROUTES", CAUSE_NO_ROUTE, "No route leads on%s.",
	 "`ip route get` there shows the lookup"},
	{"TCP_MD5NOTFOUND", CAUSE_DROPPED, "The listener%s wants TCP MD5 signatures.",
	 "it is reached only by peers that have its key"},
};

/* That nobody listens where the packet ended is told by who looks for listeners. */
static bool says_nothing(const struct packet_drop *drop)
{
	static const char *const words[] = {"",		 "NOT_SPECIFIED", "NO_SOCKET", "TCP_RESET",
					    "TCP_CLOSE", "TCP_OLD_DATA",  "TCP_FLAGS"};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(drop->word, words[i]) == 0)
			return true;
	return false;
}

static int tell_reason(struct inquiry *inquiry, const struct packet_drop *drop)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	struct cause *cause = diagnosis_add(diagnosis, CAUSE_DROPPED, diagnosis->answer.error);
	if (!cause)
		return -ENOMEM;
	inquiry->is_explained = true;
	const char *place = where(inquiry, drop->netns);
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (strcmp(reasons[i].word, drop->word) != 0)
			continue;
		const char *gap = strstr(reasons[i].because, "%s");
		cause->what = reasons[i].what;
		cause->because = diagnosis_text(diagnosis, "%.*s%s%s The kernel's reason: %s.",
						(int)(gap - reasons[i].because), reasons[i].because,
						place, gap + 2, drop->word);
		cause->remedy = reasons[i].remedy;
		return 0;
	}
	cause->because = diagnosis_text(diagnosis, "The kernel%s drops it. Its reason: %s.", place,
					drop->word);
	cause->remedy = "include/net/dropreason-core.h of the kernel says what that means";
	return 0;
}

/* Where the packet ended and nobody was there: address translation may have sent it elsewhere. */
static int note_end(struct inquiry *inquiry, const struct packet_drop *drop)
{
	const struct question *question = &inquiry->diagnosis->question;
	char end[ENDPOINT_TEXT];
	if (strcmp(drop->word, "NO_SOCKET") != 0 || drop->from_port != inquiry->probe_port)
		return 0;
	if (drop->netns)
		inquiry->destination = index_of(inquiry, drop->netns);
	if (drop->to_port == question->port && ip_equal(&drop->to, &question->address))
		return 0;
	return diagnosis_note(inquiry->diagnosis,
			      "A rule of address translation sends the packet to %s%s.",
			      endpoint_text(&drop->to, drop->is_v4, drop->to_port, end),
			      where(inquiry, drop->netns));
}

static int find(struct inquiry *inquiry)
{
	const struct traced *traced = &inquiry->traced;
	const struct packet_hit *hit = find_drop(traced);
	if (!inquiry->diagnosis->answer.error || inquiry->is_explained)
		return 0;
	if (hit)
		return tell_rule(inquiry, hit);
	for (uint32_t i = 0; i < traced->drops.n; i++) {
		const struct packet_drop *drop = vector_at(&traced->drops, i);
		int r = note_end(inquiry, drop);
		if (r < 0)
			return r;
		if (!says_nothing(drop) && inquiry->diagnosis->answer.error != ECONNREFUSED)
			return tell_reason(inquiry, drop);
	}
	return 0;
}

const struct cause_family cause_firewall = {
	.name = "packet filters", .attempts = AT_CONNECT, .find = find};

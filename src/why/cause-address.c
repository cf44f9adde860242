/* The address: not of this host, not yet, or of a family or kind that cannot be bound so. */
#include <errno.h>

#include "base/format.h"
#include "why/cause.h"

static const char *address_text(struct diagnosis *diagnosis)
{
	char text[FORMAT_IP_MAX];
	size_t n = ip_format(text, &diagnosis->question.address, diagnosis->question.is_v4);
	return diagnosis_text(diagnosis, "%.*s", (int)n, text);
}

static int tell(struct inquiry *inquiry, enum cause_kind what, int error, const char *because,
		const char *remedy)
{
	struct cause *cause = diagnosis_add(inquiry->diagnosis, what, error);
	if (!cause)
		return -ENOMEM;
	cause->because = because;
	cause->remedy = remedy;
	return 0;
}

static bool is_link_local(const struct ip *ip)
{
	return ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

/* Arguments that no address could mend. */
static int find_arguments(struct inquiry *inquiry, bool *ret_is_told)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	const struct question *question = &diagnosis->question;
	*ret_is_told = true;
	if (inquiry->is_bound && question->attempt == ATTEMPT_BIND)
		return tell(inquiry, CAUSE_BOUND_TWICE, EINVAL,
			    "This socket is bound already: bind() works once for each.",
			    "make a new socket for each bind()");
	if (!question->is_v4 && ip_is_mapped(&question->address) && question->v6only)
		return tell(inquiry, CAUSE_MAPPED_V6ONLY, EINVAL,
			    "The address is an IPv4 one in IPv6's form, and the socket has "
			    "IPV6_V6ONLY, which rules IPv4 out.",
			    "clear IPV6_V6ONLY, or make an AF_INET socket");
	if (!question->is_v4 && is_link_local(&question->address) && !question->scope &&
	    !question->interface)
		return tell(inquiry, CAUSE_NO_SCOPE, EINVAL,
			    "A link-local address means nothing without its interface: every link "
			    "has the same.",
			    "name the interface behind it: fe80::1%eth0 (sin6_scope_id)");
	*ret_is_told = false;
	return 0;
}

static const struct interface_address *find_own(const struct netns *netns, const struct ip *ip)
{
	for (uint32_t i = 0; i < netns->n_addresses; i++)
		if (ip_equal(&netns->addresses[i].ip, ip))
			return netns->addresses + i;
	return NULL;
}

static const struct interface *interface_of(const struct netns *netns, uint32_t index)
{
	for (uint32_t i = 0; i < netns->n_interfaces; i++)
		if (netns->interfaces[i].index == index)
			return netns->interfaces + i;
	return NULL;
}

/* IPv6 binds no address that was not confirmed yet, as it stays where the interface is down; IPv4
 * has no such state. */
static int find_own_unfit(struct inquiry *inquiry, const struct netns *netns,
			  const struct interface_address *own)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	const struct interface *interface = interface_of(netns, own->interface);
	const char *name = interface && interface->name ? interface->name : "its interface";
	if (own->is_v4 || !own->is_tentative)
		return 0;
	if (interface && !interface->is_up)
		return tell(
			inquiry, CAUSE_INTERFACE_DOWN, EADDRNOTAVAIL,
			diagnosis_text(diagnosis,
				       "%s stands at %s, which is down, so it is not in use yet.",
				       address_text(diagnosis), name),
			diagnosis_text(diagnosis, "`ip link set %s up`", name));
	return tell(inquiry, CAUSE_TENTATIVE, EADDRNOTAVAIL,
		    diagnosis_text(diagnosis,
				   "%s stands at %s, but is tentative: the kernel still asks "
				   "whether another host has it, or has found that one has.",
				   address_text(diagnosis), name),
		    "wait a second or two (network-online.target), or set IPV6_FREEBIND");
}

static bool has_v6(const struct netns *netns)
{
	for (uint32_t i = 0; i < netns->n_addresses; i++)
		if (!netns->addresses[i].is_v4)
			return true;
	return false;
}

/* All of 127.0.0.0/8 is there once one of it is. */
static bool has_loopback(const struct netns *netns)
{
	for (uint32_t i = 0; i < netns->n_addresses; i++)
		if (netns->addresses[i].is_v4 &&
		    ip_reach(&netns->addresses[i].ip) == REACH_LOOPBACK)
			return true;
	return false;
}

/* Addresses that stand at no interface and may be bound all the same. */
static bool is_bindable_always(const struct netns *netns, const struct question *question)
{
	enum reach reach = ip_reach(&question->address);
	bool is_v4 = question->is_v4 || ip_is_mapped(&question->address);
	return ip_is_any(&question->address) || reach == REACH_MULTICAST ||
	       reach == REACH_BROADCAST ||
	       (is_v4 && reach == REACH_LOOPBACK && has_loopback(netns));
}

static bool has_scope_of_another(const struct interface_address *own,
				 const struct question *question)
{
	return !own->is_v4 && is_link_local(&question->address) && question->scope &&
	       own->interface != question->scope;
}

/* A link-local address may stand at several interfaces. */
static const struct interface_address *find_own_scoped(const struct netns *netns,
						       const struct question *question)
{
	const struct interface_address *first = find_own(netns, &question->address);
	if (!first || !has_scope_of_another(first, question))
		return first;
	for (uint32_t i = 0; i < netns->n_addresses; i++)
		if (ip_equal(&netns->addresses[i].ip, &question->address) &&
		    netns->addresses[i].interface == question->scope)
			return netns->addresses + i;
	return NULL;
}

static int tell_absent(struct inquiry *inquiry, const struct netns *netns)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	bool is_v6 = !diagnosis->question.is_v4 && !ip_is_mapped(&diagnosis->question.address);
	if (is_v6 && !has_v6(netns))
		return tell(inquiry, CAUSE_FAMILY_OFF, EADDRNOTAVAIL,
			    "IPv6 is off in this network namespace: no interface has an address of "
			    "it.",
			    "turn it on (`sysctl net.ipv6.conf.all.disable_ipv6=0`), or bind an "
			    "IPv4 address");
	if (ip_reach(&diagnosis->question.address) == REACH_LOOPBACK)
		return tell(inquiry, CAUSE_NO_ADDRESS, EADDRNOTAVAIL,
			    diagnosis_text(diagnosis,
					   "%s is no address of this network namespace: its "
					   "loopback interface has none.",
					   address_text(diagnosis)),
			    "`ip link set lo up`, `ip address add 127.0.0.1/8 dev lo`");
	return tell(inquiry, CAUSE_NO_ADDRESS, EADDRNOTAVAIL,
		    diagnosis_text(diagnosis,
				   "%s is no address of this network namespace (`ip address` lists "
				   "them).",
				   address_text(diagnosis)),
		    "bind one that is, or any (0.0.0.0, ::); where it comes later, set IP_FREEBIND "
		    "or `sysctl net.ipv4.ip_nonlocal_bind=1`");
}

static int find(struct inquiry *inquiry)
{
	const struct diagnosis *diagnosis = inquiry->diagnosis;
	const struct question *question = &diagnosis->question;
	const struct netns *netns = snapshot_netns(inquiry->snapshot, question->netns);
	bool is_told;
	int r = find_arguments(inquiry, &is_told);
	if (r < 0 || is_told)
		return r;
	if (diagnosis->answer.error == EAFNOSUPPORT)
		return tell(inquiry, CAUSE_FAMILY_OFF, EAFNOSUPPORT,
			    "This kernel has no IPv6, or was started with ipv6.disable=1.",
			    "bind an IPv4 address");
	if (!netns || !netns->is_detailed)
		return 0;
	const struct interface_address *own = find_own_scoped(netns, question);
	if (own)
		return find_own_unfit(inquiry, netns, own);
	if (is_bindable_always(netns, question))
		return 0;
	r = tell_absent(inquiry, netns);
	struct cause *last = vector_at(&diagnosis->causes, diagnosis->causes.n - 1);
	if (r >= 0)
		last->is_sure = false; /* ip_nonlocal_bind, local routes of whole networks */
	return r;
}

/* Where a connection begins: the address that it is to have on this side. */
static int find_from(struct inquiry *inquiry)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	struct question from = diagnosis->question;
	const struct netns *netns = snapshot_netns(inquiry->snapshot, from.netns);
	char text[FORMAT_IP_MAX];
	from.address = from.from;
	if (!from.has_from || !netns || !netns->is_detailed || find_own_scoped(netns, &from) ||
	    is_bindable_always(netns, &from))
		return 0;
	int n = (int)ip_format(text, &from.from, from.is_v4);
	int r = tell(inquiry, CAUSE_NO_ADDRESS, EADDRNOTAVAIL,
		     diagnosis_text(diagnosis,
				    "%.*s, where it is to begin, is no address of this network "
				    "namespace (`ip address` lists them).",
				    n, text),
		     "begin at one that is, or name the network namespace that has it");
	if (r >= 0) /* ip_nonlocal_bind, as above */
		((struct cause *)vector_at(&diagnosis->causes, diagnosis->causes.n - 1))->is_sure =
			false;
	return r;
}

const struct cause_family cause_from = {
	.name = "addresses", .attempts = AT_CONNECT, .find = find_from};
const struct cause_family cause_address = {.name = "addresses", .attempts = AT_BIND, .find = find};

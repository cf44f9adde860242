/* The way there: no route, a neighbour that does not answer, somebody on the way who refuses,
 * silence. */
#include <errno.h>

#include "base/format.h"
#include "why/cause.h"

static const char *ip_text(struct diagnosis *diagnosis, const struct ip *ip, bool is_v4)
{
	char text[FORMAT_IP_MAX];
	size_t n = ip_format(text, ip, is_v4);
	return diagnosis_text(diagnosis, "%.*s", (int)n, text);
}

static int tell(struct inquiry *inquiry, enum cause_kind what, const char *because,
		const char *remedy)
{
	struct cause *cause =
		diagnosis_add(inquiry->diagnosis, what, inquiry->diagnosis->answer.error);
	if (!cause)
		return -ENOMEM;
	cause->because = because;
	cause->remedy = remedy;
	inquiry->is_explained = true;
	return 0;
}

/* Which kind of route answers with which errno (ip-route(8)). */
static const struct {
	int error;
	const char *because, *remedy;
} routes[] = {
	{ENETUNREACH, "No route leads to this address.",
	 "add one (`ip route get ADDRESS` shows the lookup), or bring the interface up"},
	{EHOSTUNREACH, "A route of the type `unreachable` stands for this address.",
	 "look for it: `ip route show type unreachable`, `ip rule`"},
	{EACCES,
	 "A route of the type `prohibit` stands for this address, or it is a broadcast "
	 "address and the socket lacks SO_BROADCAST.",
	 "look for it: `ip route show type prohibit`, `ip rule`"},
	{EINVAL,
	 "A route of the type `blackhole` stands for this address, or the own end does not "
	 "go with it.",
	 "look for it: `ip route show type blackhole`, `ip rule`"},
	{ENETDOWN, "The interface that leads there is down.", "bring it up: `ip link set IF up`"},
};

static int tell_route(struct inquiry *inquiry)
{
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		if (routes[i].error == inquiry->diagnosis->answer.error)
			return tell(inquiry, CAUSE_NO_ROUTE, routes[i].because, routes[i].remedy);
	return 0;
}

/* Neighbour discovery has failed: the kernel tells itself so by a message of its own. */
static bool is_from_here(const struct inquiry *inquiry)
{
	const struct netns *netns =
		snapshot_netns(inquiry->snapshot, inquiry->diagnosis->question.netns);
	return !inquiry->probe.has_offender ||
	       (netns && netns_has_address(netns, &inquiry->probe.offender));
}

static int tell_message(struct inquiry *inquiry)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	const struct probe *probe = &inquiry->probe;
	bool is_prohibited =
		diagnosis->question.is_v4
			? probe->icmp_code == 9 || probe->icmp_code == 10 || probe->icmp_code == 13
			: probe->icmp_code == 1;
	if (probe->error == EHOSTUNREACH && is_from_here(inquiry) && !is_prohibited)
		return tell(inquiry, CAUSE_NEIGHBOUR,
			    "Nobody on the link answers for this address: the host is off, or is "
			    "not there.",
			    "look at `ip neighbour`, the cable and the address");
	const char *who = probe->has_offender
				  ? ip_text(diagnosis, &probe->offender, diagnosis->question.is_v4)
				  : "somebody on the way";
	return tell(
		inquiry, CAUSE_FIREWALL,
		diagnosis_text(diagnosis,
			       "%s refuses it by an ICMP message (type %u, code %u)%s: a packet "
			       "filter rejects, or there is no way on from there.",
			       who, probe->icmp_type, probe->icmp_code,
			       is_prohibited ? ", administratively prohibited" : ""),
		"look at the rules there (`nft list ruleset`, `iptables -S`)");
}

static int tell_silence(struct inquiry *inquiry)
{
	bool may_trace = inquiry->has_traced;
	int r = tell(
		inquiry, CAUSE_SILENT,
		may_trace ? "No answer came, and nothing on this host dropped the packet: somebody "
			    "on the way or the other host's filter does, or it is off."
			  : "No answer came: a packet filter here, on the way or there drops it, "
			    "or the other host is off.",
		may_trace ? "trace it further: `traceroute -T -p PORT ADDRESS`, and `doorward "
			    "why` on that host"
			  : "run it with sudo: then the packet is traced through this host's "
			    "rules");
	return r;
}

static int find(struct inquiry *inquiry)
{
	const struct diagnosis *diagnosis = inquiry->diagnosis;
	int error = diagnosis->answer.error;
	if (!error || inquiry->is_explained)
		return 0;
	if (inquiry->probe.is_icmp && inquiry->probe.error == error &&
	    (error != ECONNREFUSED || diagnosis->question.proto == PROTO_TCP))
		return tell_message(inquiry);
	if (error == ETIMEDOUT)
		return tell_silence(inquiry);
	return tell_route(inquiry);
}

const struct cause_family cause_way = {.name = "the way", .attempts = AT_CONNECT, .find = find};

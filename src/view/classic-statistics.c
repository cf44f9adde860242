/* netstat -s as Windows prints it; the counters that Linux has. */
#include "view/classic.h"

struct line {
	const char *label, *group, *name;
};

struct section {
	const char *title;
	enum classic_proto proto;
	unsigned width; /* of the labels */
	struct line lines[20];
};

static const struct section sections[] = {
	{"IPv4 Statistics",
	 CLASSIC_ALL,
	 34,
	 {{"Packets Received", "Ip", "InReceives"},
	  {"Received Header Errors", "Ip", "InHdrErrors"},
	  {"Received Address Errors", "Ip", "InAddrErrors"},
	  {"Datagrams Forwarded", "Ip", "ForwDatagrams"},
	  {"Unknown Protocols Received", "Ip", "InUnknownProtos"},
	  {"Received Packets Discarded", "Ip", "InDiscards"},
	  {"Received Packets Delivered", "Ip", "InDelivers"},
	  {"Output Requests", "Ip", "OutRequests"},
	  {"Discarded Output Packets", "Ip", "OutDiscards"},
	  {"Output Packet No Route", "Ip", "OutNoRoutes"},
	  {"Reassembly Required", "Ip", "ReasmReqds"},
	  {"Reassembly Successful", "Ip", "ReasmOKs"},
	  {"Reassembly Failures", "Ip", "ReasmFails"},
	  {"Datagrams Successfully Fragmented", "Ip", "FragOKs"},
	  {"Datagrams Failing Fragmentation", "Ip", "FragFails"},
	  {"Fragments Created", "Ip", "FragCreates"}}},
	{"IPv6 Statistics",
	 CLASSIC_ALL,
	 34,
	 {{"Packets Received", "Ip6", "InReceives"},
	  {"Received Header Errors", "Ip6", "InHdrErrors"},
	  {"Received Address Errors", "Ip6", "InAddrErrors"},
	  {"Datagrams Forwarded", "Ip6", "OutForwDatagrams"},
	  {"Unknown Protocols Received", "Ip6", "InUnknownProtos"},
	  {"Received Packets Discarded", "Ip6", "InDiscards"},
	  {"Received Packets Delivered", "Ip6", "InDelivers"},
	  {"Output Requests", "Ip6", "OutRequests"},
	  {"Discarded Output Packets", "Ip6", "OutDiscards"},
	  {"Output Packet No Route", "Ip6", "OutNoRoutes"},
	  {"Reassembly Required", "Ip6", "ReasmReqds"},
	  {"Reassembly Successful", "Ip6", "ReasmOKs"},
	  {"Reassembly Failures", "Ip6", "ReasmFails"},
	  {"Datagrams Successfully Fragmented", "Ip6", "FragOKs"},
	  {"Datagrams Failing Fragmentation", "Ip6", "FragFails"},
	  {"Fragments Created", "Ip6", "FragCreates"}}},
	{"TCP Statistics for IPv4 and IPv6",
	 CLASSIC_TCP,
	 35,
	 {{"Active Opens", "Tcp", "ActiveOpens"},
	  {"Passive Opens", "Tcp", "PassiveOpens"},
	  {"Failed Connection Attempts", "Tcp", "AttemptFails"},
	  {"Reset Connections", "Tcp", "EstabResets"},
	  {"Current Connections", "Tcp", "CurrEstab"},
	  {"Segments Received", "Tcp", "InSegs"},
	  {"Segments Sent", "Tcp", "OutSegs"},
	  {"Segments Retransmitted", "Tcp", "RetransSegs"}}},
	{"UDP Statistics for IPv4",
	 CLASSIC_UDP,
	 21,
	 {{"Datagrams Received", "Udp", "InDatagrams"},
	  {"No Ports", "Udp", "NoPorts"},
	  {"Receive Errors", "Udp", "InErrors"},
	  {"Datagrams Sent", "Udp", "OutDatagrams"}}},
	{"UDP Statistics for IPv6",
	 CLASSIC_UDP6,
	 21,
	 {{"Datagrams Received", "Udp6", "InDatagrams"},
	  {"No Ports", "Udp6", "NoPorts"},
	  {"Receive Errors", "Udp6", "InErrors"},
	  {"Datagrams Sent", "Udp6", "OutDatagrams"}}},
};

static bool is_wanted(const struct section *section, enum classic_proto proto)
{
	if (proto == CLASSIC_ALL)
		return true;
	/* Linux counts TCP of both families together. */
	if (section->proto == CLASSIC_TCP)
		return proto == CLASSIC_TCP || proto == CLASSIC_TCP6;
	return section->proto == proto;
}

static void print_section(struct out *out, const struct statistics *statistics,
			  const struct section *section)
{
	bool is_first = true;
	for (const struct line *line = section->lines; line->label; line++) {
		uint64_t value;
		if (!statistics_find(statistics, line->group, line->name, &value))
			continue;
		if (is_first)
			out_format(out, "\n%s\n\n", section->title);
		is_first = false;
		out_format(out, "  %-*s = ", (int)section->width, line->label);
		out_u64(out, value);
		out_char(out, '\n');
	}
}

void netstat_print_statistics(struct out *out, const struct statistics *statistics,
			      enum classic_proto proto)
{
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		if (is_wanted(&sections[i], proto))
			print_section(out, statistics, &sections[i]);
}

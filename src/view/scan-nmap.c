/* What a scan found in the forms of nmap that other tools read: XML (its DTD 1.05) and grepable. */
#include <time.h>

#include "base/format.h"
#include "base/text.h"
#include "view/scan.h"

/* Text in an attribute. XML 1.0 has no place for most control characters, not even escaped. */
static void put_xml(struct out *out, const char *text)
{
	size_t n = strlen(text), length;
	for (; n; text += length, n -= length) {
		int32_t code = text_decode(text, n, &length);
		if (code == '&')
			out_string(out, "&amp;");
		else if (code == '<')
			out_string(out, "&lt;");
		else if (code == '>')
			out_string(out, "&gt;");
		else if (code == '"')
			out_string(out, "&quot;");
		else if (code < 0x20 || code == 0x7f || (code & 0xfffe) == 0xfffe)
			out_char(out, '?');
		else
			out_bytes(out, text, length);
	}
}

static void put_attribute(struct out *out, const char *name, const char *text)
{
	out_format(out, " %s=\"", name);
	put_xml(out, text);
	out_char(out, '"');
}

/* nmap's words for a reason. */
static const char *reason_word(const struct answer *answer)
{
	switch (answer->reason) {
	case BECAUSE_SYN_ACK:
		return "syn-ack";
	case BECAUSE_RST:
	case BECAUSE_SELF_CONNECT:
		return "reset";
	case BECAUSE_ICMP:
		return answer->state == DOOR_CLOSED ? "port-unreach" : "admin-prohibited";
	case BECAUSE_INIT_ACK:
		return "init-ack";
	case BECAUSE_ABORT:
		return "abort";
	case BECAUSE_UDP_ANSWER:
		return "udp-response";
	case BECAUSE_HOST_SILENT:
	case BECAUSE_NO_ROUTE:
		return "host-unreach";
	default:
		return "no-response";
	}
}

static void put_address(struct out *out, const struct scan_target *target)
{
	char text[FORMAT_IP_MAX];
	size_t n = ip_format(text, &target->ip, target->is_v4);
	out_bytes(out, text, n);
}

static void put_extra(struct out *out, const struct scan_result *result,
		      const struct scan_others *others)
{
	out_format(out,
		   "<extraports state=\"%s\" count=\"%u\">\n<extrareasons reason=\"%s\" "
		   "count=\"%u\" proto=\"%s\" ports=\"",
		   door_words[others->answer.state], others->count, reason_word(&others->answer),
		   others->count, proto_words[others->proto]);
	scan_others_ports(result, others, out);
	out_string(out, "\"/>\n</extraports>\n");
}

static void put_service(struct out *out, const struct scan_show *show, const struct scan_door *door)
{
	const struct identified *its = door->identified;
	const char *name = service_name(show->services, door->proto, door->port);
	bool is_probed = its && its->service[0];
	if (is_probed)
		name = its->service;
	if (!name)
		return;
	out_string(out, "<service");
	put_attribute(out, "name", name);
	if (is_probed && its->product[0])
		put_attribute(out, "product", its->product);
	if (is_probed && its->version[0])
		put_attribute(out, "version", its->version);
	if (is_probed && its->tls.is_there && !its->tls.is_upgraded)
		put_attribute(out, "tunnel", "ssl");
	out_format(out, " method=\"%s\" conf=\"%s\"/>", is_probed ? "probed" : "table",
		   is_probed ? "10" : "3");
}

static void put_port(struct out *out, const struct scan_show *show, const struct scan_door *door)
{
	out_format(out,
		   "<port protocol=\"%s\" portid=\"%u\"><state state=\"%s\" reason=\"%s\" "
		   "reason_ttl=\"0\"/>",
		   proto_words[door->proto], door->port, door_words[door->answer.state],
		   reason_word(&door->answer));
	put_service(out, show, door);
	out_string(out, "</port>\n");
}

/* How long an answer took, in the middle: nmap's tools want one. */
static uint32_t round_trip(const struct scan_result *result)
{
	uint64_t sum = 0, n = 0;
	for (uint32_t i = 0; i < result->doors.n; i++) {
		const struct scan_door *door = vector_at(&result->doors, i);
		sum += door->answer.rtt_us;
		n += door->answer.rtt_us != 0;
	}
	return n ? (uint32_t)(sum / n) : 0;
}

static bool answered(const struct scan_result *result)
{
	for (uint32_t k = 0; k < result->n_sweeps; k++)
		for (uint32_t i = 0; i < result->sweeps[k].n_ports; i++) {
			const struct answer *answer = &result->sweeps[k].answers[i];
			if (answer->state == DOOR_OPEN || answer->state == DOOR_CLOSED ||
			    answer->reason == BECAUSE_ICMP)
				return true;
		}
	return false;
}

static void put_host(struct out *out, const struct scan_show *show,
		     const struct scan_result *result)
{
	const struct scan *scan = show->scan;
	long long start = (long long)scan->time, end = start + (long long)(scan->took_us / 1000000);
	out_format(out,
		   "<host starttime=\"%lld\" endtime=\"%lld\"><status state=\"up\" reason=\"%s\" "
		   "reason_ttl=\"0\"/>\n<address addr=\"",
		   start, end,
		   result->target.is_own ? "localhost-response"
		   : answered(result)	 ? "syn-ack"
					 : "user-set");
	put_address(out, &result->target);
	out_format(out, "\" addrtype=\"%s\"/>\n<hostnames>\n",
		   result->target.is_v4 ? "ipv4" : "ipv6");
	if (result->target.name) {
		out_string(out, "<hostname");
		put_attribute(out, "name", result->target.name);
		out_string(out, " type=\"user\"/>\n");
	}
	out_string(out, "</hostnames>\n<ports>");
	for (uint32_t i = 0; i < result->others.n; i++) {
		const struct scan_others *others = vector_at(&result->others, i);
		if (others->count)
			put_extra(out, result, others);
	}
	for (uint32_t i = 0; i < result->doors.n; i++)
		put_port(out, show, vector_at(&result->doors, i));
	uint32_t rtt = round_trip(result);
	out_format(out, "</ports>\n<times srtt=\"%u\" rttvar=\"%u\" to=\"100000\"/>\n</host>\n",
		   rtt, rtt / 2);
}

static void put_time(struct out *out, double when)
{
	struct tm tm;
	char text[32];
	time_t seconds = (time_t)when;
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &tm);
	out_string(out, text);
}

/* What was scanned, of the first result: all have the same. */
static void put_scan_info(struct out *out, const struct scan *scan)
{
	if (!scan->results.n)
		return;
	const struct scan_result *result = scan_result(scan, 0);
	for (uint32_t k = 0; k < result->n_sweeps; k++) {
		const struct scan_sweep *sweep = &result->sweeps[k];
		out_format(out,
			   "<scaninfo type=\"%s\" protocol=\"%s\" numservices=\"%u\" services=\"",
			   sweep->proto == PROTO_UDP	? "udp"
			   : sweep->proto == PROTO_SCTP ? "sctpinit"
			   : sweep->is_connected	? "connect"
							: "syn",
			   proto_words[sweep->proto], sweep->n_ports);
		for (uint32_t i = 0, k2; i < sweep->n_ports; i = k2) {
			for (k2 = i + 1;
			     k2 < sweep->n_ports && sweep->ports[k2] == sweep->ports[k2 - 1] + 1;)
				k2++;
			out_format(out, "%s%u", i ? "," : "", sweep->ports[i]);
			if (k2 > i + 1)
				out_format(out, "-%u", sweep->ports[k2 - 1]);
		}
		out_string(out, "\"/>\n");
	}
}

void scan_xml(struct out *out, const struct scan_show *show)
{
	const struct scan *scan = show->scan;
	double end = scan->time + (double)scan->took_us / 1e6;
	/* the DTD knows one scanner only */
	out_string(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE nmaprun>\n"
			"<nmaprun scanner=\"nmap\"");
	put_attribute(out, "args", show->arguments);
	out_format(out, " start=\"%lld\" startstr=\"", (long long)scan->time);
	put_time(out, scan->time);
	out_string(out, "\" version=\"7.93\" xmloutputversion=\"1.05\">\n");
	put_scan_info(out, scan);
	out_string(out, "<verbose level=\"0\"/>\n<debugging level=\"0\"/>\n");
	for (uint32_t i = 0; i < scan->results.n; i++)
		put_host(out, show, scan_result(scan, i));
	out_format(out, "<runstats><finished time=\"%lld\" timestr=\"", (long long)end);
	put_time(out, end);
	out_format(out,
		   "\" elapsed=\"%.2f\" summary=\"doorward scan; %u addresses in %.2f seconds\" "
		   "exit=\"%s\"",
		   (double)scan->took_us / 1e6, scan->results.n, (double)scan->took_us / 1e6,
		   scan->is_complete ? "success" : "error");
	if (!scan->is_complete)
		out_string(out, " errormsg=\"broken off\"");
	out_format(out, "/><hosts up=\"%u\" down=\"0\" total=\"%u\"/>\n</runstats>\n</nmaprun>\n",
		   scan->results.n, scan->results.n);
}

/* A field of a line that is split at "/" and ",". */
static void put_field(struct out *out, const char *text)
{
	for (; *text; text++) {
		bool is_plain = *text >= ' ' && *text != '/' && *text != ',' && *text != 0x7f;
		out_char(out, is_plain ? *text : *text == '/' ? '|' : ' ');
	}
}

static void put_grepable_port(struct out *out, const struct scan_show *show,
			      const struct scan_door *door, bool is_first)
{
	const struct identified *its = door->identified;
	const char *name = service_name(show->services, door->proto, door->port);
	out_format(out, "%s%u/%s/%s//", is_first ? "" : ", ", door->port,
		   door_words[door->answer.state], proto_words[door->proto]);
	if (its && its->tls.is_there && !its->tls.is_upgraded && its->service[0])
		out_string(out, "ssl|");
	put_field(out, its && its->service[0] ? its->service : name ? name : "");
	out_string(out, "//");
	if (its && its->product[0]) {
		put_field(out, its->product);
		if (its->version[0]) {
			out_char(out, ' ');
			put_field(out, its->version);
		}
	}
	out_char(out, '/');
}

static void put_grepable_host(struct out *out, const struct scan_result *result)
{
	out_string(out, "Host: ");
	put_address(out, &result->target);
	out_string(out, " (");
	put_field(out, result->target.name ? result->target.name : "");
	out_string(out, ")\t");
}

void scan_grepable(struct out *out, const struct scan_show *show)
{
	const struct scan *scan = show->scan;
	out_string(out, "# Nmap 7.93 scan initiated ");
	put_time(out, scan->time);
	out_string(out, " as: ");
	text_show(out, show->arguments, strlen(show->arguments));
	out_char(out, '\n');
	for (uint32_t i = 0; i < scan->results.n; i++) {
		const struct scan_result *result = scan_result(scan, i);
		put_grepable_host(out, result);
		out_string(out, "Status: Up\n");
		put_grepable_host(out, result);
		out_string(out, "Ports: ");
		for (uint32_t k = 0; k < result->doors.n; k++)
			put_grepable_port(out, show, vector_at(&result->doors, k), k == 0);
		const struct scan_others *most = NULL;
		for (uint32_t k = 0; k < result->others.n; k++) {
			const struct scan_others *others = vector_at(&result->others, k);
			if (others->count && (!most || others->count > most->count))
				most = others;
		}
		if (most)
			out_format(out, "\tIgnored State: %s (%u)", door_words[most->answer.state],
				   most->count);
		out_char(out, '\n');
	}
	out_string(out, "# Nmap done at ");
	put_time(out, scan->time + (double)scan->took_us / 1e6);
	out_format(out, " -- %u IP addresses (%u hosts up) scanned in %.2f seconds%s\n",
		   scan->results.n, scan->results.n, (double)scan->took_us / 1e6,
		   scan->is_complete ? "" : " (broken off)");
}

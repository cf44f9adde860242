/* Rules that give packets another destination: lines of a listing. */
#include <ctype.h>
#include <string.h>

#include "base/numbers.h"
#include "nft/listing.h"
#include "nft/parse-nat.h"

static bool scan_port(const char **at, const char *end, uint64_t *ret)
{
	return *at < end && isdigit((unsigned char)**at) && number_scan(at, end, 10, ret) == 0 &&
	       *ret <= UINT16_MAX;
}

/* "8080", "8000-8010", "{ 80, 443 }", "map { 80 : 10.0.0.2, 81 : 10.0.0.3 }" */
static bool has_port(const char *at, const char *end, uint16_t port)
{
	bool is_set;
	if (end - at > 4 && memcmp(at, "map ", 4) == 0)
		at += 4;
	is_set = at < end && *at == '{';
	at += is_set;
	while (at < end && *at != '}') {
		uint64_t first, last;
		while (at < end && *at == ' ')
			at++;
		if (!scan_port(&at, end, &first))
			return false;
		last = first;
		if (at < end && *at == '-' && (at++, !scan_port(&at, end, &last)))
			return false;
		if (port >= first && port <= last)
			return true;
		const char *comma = is_set ? memchr(at, ',', (size_t)(end - at)) : NULL;
		if (!comma)
			return false;
		at = comma + 1;
	}
	return false;
}

static bool names_port(const struct listing_line *line, const struct nat_wanted *wanted)
{
	const char *end = line->text + line->n;
	const char *at = listing_find(line, wanted->is_udp ? "udp dport " : "tcp dport ");
	if (!at)
		at = listing_find(line, "th dport ");
	return at && has_port(at, end, wanted->port);
}

static bool leads_elsewhere(const struct listing_line *line)
{
	return listing_find(line, "dnat ") || listing_find(line, "redirect") ||
	       listing_find(line, "target \"DNAT\"") || listing_find(line, "target \"REDIRECT\"");
}

/* A single address that is not the one asked for; networks and sets are taken to hold it. */
static bool is_for_another(const struct listing_line *line, const struct nat_wanted *wanted)
{
	const char *at = listing_find(line, " daddr ");
	struct ip ip;
	bool is_v4;
	if (!at || ip_is_any(&wanted->address))
		return false;
	size_t n = strcspn(at, " \n");
	return ip_parse(at, n, &ip, &is_v4) == 0 && !ip_equal(&ip, &wanted->address);
}

static bool is_of_family(const char *family, const struct nat_wanted *wanted)
{
	if (strcmp(family, "inet") == 0)
		return true;
	bool may_v4 = wanted->is_v4 || ip_is_any(&wanted->address);
	return strcmp(family, "ip") == 0 ? may_v4 : strcmp(family, "ip6") == 0 && !wanted->is_v4;
}

bool nft_parse_nat(const char *text, const struct nat_wanted *wanted, struct nft_rule *ret)
{
	struct listing_line line;
	*ret = (struct nft_rule){.handle = 0};
	while (listing_next(&text, ret, &line)) {
		if (leads_elsewhere(&line) && is_of_family(ret->family, wanted) &&
		    names_port(&line, wanted) && !is_for_another(&line, wanted)) {
			listing_rule(&line, ret);
			return true;
		}
	}
	return false;
}

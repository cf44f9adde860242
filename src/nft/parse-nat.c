/* Rules that give packets another destination: lines of a listing. */
#include <ctype.h>
#include <string.h>

#include "base/numbers.h"
#include "nft/parse-nat.h"

struct line {
	const char *text;
	size_t n;
};

/* Behind @word in the line, or NULL. */
static const char *find(const struct line *line, const char *word)
{
	const char *at = memmem(line->text, line->n, word, strlen(word));
	return at ? at + strlen(word) : NULL;
}

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

static bool names_port(const struct line *line, const struct nat_wanted *wanted)
{
	const char *end = line->text + line->n;
	const char *at = find(line, wanted->is_udp ? "udp dport " : "tcp dport ");
	if (!at)
		at = find(line, "th dport ");
	return at && has_port(at, end, wanted->port);
}

static bool leads_elsewhere(const struct line *line)
{
	return find(line, "dnat ") || find(line, "redirect") || find(line, "target \"DNAT\"") ||
	       find(line, "target \"REDIRECT\"");
}

/* A single address that is not the one asked for; networks and sets are taken to hold it. */
static bool is_for_another(const struct line *line, const struct nat_wanted *wanted)
{
	const char *at = find(line, " daddr ");
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

static void copy_word(const char *from, size_t n, char *to, size_t size)
{
	n = n < size ? n : size - 1;
	memcpy(to, from, n);
	to[n] = '\0';
}

/* "table ip nat { # handle 1", "chain DOCKER { # handle 4" */
static bool take_heading(const struct line *line, struct nat_rule *rule)
{
	const char *at = line->text;
	size_t n = line->n;
	if (n > 6 && memcmp(at, "table ", 6) == 0) {
		size_t family = strcspn(at + 6, " \n");
		copy_word(at + 6, family, rule->family, sizeof(rule->family));
		if (at[6 + family] == ' ')
			copy_word(at + 7 + family, strcspn(at + 7 + family, " \n"), rule->table,
				  sizeof(rule->table));
		return true;
	}
	if (n > 6 && memcmp(at, "chain ", 6) == 0) {
		copy_word(at + 6, strcspn(at + 6, " \n"), rule->chain, sizeof(rule->chain));
		return true;
	}
	return false;
}

static void take_rule(const struct line *line, struct nat_rule *rule)
{
	const char *at = find(line, " # handle "), *end = line->text + line->n;
	size_t n = at ? (size_t)(at - line->text) - strlen(" # handle ") : line->n;
	copy_word(line->text, n, rule->text, sizeof(rule->text));
	rule->handle = 0;
	if (at)
		number_scan(&at, end, 10, &rule->handle);
}

bool nft_parse_nat(const char *text, const struct nat_wanted *wanted, struct nat_rule *ret)
{
	*ret = (struct nat_rule){.handle = 0};
	while (*text) {
		size_t whole = strcspn(text, "\n"), indent = strspn(text, "\t ");
		struct line line = {text + indent, indent < whole ? whole - indent : 0};
		text += whole + (text[whole] == '\n');
		if (take_heading(&line, ret) || !leads_elsewhere(&line))
			continue;
		if (is_of_family(ret->family, wanted) && names_port(&line, wanted) &&
		    !is_for_another(&line, wanted)) {
			take_rule(&line, ret);
			return true;
		}
	}
	return false;
}

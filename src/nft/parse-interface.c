/* Rules that name a network interface: lines of a listing. */
#include <string.h>

#include "nft/listing.h"
#include "nft/parse-interface.h"

static bool is_lo(const char *at, size_t n)
{
	return (n >= 4 && memcmp(at, "\"lo\"", 4) == 0) ||
	       (n >= 2 && memcmp(at, "lo", 2) == 0 && (n == 2 || at[2] == ' '));
}

/* Behind the word: "lo", != "lo"; all else is another, or may be. */
static bool asks_for_another(const char *at, size_t n)
{
	if (n > 3 && memcmp(at, "!= ", 3) == 0) {
		at += 3;
		n -= 3;
	}
	return !is_lo(at, n);
}

static bool names_another(const struct listing_line *line, const char *word)
{
	struct listing_line rest = *line;
	for (const char *at; (at = listing_find(&rest, word));) {
		const char *before = at - strlen(word);
		size_t n = (size_t)(line->text + line->n - at);
		bool is_word = before == line->text || before[-1] == ' ';
		if (is_word && asks_for_another(at, n))
			return true;
		rest = (struct listing_line){at, n};
	}
	return false;
}

/* "type filter hook ingress device "eth0" priority 0; policy accept;", "devices = { eth0 }" */
static bool hangs_on_one(const struct listing_line *line)
{
	return line->n > 5 && memcmp(line->text, "type ", 5) == 0 &&
	       (listing_find(line, " device ") || listing_find(line, " devices "));
}

static bool is_about_interfaces(const struct listing_line *line)
{
	static const char *const words[] = {"iif ",	 "iifname ", "iifgroup ", "iiftype ",
					    "oif ",	 "oifname ", "oifgroup ", "oiftype ",
					    "sdifname ", "ibrname ", "obrname "};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (names_another(line, words[i]))
			return true;
	return hangs_on_one(line);
}

uint32_t nft_parse_interface(const char *text,
			     void (*tell)(void *data, const struct nft_rule *rule), void *data)
{
	struct nft_rule rule = {.handle = 0};
	struct listing_line line;
	uint32_t n = 0;
	while (listing_next(&text, &rule, &line)) {
		if (!is_about_interfaces(&line))
			continue;
		listing_rule(&line, &rule);
		tell(data, &rule);
		n++;
	}
	return n;
}

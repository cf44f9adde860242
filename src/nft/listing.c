/* A listing in nft's own language: tables, chains and the rules within. */
#include <string.h>

#include "base/numbers.h"
#include "nft/listing.h"

const char *listing_find(const struct listing_line *line, const char *word)
{
	const char *at = memmem(line->text, line->n, word, strlen(word));
	return at ? at + strlen(word) : NULL;
}

static void copy_word(const char *from, size_t n, char *to, size_t size)
{
	n = n < size ? n : size - 1;
	memcpy(to, from, n);
	to[n] = '\0';
}

/* "table ip nat { # handle 1", "chain DOCKER { # handle 4" */
static bool take_heading(const struct listing_line *line, struct nft_rule *where)
{
	const char *at = line->text;
	size_t n = line->n;
	if (n > 6 && memcmp(at, "table ", 6) == 0) {
		size_t family = strcspn(at + 6, " \n");
		copy_word(at + 6, family, where->family, sizeof(where->family));
		if (at[6 + family] == ' ')
			copy_word(at + 7 + family, strcspn(at + 7 + family, " \n"), where->table,
				  sizeof(where->table));
		return true;
	}
	if (n > 6 && memcmp(at, "chain ", 6) == 0) {
		copy_word(at + 6, strcspn(at + 6, " \n"), where->chain, sizeof(where->chain));
		return true;
	}
	return false;
}

bool listing_next(const char **text, struct nft_rule *where, struct listing_line *ret)
{
	while (**text) {
		size_t whole = strcspn(*text, "\n"), indent = strspn(*text, "\t ");
		*ret = (struct listing_line){*text + indent, indent < whole ? whole - indent : 0};
		*text += whole + ((*text)[whole] == '\n');
		if (!take_heading(ret, where))
			return true;
	}
	return false;
}

void listing_rule(const struct listing_line *line, struct nft_rule *ret)
{
	const char *at = listing_find(line, " # handle "), *end = line->text + line->n;
	size_t n = at ? (size_t)(at - line->text) - strlen(" # handle ") : line->n;
	copy_word(line->text, n, ret->text, sizeof(ret->text));
	ret->handle = 0;
	if (at)
		number_scan(&at, end, 10, &ret->handle);
}

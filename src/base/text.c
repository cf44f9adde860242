/* Text that came from elsewhere. */
#include <ctype.h>
#include <string.h>

#include "base/text.h"

int32_t text_decode(const char *bytes, size_t n, size_t *length)
{
	static const int32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = (uint8_t)bytes[0];
	*length = 1;
	if (first < 0x80)
		return first;
	unsigned wanted = first >= 0xf0 && first < 0xf8	  ? 4
			  : first >= 0xe0 && first < 0xf0 ? 3
			  : first >= 0xc0 && first < 0xe0 ? 2
							  : 0;
	if (!wanted || n < wanted)
		return -1;
	int32_t point = first & (0x7f >> wanted);
	for (unsigned i = 1; i < wanted; i++) {
		if (((uint8_t)bytes[i] & 0xc0) != 0x80)
			return -1;
		point = point << 6 | ((uint8_t)bytes[i] & 0x3f);
	}
	if (point < least[wanted] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
		return -1;
	*length = wanted;
	return point;
}

struct span {
	int32_t first, last;
};

/* Controls, bidi marks, embeddings, overrides and isolates, zero widths, separators, tags,
 * surrogates, private use and noncharacters (Unicode 15, categories Cc, Cf, Zl, Zp, Cs, Co). */
static const struct span hidden[] = {
	{0x00, 0x1f},	     {0x7f, 0x9f},     {0xad, 0xad},	   {0x600, 0x605},
	{0x61c, 0x61c},	     {0x6dd, 0x6dd},   {0x70f, 0x70f},	   {0x890, 0x891},
	{0x8e2, 0x8e2},	     {0x180b, 0x180f}, {0x200b, 0x200f},   {0x2028, 0x202e},
	{0x2060, 0x206f},    {0xd800, 0xf8ff}, {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
	{0xfff0, 0xfffb},    {0xfffe, 0xffff}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
	{0xe0000, 0x10ffff},
};

static const struct span combining[] = {
	{0x300, 0x36f},	  {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},	{0x64b, 0x65f},
	{0x6d6, 0x6dc},	  {0x93a, 0x93a},   {0x93c, 0x93c},   {0x941, 0x948},	{0x94d, 0x94d},
	{0xe31, 0xe31},	  {0xe34, 0xe3a},   {0xe47, 0xe4e},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
	{0x20d0, 0x20ff}, {0x302a, 0x302d}, {0x3099, 0x309a}, {0xfe20, 0xfe2f},
};

static const struct span wide[] = {
	{0x1100, 0x115f},   {0x231a, 0x231b},	{0x2329, 0x232a},   {0x23e9, 0x23ec},
	{0x25fd, 0x25fe},   {0x2614, 0x2615},	{0x2648, 0x2653},   {0x26a1, 0x26a1},
	{0x2705, 0x2705},   {0x274c, 0x274c},	{0x2753, 0x2755},   {0x2795, 0x2797},
	{0x2b1b, 0x2b1c},   {0x2e80, 0x303e},	{0x3041, 0xa4cf},   {0xa960, 0xa97f},
	{0xac00, 0xd7a3},   {0xf900, 0xfaff},	{0xfe30, 0xfe6f},   {0xff00, 0xff60},
	{0xffe0, 0xffe6},   {0x16fe0, 0x18cff}, {0x1b000, 0x1b2ff}, {0x1f300, 0x1f64f},
	{0x1f680, 0x1f6ff}, {0x1f900, 0x1faff}, {0x20000, 0x3fffd},
};

static bool is_in(int32_t point, const struct span *spans, size_t n)
{
	size_t low = 0;
	while (low < n) {
		size_t middle = (low + n) / 2;
		if (point > spans[middle].last)
			low = middle + 1;
		else if (point < spans[middle].first)
			n = middle;
		else
			return true;
	}
	return false;
}

bool text_is_printable(int32_t code_point)
{
	return code_point >= 0 && !is_in(code_point, hidden, ARRAY_SIZE(hidden));
}

unsigned text_columns(int32_t code_point)
{
	if (code_point < 0x300)
		return 1;
	if (is_in(code_point, combining, ARRAY_SIZE(combining)))
		return 0;
	return is_in(code_point, wide, ARRAY_SIZE(wide)) ? 2 : 1;
}

/* One character as it is shown at @to (at most 12 bytes): its bytes, or an escape. */
static size_t show_one(const char *bytes, size_t n, char *to, size_t *ret_taken,
		       size_t *ret_columns)
{
	static const char hex[] = "0123456789abcdef";
	int32_t point = text_decode(bytes, n, ret_taken);
	if (text_is_printable(point)) {
		memcpy(to, bytes, *ret_taken);
		*ret_columns = text_columns(point);
		return *ret_taken;
	}

	size_t length = 0;
	to[length++] = '\\';
	if (point == '\n' || point == '\t' || point == '\r' || point == 0x1b) {
		to[length++] = point == '\n'   ? 'n'
			       : point == '\t' ? 't'
			       : point == '\r' ? 'r'
					       : 'e';
	} else if (point < 0x80) { /* a control, or (-1) a byte that is not UTF-8 */
		to[length++] = 'x';
		to[length++] = hex[(uint8_t)bytes[0] >> 4];
		to[length++] = hex[(uint8_t)bytes[0] & 15];
	} else {
		to[length++] = 'u';
		to[length++] = '{';
		for (int shift = 20; shift >= 0; shift -= 4)
			if (shift < 16 || point >> shift)
				to[length++] = hex[point >> shift & 15];
		to[length++] = '}';
	}
	*ret_columns = length;
	return length;
}

static bool is_plain(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)(bytes[i] - 0x20) >= 0x5f)
			return false;
	return true;
}

size_t text_show(struct out *out, const char *bytes, size_t n)
{
	if (is_plain(bytes, n)) {
		if (out)
			out_bytes(out, bytes, n);
		return n;
	}
	size_t columns = 0;
	for (size_t i = 0; i < n;) {
		char shown[16];
		size_t taken, wide_by, length = show_one(bytes + i, n - i, shown, &taken, &wide_by);
		if (out)
			out_bytes(out, shown, length);
		columns += wide_by;
		i += taken;
	}
	return columns;
}

size_t text_show_cut(struct out *out, const char *bytes, size_t n, size_t columns, bool ascii)
{
	size_t whole = text_show(NULL, bytes, n);
	if (whole <= columns)
		return text_show(out, bytes, n);
	if (!columns)
		return 0;
	size_t used = 0;
	for (size_t i = 0; i < n;) {
		char shown[16];
		size_t taken, wide_by, length = show_one(bytes + i, n - i, shown, &taken, &wide_by);
		if (used + wide_by > columns - 1)
			break;
		if (out)
			out_bytes(out, shown, length);
		used += wide_by;
		i += taken;
	}
	if (out)
		out_string(out, ascii ? "~" : "…");
	return used + 1;
}

#define WORD_MAX 40

/* Edits (insert, delete, replace, swap of neighbours) from @a to @b, letters of either case. */
static unsigned distance(const char *a, const char *b)
{
	unsigned rows[3][WORD_MAX + 1];
	size_t n = strlen(a), m = strlen(b);
	if (n > WORD_MAX || m > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			int x = tolower((uint8_t)a[i - 1]), y = tolower((uint8_t)b[j - 1]);
			unsigned best = last[j - 1] + (x != y);
			best = last[j] + 1 < best ? last[j] + 1 : best;
			best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
			if (i > 1 && j > 1 && x == tolower((uint8_t)b[j - 2]) &&
			    y == tolower((uint8_t)a[i - 2]) && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
	}
	return rows[n % 3][m];
}

const char *text_nearest(const char *typed, const char *const *words)
{
	const char *nearest = NULL;
	size_t n = strlen(typed);
	unsigned least = n <= 2 ? 2 : n <= 5 ? 3 : 4;
	for (; *words; words++) {
		unsigned d = distance(typed, *words);
		bool starts = n >= 2 && strncasecmp(typed, *words, n) == 0;
		if (starts && d > 1)
			d = 1;
		if (d < least && d < n + 1) {
			least = d;
			nearest = *words;
		}
	}
	return nearest;
}

bool text_contains(const char *text, const char *needle)
{
	return strcasestr(text, needle) != NULL;
}

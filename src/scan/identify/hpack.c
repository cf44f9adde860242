/* Header blocks: integers, strings plain or in Huffman's code, indexes into the static table. The
 * dynamic table of a first block holds only what the block itself has put there, so only its names
 * could be missed. */
#include <string.h>

#include "scan/identify/hpack.h"
#include "base/attributes.h"

#define STATIC_SERVER 54
#define TEXT_MAX 256

/* The code is canonical: the symbols of each length in their order, one code after the other (RFC
 * 7541, appendix B). What is longer than 15 bits is in no name of a server. */
static const struct {
	uint8_t bits, n;
	const char *symbols;
} lengths[] = {
	{5, 10, "012aceiost"},
	{6, 26, " %-./3456789=A_bdfghlmnpru"},
	{7, 32, ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"},
	{8, 6, "&*,;XZ"},
	{10, 5, "!\"()?"},
	{11, 3, "'+|"},
	{12, 2, "#>"},
	{13, 6, "\0$@[]~"},
	{14, 2, "^}"},
	{15, 3, "<`{"},
};

/* The symbol of a code of @bits bits: 1; 0: longer ones begin so. */
static bool find_symbol(uint32_t code, unsigned bits, char *ret)
{
	uint32_t first = 0;
	unsigned before = 0;
	for (size_t i = 0; i < ARRAY_SIZE(lengths) && lengths[i].bits <= bits; i++) {
		first <<= lengths[i].bits - before;
		before = lengths[i].bits;
		if (lengths[i].bits == bits && code >= first && code < first + lengths[i].n) {
			*ret = lengths[i].symbols[code - first];
			return true;
		}
		first += lengths[i].n;
	}
	return false;
}

/* Text with a NUL, cut to @size; false: a code that is none of ours. */
static bool read_huffman(const uint8_t *in, size_t n, char *to, size_t size)
{
	uint32_t code = 0;
	unsigned bits = 0;
	size_t used = 0;
	for (size_t i = 0; i < n * 8; i++) {
		char c;
		code = code << 1 | (in[i / 8] >> (7 - i % 8) & 1);
		bits++;
		if (find_symbol(code, bits, &c)) {
			if (used + 1 < size)
				to[used++] = c;
			code = bits = 0;
		} else if (bits > 15) {
			return false;
		}
	}
	to[used] = '\0';
	return true;
}

struct block {
	const uint8_t *at, *end;
	bool is_bad;
};

static uint32_t read_number(struct block *block, unsigned bits)
{
	uint32_t most = (1u << bits) - 1;
	if (block->at == block->end) {
		block->is_bad = true;
		return 0;
	}
	uint32_t number = *block->at++ & most;
	for (unsigned shift = 0; number >= most && shift <= 21; shift += 7) {
		if (block->at == block->end)
			break;
		uint8_t next = *block->at++;
		number += (uint32_t)(next & 0x7f) << shift;
		if (!(next & 0x80))
			return number;
	}
	block->is_bad |= number >= most;
	return number;
}

static void read_string(struct block *block, char *to, size_t size)
{
	bool is_huffman = block->at < block->end && *block->at & 0x80;
	uint32_t n = read_number(block, 7);
	to[0] = '\0';
	if (block->is_bad || n > (size_t)(block->end - block->at)) {
		block->is_bad = true;
		return;
	}
	if (is_huffman) {
		if (!read_huffman(block->at, n, to, size))
			to[0] = '\0';
	} else {
		size_t length = n < size ? n : size - 1;
		memcpy(to, block->at, length);
		to[length] = '\0';
	}
	block->at += n;
}

bool hpack_find_server(const uint8_t *in, size_t n, char *to, size_t size)
{
	struct block block = {in, in + n, false};
	char name[TEXT_MAX];
	while (block.at < block.end && !block.is_bad) {
		uint8_t first = *block.at;
		if (first & 0x80) { /* both from a table; the static one has no server's value */
			read_number(&block, 7);
			continue;
		}
		if ((first & 0xe0) == 0x20) { /* the table's size */
			read_number(&block, 5);
			continue;
		}
		uint32_t index = read_number(&block, first & 0x40 ? 6 : 4);
		name[0] = '\0';
		if (index == 0)
			read_string(&block, name, sizeof(name));
		read_string(&block, to, size);
		if (!block.is_bad && (index == STATIC_SERVER || strcmp(name, "server") == 0))
			return true;
	}
	to[0] = '\0';
	return false;
}

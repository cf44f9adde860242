/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as what a server says to any question: whole and in pieces the same answer, its texts
 * bounded and clean. A byte chooses the question, a byte the place; then connections, each a length
 * of 2 bytes and as many bytes. */
#include <assert.h>
#include <string.h>

#include "../unit/replay-dialogue.h"
#include "base/text.h"

static size_t one_byte(size_t unused_argument i, size_t unused_argument argument)
{
	return 1;
}

static size_t odd_pieces(size_t i, size_t argument)
{
	return 1 + (i * 7 + argument) % 19;
}

static void check_text(const char *text, size_t size)
{
	size_t n = strnlen(text, size);
	assert(n < size);
	for (size_t i = 0; i < n;) {
		size_t length = 1;
		int32_t c = text_decode(text + i, n - i, &length);
		assert(c > 0 && text_is_printable(c));
		i += length;
	}
}

static void check_seen(const struct identified *seen)
{
	check_text(seen->service, sizeof(seen->service));
	check_text(seen->product, sizeof(seen->product));
	check_text(seen->version, sizeof(seen->version));
	check_text(seen->protocol_version, sizeof(seen->protocol_version));
	assert(seen->findings < 1u << FINDING_MAX);
}

/* What is said may differ: it is dropped where the conversation moves to another connection. */
static void check_same(const struct replayed *a, const struct replayed *b)
{
	assert(a->state == b->state);
	assert(memcmp(&a->seen, &b->seen, sizeof(a->seen)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct replayed whole, bytes, pieces;
	struct section sections[SECTIONS_MAX];
	struct place place = {.host = "::1", .authority = "[::1]"};
	size_t n_sections = 0;
	if (n < 2)
		return 0;
	const struct protocol *asked = data[0] < n_protocols ? protocols[data[0]] : NULL;
	place.is_udp = data[1] & 1;
	place.is_tls = data[1] & 2;
	place.can_tls = data[1] & 4;
	for (size_t at = 2; at + 2 < n && n_sections < SECTIONS_MAX;) {
		size_t length = (size_t)(data[at] << 8 | data[at + 1]);
		at += 2;
		length = length < n - at ? length : n - at;
		sections[n_sections++] = (struct section){asked, data + at, length};
		at += length;
	}
	replay_dialogue(sections, n_sections, &place, NULL, 0, &whole);
	replay_dialogue(sections, n_sections, &place, one_byte, 0, &bytes);
	replay_dialogue(sections, n_sections, &place, odd_pieces, data[1], &pieces);
	check_seen(&whole.seen);
	check_same(&whole, &bytes);
	check_same(&whole, &pieces);
	return 0;
}

/* One connection's bytes shown to the protocols, always in the same prefixes. */
#include <string.h>

#include "scan/identify/dialogue.h"

/* Under a sanitizer the buffer ends for a parser where what it may see ends. */
#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, n) ((void)(at), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(at, n) ((void)(at), (void)(n))
#endif

_Static_assert(PROTOCOLS_MAX <= 64, "a bit each");

void dialogue_start(struct dialogue *dialogue, uint8_t *in, const struct place *place,
		    struct identified *seen, uint64_t excluded)
{
	memset(dialogue, 0, sizeof(*dialogue));
	dialogue->in = in;
	dialogue->excluded = excluded;
	dialogue->talk.place = place;
	dialogue->talk.seen = seen;
	dialogue->want = 1;
	for (unsigned i = 0; i < n_protocols; i++) {
		bool fits = place->is_udp ? protocols[i]->over_udp : protocols[i]->over_tcp;
		dialogue->wants[i] = 1;
		if (fits && !(excluded >> i & 1))
			dialogue->alive |= UINT64_C(1) << i;
	}
}

void dialogue_ask(struct dialogue *dialogue, const struct protocol *protocol)
{
	dialogue->asked = protocol;
	if (protocol->hello)
		protocol->hello(&dialogue->talk);
}

size_t dialogue_room(const struct dialogue *dialogue)
{
	return dialogue->state == DIALOGUE_OPEN ? MESSAGE_MAX - dialogue->n : 0;
}

/* How many bytes stand there for one who has seen @seen of them and waits for @want; 0: not enough.
 */
static size_t enough(const struct dialogue *dialogue, size_t seen, size_t want, bool *is_long)
{
	if (want != WANT_LINE)
		return want <= dialogue->n ? want : 0;
	const uint8_t *end = memchr(dialogue->in + seen, '\n', dialogue->n - seen);
	size_t n = end ? (size_t)(end - dialogue->in) + 1 : dialogue->n;
	*is_long = n - seen > LINE_MAX_BYTES;
	if (*is_long)
		return seen + LINE_MAX_BYTES;
	return end ? n : 0;
}

static void set_want(size_t *want, size_t seen, size_t wanted)
{
	*want = wanted == WANT_LINE || wanted > seen ? wanted : seen + 1;
}

/* The claim's next call, if there is enough for it. False: it has to wait, or all is over. */
static bool converse(struct dialogue *dialogue, bool ended)
{
	struct talk *talk = &dialogue->talk;
	bool is_long = false;
	size_t n = enough(dialogue, dialogue->seen, dialogue->want, &is_long);
	if (n == 0 && !ended)
		return false;
	talk->ended = is_long || n == 0;
	talk->in = dialogue->in;
	talk->n = n == 0 ? dialogue->n : n;
	talk->taken = 0;
	talk->want = 0;
	ASAN_POISON_MEMORY_REGION(dialogue->in + talk->n, MESSAGE_MAX - talk->n);
	enum verdict verdict = dialogue->claim->converse(talk);
	ASAN_UNPOISON_MEMORY_REGION(dialogue->in, MESSAGE_MAX);
	size_t taken = talk->taken < talk->n ? talk->taken : talk->n;
	size_t seen = talk->n - taken;
	memmove(dialogue->in, dialogue->in + taken, dialogue->n - taken);
	dialogue->n -= taken;
	dialogue->seen = seen;
	set_want(&dialogue->want, seen, talk->want);
	if (verdict == VERDICT_TLS && talk->ended) /* it ends with the words that agree to it */
		verdict = VERDICT_DONE;
	if (verdict == VERDICT_MORE && !talk->ended)
		return true;
	dialogue->state = verdict == VERDICT_FRESH   ? DIALOGUE_FRESH
			  : verdict == VERDICT_AGAIN ? DIALOGUE_AGAIN
			  : verdict == VERDICT_TLS   ? DIALOGUE_TLS
			  : verdict == VERDICT_NOT   ? DIALOGUE_NOBODY
						     : DIALOGUE_DONE;
	return false;
}

static void claimed(struct dialogue *dialogue, unsigned i)
{
	const struct protocol *by = protocols[i];
	dialogue->claim = by;
	keep_service(dialogue->talk.seen, by->service);
	if (dialogue->asked && dialogue->asked != by && by != &protocol_tls) {
		dialogue->state = DIALOGUE_CLAIMED; /* another's question may have disturbed it */
	} else if (!dialogue->asked && by->hello) { /* it spoke first, and is asked all the same */
		dialogue->asked = by;
		by->hello(&dialogue->talk);
	}
}

/* Shows protocol @i the first @n bytes. True: it is its. */
static bool show(struct dialogue *dialogue, unsigned i, size_t n, bool ended)
{
	struct look look = {.in = dialogue->in,
			    .n = n,
			    .ended = ended,
			    .asked = dialogue->asked,
			    .place = dialogue->talk.place};
	ASAN_POISON_MEMORY_REGION(dialogue->in + n, MESSAGE_MAX - n);
	enum verdict verdict = protocols[i]->recognise(&look);
	ASAN_UNPOISON_MEMORY_REGION(dialogue->in, MESSAGE_MAX);
	if (verdict == VERDICT_MINE) {
		claimed(dialogue, i);
		return true;
	}
	if (verdict != VERDICT_MORE || ended || (look.want != WANT_LINE && look.want > MESSAGE_MAX))
		dialogue->alive &= ~(UINT64_C(1) << i);
	set_want(&dialogue->wants[i], n, look.want);
	return false;
}

/* The next look that the bytes allow: of the shortest prefix, and there of the first in the table,
 * so that the order of looks is the same for any pieces. False: nobody can look on. */
static bool recognise(struct dialogue *dialogue, size_t seen[])
{
	unsigned best = PROTOCOLS_MAX;
	size_t best_n = SIZE_MAX;
	bool best_long = false;
	for (unsigned i = 0; i < n_protocols; i++) {
		bool is_long = false;
		size_t n = dialogue->alive >> i & 1
				   ? enough(dialogue, seen[i], dialogue->wants[i], &is_long)
				   : 0;
		if (n > 0 && n < best_n) {
			best = i;
			best_n = n;
			best_long = is_long;
		}
	}
	if (best == PROTOCOLS_MAX)
		return false;
	seen[best] = best_n;
	return !show(dialogue, best, best_n, best_long);
}

/* What each has seen follows from its want: all looks are at prefixes of @in, which only grows
 * until there is a claim. A line is looked for from the start of the look before. */
static void look_on(struct dialogue *dialogue)
{
	size_t seen[PROTOCOLS_MAX];
	memcpy(seen, dialogue->looked, sizeof(seen));
	while (!dialogue->claim && recognise(dialogue, seen))
		;
	memcpy(dialogue->looked, seen, sizeof(seen));
	if (!dialogue->claim && dialogue->alive == 0)
		dialogue->state = DIALOGUE_NOBODY;
}

void dialogue_feed(struct dialogue *dialogue, const void *bytes, size_t n)
{
	size_t room = dialogue_room(dialogue), left = CONNECTION_MAX - dialogue->n_all;
	room = room < left ? room : left;
	n = n < room ? n : room;
	memcpy(dialogue->in + dialogue->n, bytes, n);
	dialogue->n += n;
	dialogue->n_all += n;
	if (!dialogue->claim)
		look_on(dialogue);
	while (dialogue->state == DIALOGUE_OPEN && dialogue->claim && converse(dialogue, false))
		;
	if (dialogue->state == DIALOGUE_OPEN &&
	    (dialogue->n == MESSAGE_MAX || dialogue->n_all >= CONNECTION_MAX))
		dialogue_end(dialogue);
}

void dialogue_end(struct dialogue *dialogue)
{
	for (unsigned i = 0; i < n_protocols && !dialogue->claim && dialogue->n > 0; i++)
		if (dialogue->alive >> i & 1)
			show(dialogue, i, dialogue->n, true);
	if (dialogue->state == DIALOGUE_OPEN && dialogue->claim)
		while (converse(dialogue, true))
			;
	if (dialogue->state == DIALOGUE_OPEN)
		dialogue->state = DIALOGUE_NOBODY;
}

void dialogue_renew(struct dialogue *dialogue)
{
	bool is_new = dialogue->state == DIALOGUE_CLAIMED || dialogue->state == DIALOGUE_AGAIN;
	dialogue->state = DIALOGUE_OPEN;
	dialogue->n = dialogue->seen = 0;
	dialogue->n_all = 0;
	dialogue->want = 1;
	dialogue->asked = dialogue->claim;
	if (is_new && dialogue->claim->hello)
		dialogue->claim->hello(&dialogue->talk);
}

void dialogue_secured(struct dialogue *dialogue)
{
	struct talk *talk = &dialogue->talk;
	dialogue->state = DIALOGUE_OPEN;
	dialogue->n = dialogue->seen = 0;
	dialogue->n_all = 0;
	talk->is_secured = true;
	talk->ended = false;
	talk->in = dialogue->in;
	talk->n = talk->taken = talk->want = 0;
	if (dialogue->claim->converse(talk) != VERDICT_MORE)
		dialogue->state = DIALOGUE_DONE;
	set_want(&dialogue->want, 0, talk->want);
}

/* Rows in an order that somebody chose. Each socket's value is read once and becomes a number that
 * is in the same order: of texts their rank among the different ones, of addresses one number after
 * another. These are sorted byte by byte, the least first, and bytes in which all are equal not at
 * all; so half a million are ordered in the time in which comparing them would have begun. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/table.h"
#include "model/rows-order.h"

#define DIGITS_MAX 4 /* numbers of one value: of an address port, two halves, and whether it is */
#define SCRATCH_SIZE 256

struct ordering {
	const struct snapshot *snapshot;
	uint32_t *order, *order_to; /* the sockets; those without a value behind n_known */
	uint64_t *keys, *keys_to;   /* of each its number */
	uint32_t n, n_known;
};

/* ---- texts ---- */

struct text {
	struct value value;
	uint32_t rank;
};

struct texts {
	struct vector all; /* struct text, as they came */
	struct table by_hash;
	struct arena arena;
	uint32_t last;
};

static uint64_t hash_text(const struct value *value)
{
	uint64_t hash = 0xcbf29ce484222325ULL; /* FNV-1a */
	for (uint32_t i = 0; i < value->length; i++)
		hash = (hash ^ (uint8_t)value->text[i]) * 0x100000001b3ULL;
	return hash;
}

static uint64_t text_key(const void *owner, uint32_t index)
{
	return hash_text(&((const struct text *)vector_at(owner, index))->value);
}

static void texts_init(struct texts *texts)
{
	vector_init(&texts->all, sizeof(struct text));
	table_init(&texts->by_hash, text_key, &texts->all);
	arena_init(&texts->arena);
	texts->last = TABLE_NONE;
}

static void texts_done(struct texts *texts)
{
	table_done(&texts->by_hash);
	vector_done(&texts->all);
	arena_done(&texts->arena);
}

static bool is_same_text(const struct texts *texts, uint32_t index, const struct value *value)
{
	const struct value *known = &((const struct text *)vector_at(&texts->all, index))->value;
	return known->length == value->length &&
	       (known->text == value->text || memcmp(known->text, value->text, value->length) == 0);
}

/* Its number; or -ENOMEM. */
static int64_t find_text(struct texts *texts, const struct value *value)
{
	uint32_t place;
	if (texts->last != TABLE_NONE && is_same_text(texts, texts->last, value))
		return texts->last;
	uint64_t hash = hash_text(value);
	for (uint32_t i = table_find(&texts->by_hash, hash, &place); i != TABLE_NONE;
	     i = table_next(&texts->by_hash, hash, &place))
		if (is_same_text(texts, i, value))
			return texts->last = i;
	struct text *added = vector_add(&texts->all);
	if (!added)
		return -ENOMEM;
	*added = (struct text){.value = *value};
	if (value->text == value->scratch)
		added->value.text = arena_copy(&texts->arena, value->text, value->length);
	texts->last = texts->all.n - 1;
	return !added->value.text || table_add(&texts->by_hash, hash, texts->last) < 0
		       ? -ENOMEM
		       : (int64_t)texts->last;
}

static int compare_texts(const void *a, const void *b, void *data)
{
	const struct text *all = data;
	return value_compare(&all[*(const uint32_t *)a].value, &all[*(const uint32_t *)b].value);
}

/* Numbers of texts become their ranks. */
static int rank_texts(struct texts *texts, struct ordering *ordering)
{
	uint32_t n = texts->all.n;
	struct text *all = texts->all.data;
	cleanup(freep) uint32_t *sorted = malloc((n + 1u) * sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		sorted[i] = i;
	if (n)
		qsort_r(sorted, n, sizeof(*sorted), compare_texts, all);
	for (uint32_t i = 0; i < n; i++)
		all[sorted[i]].rank = i;
	for (uint32_t i = 0; i < ordering->n_known; i++)
		ordering->keys[i] = all[ordering->keys[i]].rank;
	return 0;
}

/* ---- numbers ---- */

static uint64_t half_of(const struct ip *ip, unsigned half)
{
	uint64_t number = 0;
	for (unsigned i = 0; i < 8; i++)
		number = number << 8 | ip->bytes[8 * half + i];
	return number;
}

static uint64_t digit_of_address(const struct value *value, unsigned digit)
{
	if (digit == 3 || !value->ip)
		return digit == 3 && value->ip;
	return digit == 0 ? value->port : half_of(value->ip, 2 - digit);
}

static uint64_t order_of_real(double real)
{
	uint64_t bits;
	memcpy(&bits, &real, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static bool is_text(unsigned kind)
{
	return kind == VALUE_WORD || kind == VALUE_STRING || kind == VALUE_OBJECT;
}

static bool is_address(unsigned kind)
{
	return kind == VALUE_IP || kind == VALUE_ENDPOINT;
}

/* Or -ENOMEM, which no text's number is. */
static int64_t number_of(const struct value *value, unsigned digit, struct texts *texts,
			 uint64_t *ret)
{
	int64_t text;
	switch ((enum value_kind)value->kind) {
	case VALUE_WORD:
	case VALUE_STRING:
	case VALUE_OBJECT:
		text = find_text(texts, value);
		*ret = (uint64_t)text;
		return text < 0 ? text : 0;
	case VALUE_IP:
	case VALUE_ENDPOINT:
		*ret = digit_of_address(value, digit);
		return 0;
	case VALUE_INT:
		*ret = (uint64_t)value->integer ^ UINT64_C(1) << 63;
		return 0;
	case VALUE_TIME:
		*ret = order_of_real(value->real);
		return 0;
	default:
		*ret = value->number;
		return 0;
	}
}

/* ---- reading ---- */

/* Of each socket that number, those without a value behind the others, which all keep their order.
 * *@kind: of the values, VALUE_NULL before the first. */
static int read_keys(struct ordering *ordering, const struct field *field, unsigned digit,
		     struct texts *texts, unsigned *kind)
{
	uint32_t n_known = 0, n_null = 0;
	int64_t r = 0;
	for (uint32_t i = 0; r >= 0 && i < ordering->n; i++) {
		char scratch[SCRATCH_SIZE];
		struct value value = {.scratch = scratch};
		struct record record;
		uint32_t socket = ordering->order[i];
		rows_first_record(ordering->snapshot, socket, &record);
		field_read(field, &record, &value);
		if (value.kind == VALUE_NULL) {
			ordering->order_to[n_null++] = socket;
			continue;
		}
		if (*kind == VALUE_NULL)
			*kind = value.kind;
		if (value.kind != *kind && !(is_text(value.kind) && is_text(*kind)))
			r = -EOPNOTSUPP;
		else
			r = number_of(&value, digit, texts, &ordering->keys[n_known]);
		ordering->order[n_known++] = socket;
	}
	memcpy(ordering->order + n_known, ordering->order_to, n_null * sizeof(uint32_t));
	ordering->n_known = n_known; /* all are there, also where it was broken off */
	return (int)r;
}

/* ---- sorting ---- */

static void sort_by_byte(struct ordering *ordering, unsigned shift)
{
	uint32_t starts[257] = {0};
	for (uint32_t i = 0; i < ordering->n_known; i++)
		starts[(ordering->keys[i] >> shift & 255) + 1]++;
	for (unsigned i = 0; i < 256; i++)
		starts[i + 1] += starts[i];
	for (uint32_t i = 0; i < ordering->n_known; i++) {
		uint32_t to = starts[ordering->keys[i] >> shift & 255]++;
		ordering->keys_to[to] = ordering->keys[i];
		ordering->order_to[to] = ordering->order[i];
	}
	memcpy(ordering->order_to + ordering->n_known, ordering->order + ordering->n_known,
	       (ordering->n - ordering->n_known) * sizeof(uint32_t));
	uint64_t *keys = ordering->keys;
	uint32_t *order = ordering->order;
	ordering->keys = ordering->keys_to;
	ordering->keys_to = keys;
	ordering->order = ordering->order_to;
	ordering->order_to = order;
}

static void sort_keys(struct ordering *ordering, bool is_descending)
{
	uint64_t differs = 0;
	for (uint32_t i = 0; i < ordering->n_known; i++) {
		if (is_descending)
			ordering->keys[i] = ~ordering->keys[i];
		differs |= ordering->keys[i] ^ ordering->keys[0];
	}
	for (unsigned shift = 0; shift < 64; shift += 8)
		if (differs >> shift & 255)
			sort_by_byte(ordering, shift);
}

static int order_by_field(struct ordering *ordering, const struct field *field, bool is_descending)
{
	cleanup(texts_done) struct texts texts;
	unsigned kind = VALUE_NULL;
	texts_init(&texts);
	for (unsigned digit = 0; digit < DIGITS_MAX; digit++) {
		int r = read_keys(ordering, field, digit, &texts, &kind);
		if (r >= 0 && is_text(kind))
			r = rank_texts(&texts, ordering);
		if (r < 0)
			return r;
		sort_keys(ordering, is_descending);
		if (!is_address(kind))
			break;
	}
	return 0;
}

int rows_order_by(struct rows *rows, const struct field *const *by, const bool *descending)
{
	size_t n = rows->n_sockets;
	unsigned n_fields = 0;
	struct ordering ordering = {
		.snapshot = rows->snapshot, .order = rows->order, .n = (uint32_t)n};
	ordering.order_to = malloc((n + 1) * sizeof(*ordering.order_to));
	ordering.keys = malloc((n + 1) * sizeof(*ordering.keys));
	ordering.keys_to = malloc((n + 1) * sizeof(*ordering.keys_to));
	int r = ordering.order_to && ordering.keys && ordering.keys_to ? 0 : -ENOMEM;
	while (by[n_fields])
		n_fields++;
	while (r >= 0 && n_fields--) /* the last first: each keeps the order of those behind it */
		r = order_by_field(&ordering, by[n_fields], descending && descending[n_fields]);
	rows->order = ordering.order;
	free(ordering.order_to);
	free(ordering.keys);
	free(ordering.keys_to);
	return r;
}

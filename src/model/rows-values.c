/* The distinct values of a field over all sockets and holders of a row. */
#include <string.h>

#include "base/attributes.h"
#include "base/table.h"
#include "model/rows-some.h"

#define SCRATCH_SIZE 256
#define NEAR_MAX 32 /* a row with more than these is rare: only then memory is asked for */

struct entry {
	struct value value;
	uint32_t times;
};

struct distinct {
	struct entry near[NEAR_MAX];
	char scratch[NEAR_MAX][SCRATCH_SIZE];
	uint32_t n_near;
	struct vector far; /* struct entry */
	struct table by_value;
	struct arena texts;
	uint32_t processes[NEAR_MAX]; /* that were counted; those that do not fit in by_index */
	uint32_t n_processes;
	struct table by_index;
};

static uint64_t hash_bytes(const void *bytes, size_t n)
{
	uint64_t hash = 0xcbf29ce484222325ULL; /* FNV-1a */
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3ULL;
	return hash;
}

static uint64_t hash_value(const struct value *value)
{
	switch (value->kind) {
	case VALUE_WORD:
	case VALUE_STRING:
	case VALUE_OBJECT:
		return hash_bytes(value->text, value->length);
	case VALUE_IP:
	case VALUE_ENDPOINT:
		return value->ip ? hash_bytes(value->ip, sizeof(*value->ip)) ^ value->port : 0;
	default:
		return value->number;
	}
}

static uint64_t key_of_entry(const void *owner, uint32_t index)
{
	return hash_value(&((const struct entry *)vector_at(owner, index))->value);
}

static uint64_t key_of_index(unused_argument const void *owner, uint32_t index)
{
	return index;
}

static void distinct_init(struct distinct *distinct)
{
	distinct->n_near = distinct->n_processes = 0;
	vector_init(&distinct->far, sizeof(struct entry));
	table_init(&distinct->by_value, key_of_entry, &distinct->far);
	table_init(&distinct->by_index, key_of_index, NULL);
	arena_init(&distinct->texts);
}

static void distinct_done(struct distinct *distinct)
{
	vector_done(&distinct->far);
	table_done(&distinct->by_value);
	table_done(&distinct->by_index);
	arena_done(&distinct->texts);
}

static struct entry *find(struct distinct *distinct, const struct value *value)
{
	for (uint32_t i = 0; i < distinct->n_near; i++)
		if (value_compare(&distinct->near[i].value, value) == 0)
			return &distinct->near[i];
	if (!distinct->far.n)
		return NULL;
	uint64_t key = hash_value(value);
	uint32_t place;
	for (uint32_t i = table_find(&distinct->by_value, key, &place); i != TABLE_NONE;
	     i = table_next(&distinct->by_value, key, &place)) {
		struct entry *entry = vector_at(&distinct->far, i);
		if (value_compare(&entry->value, value) == 0)
			return entry;
	}
	return NULL;
}

/* Beyond the near ones. Without memory it is left out: a cell cannot fail. */
static void add_far(struct distinct *distinct, const struct value *value)
{
	struct entry entry = {.value = *value, .times = 1};
	if (value->text == value->scratch &&
	    (value->kind == VALUE_STRING || value->kind == VALUE_OBJECT)) {
		entry.value.text = arena_copy(&distinct->texts, value->text, value->length);
		if (!entry.value.text)
			return;
	}
	struct entry *added = vector_add(&distinct->far);
	if (!added)
		return;
	*added = entry;
	if (table_add(&distinct->by_value, hash_value(value), distinct->far.n - 1) < 0)
		distinct->far.n--;
}

static void add_value(struct distinct *distinct, const struct field *field,
		      const struct record *record)
{
	char scratch[SCRATCH_SIZE];
	struct value value = {.scratch = scratch};
	field_read(field, record, &value);
	if (value.kind == VALUE_NULL)
		return;
	struct entry *entry = find(distinct, &value);
	if (entry) {
		entry->times++;
		return;
	}
	if (distinct->n_near == NEAR_MAX) {
		add_far(distinct, &value);
		return;
	}
	uint32_t n = distinct->n_near++;
	distinct->near[n] = (struct entry){.value = value, .times = 1};
	if ((value.kind == VALUE_STRING || value.kind == VALUE_OBJECT) && value.text == scratch) {
		memcpy(distinct->scratch[n], scratch, sizeof(scratch));
		distinct->near[n].value.text = distinct->scratch[n];
	}
}

/* A process that holds both halves, or has two descriptors, counts once. */
static bool is_counted(struct distinct *distinct, uint32_t process)
{
	for (uint32_t i = 0; i < distinct->n_processes; i++)
		if (distinct->processes[i] == process)
			return true;
	if (distinct->n_processes < NEAR_MAX) {
		distinct->processes[distinct->n_processes++] = process;
		return false;
	}
	uint32_t place;
	for (uint32_t i = table_find(&distinct->by_index, process, &place); i != TABLE_NONE;
	     i = table_next(&distinct->by_index, process, &place))
		if (i == process)
			return true;
	return table_add(&distinct->by_index, process, process) < 0;
}

static void add_socket(struct distinct *distinct, const struct field *field, struct record *record)
{
	if (field->of != OF_HOLDER) {
		add_value(distinct, field, record);
		return;
	}
	for (; record->holder;
	     record->holder = snapshot_holder(record->snapshot, record->holder->next)) {
		record->process = snapshot_process(record->snapshot, record->holder->process);
		if (field->merge != MERGE_COUNT || !is_counted(distinct, record->holder->process))
			add_value(distinct, field, record);
	}
}

/* Also of a row that is one socket with one holder at most, without anything to unite. */
static uint32_t give_first(const struct record *record, const struct field *field,
			   int (*each)(void *, const struct value *, uint32_t), void *data)
{
	char scratch[SCRATCH_SIZE];
	struct value value;
	value.scratch = scratch;
	field_read(field, record, &value);
	if (value.kind == VALUE_NULL)
		return 0;
	each(data, &value, 1);
	return 1;
}

static uint32_t give_sum(const struct rows *rows, uint32_t row, const struct field *field,
			 int (*each)(void *, const struct value *, uint32_t), void *data)
{
	struct value sum = {.kind = VALUE_NULL};
	for (uint32_t k = 0; k < rows_length(rows, row); k++) {
		struct record record;
		struct value value = {.kind = VALUE_NULL};
		rows_record(rows, row, k, &record);
		field_read(field, &record, &value);
		if (value.kind != VALUE_UINT)
			continue;
		sum.number = (sum.kind == VALUE_UINT ? sum.number : 0) + value.number;
		sum.kind = VALUE_UINT;
	}
	if (sum.kind == VALUE_NULL)
		return 0;
	each(data, &sum, 1);
	return 1;
}

/* True: it looked at all of the row. */
static bool find_distinct(const struct rows *rows, uint32_t row, const struct field *field,
			  uint32_t most, struct distinct *distinct)
{
	uint32_t length = rows_length(rows, row);
	/* of a row that is longer all are not looked at anyway: then some do */
	uint32_t n = most && most < length ? most / 4 : length;
	for (uint32_t k = 0; k < n; k++) {
		struct record record;
		/* spread over the row: its ends may differ where its beginning does not */
		rows_record(rows, row, (uint32_t)((uint64_t)k * length / n), &record);
		add_socket(distinct, field, &record);
		if (most && k + 1 < length && distinct->far.n)
			return false;
	}
	return n == length;
}

uint32_t rows_values_some(const struct rows *rows, uint32_t row, const struct field *field,
			  uint32_t most, bool *ret_all,
			  int (*each)(void *data, const struct value *value, uint32_t times),
			  void *data)
{
	struct record record;
	uint32_t length = rows_length(rows, row);
	rows_record(rows, row, 0, &record);
	bool is_single = length == 1 &&
			 (field->of != OF_HOLDER || !record.holder || record.holder->next == NONE);
	*ret_all = true;
	if (is_single || field->merge == MERGE_FIRST)
		return give_first(&record, field, each, data);
	if (field->merge == MERGE_SUM && most && length > most) {
		*ret_all = false; /* a sum of some is none */
		return 0;
	}
	if (field->merge == MERGE_SUM)
		return give_sum(rows, row, field, each, data);

	struct distinct distinct;
	distinct_init(&distinct);
	*ret_all = find_distinct(rows, row, field, most, &distinct);
	uint32_t n = distinct.n_near + distinct.far.n;
	for (uint32_t i = 0; i < n; i++) {
		const struct entry *entry =
			i < NEAR_MAX ? &distinct.near[i] : vector_at(&distinct.far, i - NEAR_MAX);
		if (each(data, &entry->value, entry->times) < 0)
			break;
	}
	distinct_done(&distinct);
	return n;
}

uint32_t rows_values(const struct rows *rows, uint32_t row, const struct field *field,
		     int (*each)(void *data, const struct value *value, uint32_t times), void *data)
{
	bool all;
	return rows_values_some(rows, row, field, 0, &all, each, data);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a row group of history, read in every way that there is: a value at a time, a column
 * at a time, a row at a time. They must agree; and what was read is written and read again as the
 * same. Of a first byte that is odd the rest is the values of rows to write. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "history/row-group.h"

#define BASE UINT64_C(1000000000000)

struct rows {
	struct interval_row row[ROW_GROUP_MAX];
	uint32_t n;
};

static void read_rows(struct row_group *group, struct rows *ret)
{
	ret->n = group->n;
	assert(ret->n && ret->n <= ROW_GROUP_MAX);
	for (uint32_t i = 0; i < ret->n; i++)
		row_group_row(group, i, BASE, &ret->row[i]);
}

/* Closed alone first, then by columns: what is told of one value does not hang on what was read
 * before. */
static void read_values(const uint8_t *data, size_t n)
{
	static struct row_group one, all;
	assert(row_group_open(&one, data, n) == 0 && row_group_open(&all, data, n) == 0);
	for (enum row_column column = 0; column < ROW_COLUMNS; column++) {
		for (uint32_t i = one.n; i-- > 0;)
			assert(row_group_value(&one, column, i) ==
			       row_group_column(&all, column)[i]);
	}
	assert(one.is_broken == all.is_broken);
}

static void pack(const struct rows *rows, struct out *out)
{
	const struct interval_row *at[ROW_GROUP_MAX];
	for (uint32_t i = 0; i < rows->n; i++)
		at[i] = &rows->row[i];
	out->n = 0;
	row_group_pack(out, at, rows->n, BASE);
	assert(!out->error);
}

static void assert_same(const struct interval_row *a, const struct interval_row *b)
{
	assert(a->opened == b->opened && a->closed == b->closed && a->cookie == b->cookie);
	assert(a->sent == b->sent && a->received == b->received && a->inode == b->inode);
	assert(a->place == b->place && a->exe == b->exe && a->process == b->process);
	assert(a->crew == b->crew && a->closer == b->closer && a->port == b->port);
	assert(a->has_holder == b->has_holder && (!a->has_holder || a->fd == b->fd));
	assert(a->has_peer == b->has_peer && a->is_v4_peer == b->is_v4_peer);
	assert(!a->has_peer || (a->peer_port == b->peer_port && ip_equal(&a->peer, &b->peer)));
	assert(bits_pack(&a->bits) == bits_pack(&b->bits));
	assert(a->error == b->error || (a->error < 0 && !b->error));
}

/* What is written of @rows reads as they are, and writes to the same bytes. */
static void write_and_read(const struct rows *rows)
{
	static struct row_group group;
	static struct rows again;
	struct out first, second;
	assert(out_init(&first, -1) == 0 && out_init(&second, -1) == 0);
	pack(rows, &first);
	read_values((const uint8_t *)first.data, first.n);
	assert(row_group_open(&group, first.data, first.n) == 0);
	read_rows(&group, &again);
	assert(!group.is_broken && again.n == rows->n);
	for (uint32_t i = 0; i < rows->n; i++)
		assert_same(&rows->row[i], &again.row[i]);
	pack(&again, &second);
	assert(first.n == second.n && memcmp(first.data, second.data, first.n) == 0);
	out_done(&first);
	out_done(&second);
}

static void take_bytes(const uint8_t *data, size_t n)
{
	static struct row_group group;
	static struct rows rows;
	if (row_group_open(&group, n ? data : NULL, n) < 0)
		return;
	read_rows(&group, &rows);
	if (!group.is_broken)
		write_and_read(&rows);
	read_values(data, n);
}

static uint64_t take(const uint8_t **at, const uint8_t *end)
{
	uint64_t number = 0;
	unsigned width = *at < end ? *(*at)++ % 9 : 0;
	for (unsigned i = 0; i < width && *at < end; i++)
		number = number << 8 | *(*at)++;
	return number;
}

static struct interval_row take_row(const uint8_t **at, const uint8_t *end)
{
	uint64_t flags = take(at, end), peer = take(at, end);
	struct interval_row row = {.opened = take(at, end),
				   .closed = take(at, end),
				   .cookie = take(at, end),
				   .sent = take(at, end),
				   .received = take(at, end),
				   .place = (uint32_t)take(at, end),
				   .exe = (uint32_t)take(at, end),
				   .process = (uint32_t)take(at, end),
				   .crew = (uint32_t)take(at, end),
				   .closer = (uint32_t)take(at, end),
				   .inode = (uint32_t)take(at, end),
				   .fd = (int32_t)take(at, end),
				   .error = (int32_t)take(at, end),
				   .port = (uint16_t)take(at, end),
				   .peer_port = (uint16_t)take(at, end),
				   .has_peer = flags & 1,
				   .is_v4_peer = (flags & 3) == 3,
				   .has_holder = flags & 4,
				   .bits = bits_unpack((int64_t)(flags >> 3 & 0x3fff))};
	uint8_t address[16];
	memcpy(address, &peer, 8);
	memcpy(address + 8, &row.cookie, 8);
	row.peer = row.is_v4_peer ? ip_from_v4(address) : ip_from_v6(address);
	return row;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct rows rows;
	const uint8_t *end = data + n;
	if (!n)
		return 0;
	if (!(*data++ & 1)) {
		take_bytes(data, n - 1);
		return 0;
	}
	for (rows.n = 0; data < end && rows.n < ROW_GROUP_MAX; rows.n++)
		rows.row[rows.n] = take_row(&data, end);
	if (rows.n)
		write_and_read(&rows);
	return 0;
}

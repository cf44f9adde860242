/* Rows to columns of bytes, and back. */
#include <errno.h>
#include <string.h>

#include "base/varint.h"
#include "history/row-group.h"

/* A column is: how wide its values are, the least of them, and how much above it each one is, in so
 * many bytes, least first. Wide ones among many small are kept as numbers of variable length, whose
 * bytes are counted first. */
#define WIDTH_VARIABLE 9

/* Behind the bits of bits_pack. */
#define FLAG_PEER (1u << 14)
#define FLAG_PEER_V4 (1u << 15)
#define FLAG_HOLDER (1u << 16)

static bool is_of_the_one_before(enum row_column column)
{
	return column == ROW_CLOSED || column == ROW_COOKIE || column == ROW_INODE;
}

static unsigned bytes_of(uint64_t number)
{
	return number ? (71 - (unsigned)__builtin_clzll(number)) / 8 : 0;
}

static unsigned bytes_of_varint(uint64_t number)
{
	return (70 - (unsigned)__builtin_clzll(number | 1)) / 7;
}

static uint64_t number_at(const uint8_t *at, unsigned n)
{
	uint64_t number = 0;
	for (unsigned i = 0; i < n; i++)
		number |= (uint64_t)at[i] << 8 * i;
	return number;
}

void row_peer_numbers(const struct ip *ip, bool is_v4, uint64_t *high, uint64_t *low)
{
	*high = *low = 0;
	for (unsigned i = 0; i < 8 && !is_v4; i++)
		*high = *high << 8 | ip->bytes[i];
	for (unsigned i = is_v4 ? 12 : 8; i < 16; i++)
		*low = *low << 8 | ip->bytes[i];
}

/* ---- to bytes ---- */

static void spread(uint64_t to[ROW_COLUMNS][ROW_GROUP_MAX], uint32_t i,
		   const struct interval_row *row, const struct interval_row *before, uint64_t base)
{
	uint64_t high = 0, low = 0;
	if (row->has_peer)
		row_peer_numbers(&row->peer, row->is_v4_peer, &high, &low);
	to[ROW_CLOSED][i] = number_fold((int64_t)(row->closed - (before ? before->closed : base)));
	to[ROW_LENGTH][i] = row->closed - row->opened;
	to[ROW_FLAGS][i] = (uint64_t)bits_pack(&row->bits) | (row->has_peer ? FLAG_PEER : 0) |
			   (row->is_v4_peer ? FLAG_PEER_V4 : 0) |
			   (row->has_holder ? FLAG_HOLDER : 0);
	to[ROW_PORT][i] = row->port;
	to[ROW_PEER_PORT][i] = row->has_peer ? row->peer_port : 0;
	to[ROW_PEER_HIGH][i] = high;
	to[ROW_PEER_LOW][i] = low;
	to[ROW_PLACE][i] = row->place;
	to[ROW_PROCESS][i] = row->process;
	to[ROW_EXE][i] = row->exe;
	to[ROW_CREW][i] = row->crew;
	to[ROW_CLOSER][i] = row->closer;
	to[ROW_FD][i] = row->has_holder ? number_fold(row->fd) : 0;
	to[ROW_COOKIE][i] = number_fold((int64_t)(row->cookie - (before ? before->cookie : 0)));
	to[ROW_INODE][i] = number_fold((int64_t)row->inode - (before ? before->inode : 0));
	to[ROW_SENT][i] = row->sent + 1; /* of EVENT_UNKNOWN 0 */
	to[ROW_RECEIVED][i] = row->received + 1;
	to[ROW_ERROR][i] = row->error > 0 ? (uint64_t)row->error : 0;
}

static void put_column(struct out *out, const uint64_t *values, uint32_t n)
{
	uint64_t least = values[0], most = values[0];
	for (uint32_t i = 1; i < n; i++) {
		least = values[i] < least ? values[i] : least;
		most = values[i] > most ? values[i] : most;
	}
	unsigned width = bytes_of(most - least);
	uint32_t n_variable = 0;
	for (uint32_t i = 0; i < n && width > 1; i++)
		n_variable += bytes_of_varint(values[i] - least);
	/* Of a fixed width one value can be had without the rest: that is worth a quarter of room.
	 */
	bool is_variable = width > 1 && n_variable + n_variable / 3 + 2 < n * width;
	if (!out_room(out, 1 + 2 * VARINT_MAX + (size_t)n * VARINT_MAX))
		return;
	uint8_t *at = (uint8_t *)out->data + out->n;
	*at++ = is_variable ? WIDTH_VARIABLE : (uint8_t)width;
	at = varint_put(at, least);
	if (is_variable)
		at = varint_put(at, n_variable);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t above = values[i] - least;
		if (is_variable)
			at = varint_put(at, above);
		for (unsigned byte = 0; byte < width && !is_variable; byte++)
			*at++ = (uint8_t)(above >> 8 * byte);
	}
	out->n = (size_t)(at - (uint8_t *)out->data);
}

void row_group_pack(struct out *out, const struct interval_row *const *rows, uint32_t n,
		    uint64_t base)
{
	uint64_t values[ROW_COLUMNS][ROW_GROUP_MAX];
	uint8_t start[VARINT_MAX] = {0};
	for (uint32_t i = 0; i < n; i++)
		spread(values, i, rows[i], i ? rows[i - 1] : NULL, base);
	out_bytes(out, start, (size_t)(varint_put(start, n) - start));
	for (unsigned column = 0; column < ROW_COLUMNS; column++)
		put_column(out, values[column], n);
}

int row_group_put(sqlite3_stmt *put, struct out *scratch, int64_t id,
		  const struct interval_row *const *rows, uint32_t n, uint64_t base)
{
	int64_t closed = INT64_MIN, opened = INT64_MAX;
	for (uint32_t i = 0; i < n; i++) {
		int64_t to = (int64_t)(rows[i]->closed - base),
			from = (int64_t)(rows[i]->opened - base);
		closed = to > closed ? to : closed;
		opened = from < opened ? from : opened;
	}
	scratch->n = 0;
	row_group_pack(scratch, rows, n, base);
	if (scratch->error)
		return SQLITE_NOMEM;
	store_bind(put, 1, (const int64_t[]){id, closed, opened}, 3);
	sqlite3_bind_blob64(put, 4, scratch->data, scratch->n, SQLITE_STATIC);
	return store_step(put);
}

/* ---- from bytes, which may be anything ---- */

int row_group_open(struct row_group *group, const void *bytes, size_t n)
{
	uint64_t rows;
	group->is_broken = false;
	memset(group->is_read, 0, sizeof(group->is_read));
	if (!n) /* SQLite has no address for an empty blob */
		return -EBADMSG;
	const uint8_t *at = bytes, *end = at + n;
	if (!varint_take_within(&at, end, &rows) || !rows || rows > ROW_GROUP_MAX)
		return -EBADMSG;
	group->n = (uint32_t)rows;
	for (unsigned column = 0; column < ROW_COLUMNS; column++) {
		if (at >= end)
			return -EBADMSG;
		uint8_t width = *at++;
		uint64_t size;
		if (width > WIDTH_VARIABLE || !varint_take_within(&at, end, &group->least[column]))
			return -EBADMSG;
		size = width * rows;
		if (width == WIDTH_VARIABLE && !varint_take_within(&at, end, &size))
			return -EBADMSG;
		if (size > (size_t)(end - at))
			return -EBADMSG;
		group->width[column] = width;
		group->size[column] = (uint32_t)size;
		group->at[column] = at;
		at += size;
	}
	return 0;
}

static void read_column(struct row_group *group, enum row_column column)
{
	const uint8_t *at = group->at[column], *end = at + group->size[column];
	uint64_t *values = group->values[column], least = group->least[column], above;
	unsigned width = group->width[column];
	for (uint32_t i = 0; i < group->n; i++) {
		if (width != WIDTH_VARIABLE) {
			above = number_at(at, width);
			at += width;
		} else if (!varint_take_within(&at, end, &above)) {
			group->is_broken = true;
		}
		values[i] = least + above;
	}
	for (uint32_t i = 0; i < group->n && is_of_the_one_before(column); i++)
		values[i] = number_unfold(values[i]) + (i ? values[i - 1] : 0);
}

const uint64_t *row_group_column(struct row_group *group, enum row_column column)
{
	if (!group->is_read[column])
		read_column(group, column);
	group->is_read[column] = true;
	return group->values[column];
}

uint64_t row_group_value(struct row_group *group, enum row_column column, uint32_t row)
{
	unsigned width = group->width[column];
	if (group->is_read[column] || width == WIDTH_VARIABLE || is_of_the_one_before(column))
		return row_group_column(group, column)[row];
	return group->least[column] + number_at(group->at[column] + (size_t)row * width, width);
}

bool row_group_peer(struct row_group *group, uint32_t row, uint64_t *high, uint64_t *low,
		    bool *is_v4)
{
	uint64_t flags = row_group_value(group, ROW_FLAGS, row);
	if (!(flags & FLAG_PEER))
		return false;
	*is_v4 = flags & FLAG_PEER_V4;
	*high = row_group_value(group, ROW_PEER_HIGH, row);
	*low = row_group_value(group, ROW_PEER_LOW, row);
	return true;
}

static struct ip peer_of(uint64_t high, uint64_t low, bool is_v4)
{
	uint8_t bytes[16];
	for (unsigned i = 0; i < 8; i++) {
		bytes[i] = (uint8_t)(high >> (56 - 8 * i));
		bytes[8 + i] = (uint8_t)(low >> (56 - 8 * i));
	}
	return is_v4 ? ip_from_v4(bytes + 12) : ip_from_v6(bytes);
}

void row_group_row(struct row_group *group, uint32_t row, uint64_t base, struct interval_row *ret)
{
	uint64_t flags = row_group_value(group, ROW_FLAGS, row), high, low,
		 closed = base + row_group_value(group, ROW_CLOSED, row);
	*ret = (struct interval_row){
		.closed = closed,
		.opened = closed - row_group_value(group, ROW_LENGTH, row),
		.cookie = row_group_value(group, ROW_COOKIE, row),
		.sent = row_group_value(group, ROW_SENT, row) - 1,
		.received = row_group_value(group, ROW_RECEIVED, row) - 1,
		.place = (uint32_t)row_group_value(group, ROW_PLACE, row),
		.exe = (uint32_t)row_group_value(group, ROW_EXE, row),
		.process = (uint32_t)row_group_value(group, ROW_PROCESS, row),
		.crew = (uint32_t)row_group_value(group, ROW_CREW, row),
		.closer = (uint32_t)row_group_value(group, ROW_CLOSER, row),
		.inode = (uint32_t)row_group_value(group, ROW_INODE, row),
		.fd = (int32_t)number_unfold(row_group_value(group, ROW_FD, row)),
		.error = (int32_t)row_group_value(group, ROW_ERROR, row),
		.port = (uint16_t)row_group_value(group, ROW_PORT, row),
		.peer_port = (uint16_t)row_group_value(group, ROW_PEER_PORT, row),
		.has_holder = flags & FLAG_HOLDER,
		.bits = bits_unpack((int64_t)flags),
	};
	ret->has_peer = row_group_peer(group, row, &high, &low, &ret->is_v4_peer);
	if (ret->has_peer)
		ret->peer = peer_of(high, low, ret->is_v4_peer);
}

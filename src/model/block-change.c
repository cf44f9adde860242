/* From the blocks that the kernel has to those that it is to have. Elements of one set may not
 * overlap: who takes ports out of a range leaves what stands before and behind. */
#include <errno.h>

#include "model/block.h"

void block_change_init(struct block_change *change)
{
	vector_init(&change->removed, sizeof(struct block));
	vector_init(&change->after, sizeof(struct block));
}

void block_change_done(struct block_change *change)
{
	vector_done(&change->removed);
	vector_done(&change->after);
}

static int push(struct vector *vector, const struct block *block)
{
	struct block *added = vector_add(vector);
	if (!added)
		return -ENOMEM;
	*added = *block;
	return 0;
}

int block_change_begin(struct block_change *change, const struct block_table *table)
{
	for (uint32_t i = 0; i < table->blocks.n; i++) {
		int r = push(&change->after, vector_at(&table->blocks, i));
		if (r < 0)
			return r;
	}
	return 0;
}

/* What is left of @block on one side of @wanted. The kernel tells whole seconds, rounded down: a
 * block may end a second late, never early. */
static int push_rest(struct vector *after, const struct block *block, uint16_t first, uint16_t last)
{
	struct block rest = *block;
	rest.first = first;
	rest.last = last;
	rest.is_there = false;
	rest.packets = 0;
	if (rest.seconds && rest.seconds_left < rest.seconds)
		rest.seconds_left++;
	return push(after, &rest);
}

/* Takes the ports of @wanted out of the i-th. 0 or -ENOMEM. */
static int take_out(struct block_change *change, uint32_t i, const struct block *wanted)
{
	struct block block = *(const struct block *)vector_at(&change->after, i);
	struct block *last = vector_at(&change->after, change->after.n - 1);
	*(struct block *)vector_at(&change->after, i) = *last;
	change->after.n--;
	int r = block.is_there ? push(&change->removed, &block) : 0;
	if (r >= 0 && block.first < wanted->first)
		r = push_rest(&change->after, &block, block.first, (uint16_t)(wanted->first - 1));
	if (r >= 0 && block.last > wanted->last)
		r = push_rest(&change->after, &block, (uint16_t)(wanted->last + 1), block.last);
	return r;
}

static bool shares_ports(const struct block *a, const struct block *b)
{
	return a->proto == b->proto && a->first <= b->last && b->first <= a->last;
}

int block_change_add(struct block_change *change, const struct block *wanted)
{
	for (uint32_t i = 0; i < change->after.n;) {
		const struct block *block = vector_at(&change->after, i);
		if (!shares_ports(block, wanted) ||
		    !block_scope_equal(&block->scope, &wanted->scope)) {
			i++;
			continue;
		}
		int r = take_out(change, i, wanted); /* another stands there now */
		if (r < 0)
			return r;
	}
	return push(&change->after, wanted);
}

static bool is_named(const struct block *block, const struct block *wanted, bool has_from)
{
	struct block_scope scope = block->scope;
	if (wanted->scope.to.kind == BLOCK_ANY)
		scope.to = wanted->scope.to;
	if (!has_from)
		scope.from = wanted->scope.from;
	return shares_ports(block, wanted) && block_scope_equal(&scope, &wanted->scope);
}

int block_change_remove(struct block_change *change, const struct block *wanted, bool has_from,
			uint32_t *n)
{
	for (uint32_t i = 0; i < change->after.n;) {
		if (!is_named(vector_at(&change->after, i), wanted, has_from)) {
			i++;
			continue;
		}
		int r = take_out(change, i, wanted);
		if (r < 0)
			return r;
		++*n;
	}
	return 0;
}

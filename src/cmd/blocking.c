/* What block, unblock and blocks have in common. */
#include <errno.h>
#include <unistd.h>

#include "cmd/blocking.h"

int blocking_begin(struct context *context, const struct look *look, struct blocking *blocking,
		   struct error *err)
{
	struct netns_scope scope;
	int r = look_scope(look, &scope, err);
	return r < 0 ? r : blocking_open(&context->host, &scope, blocking, err);
}

void blocking_tell_idle(struct context *context, const struct blocking *blocking)
{
	static const char hint[] = "(`doorward unblock --all` clears it)";
	const struct block_table *table = &blocking->table;
	cleanup(out_done) struct out out = {.fd = -1};
	uint32_t n = 0;
	for (uint32_t i = 0; i < table->blocks.n; i++)
		n += !block_is_in_force(table, vector_at(&table->blocks, i));
	if ((!n && !table->is_dormant) || out_init(&out, STDERR_FILENO) < 0)
		return;
	if (table->is_dormant)
		out_format(&out, "%s: our table is dormant and refuses nothing %s\n",
			   context->program, hint);
	else
		out_format(&out,
			   "%s: %u of the blocks of our table refuse nothing: somebody took its "
			   "rules away %s\n",
			   context->program, n, hint);
	out_flush(&out);
}

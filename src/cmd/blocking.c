/* What block, unblock and blocks have in common. */
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "cmd/blocking.h"
#include "view/json.h"

void blocking_init(struct blocking *blocking)
{
	*blocking = (struct blocking){.scope = {.choice = NETNS_SELF}};
	vector_init(&blocking->place.netns, sizeof(struct found_netns));
	vector_init(&blocking->wanted, sizeof(struct block));
	block_table_init(&blocking->table);
}

void blocking_done(struct blocking *blocking)
{
	block_table_done(&blocking->table);
	vector_done(&blocking->wanted);
	block_close(&blocking->place);
}

int blocking_open(struct context *context, const struct look *look, struct blocking *blocking,
		  struct error *err)
{
	int r = look_scope(look, &blocking->scope, err);
	if (r < 0)
		return r;
	if (blocking->scope.choice == NETNS_ALL) {
		error_text(err, -EINVAL, "--netns all: it works in one network namespace");
		error_hint(err, "self, a name or a pid");
		return -EINVAL;
	}
	return block_open(&context->host, &blocking->scope, &blocking->place, err);
}

int blocking_parse(struct context *context, char **arguments, const char *from,
		   struct blocking *blocking, struct error *err)
{
	struct block_end end;
	int r = block_parse_from(from, &end, err);
	for (; r >= 0 && *arguments; arguments++) {
		struct target target;
		r = target_parse(*arguments, look_services(context), &target, err);
		if (r >= 0)
			r = block_targets(&target, *arguments, &end, &blocking->wanted, err);
	}
	return r;
}

void blocking_envelope(struct out *out, const struct blocking *blocking)
{
	out_format(out, "\"schema\":\"" JSON_SCHEMA "\",\"netns\":%" PRIu64,
		   block_netns(&blocking->place)->inode);
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

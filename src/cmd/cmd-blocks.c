/* doorward blocks: what is blocked now, as the kernel has it. */
#include "base/privilege.h"
#include "cmd/blocking.h"
#include "cmd/tell.h"
#include "view/block.h"

struct settings {
	bool json;
	struct look look;
};

static const struct option options[] = {
	LOOK_JSON_OPTION(struct settings, json),
	BLOCKING_NETNS_OPTION(struct settings, look),
	{.kind = OPTION_END},
};

static void set_defaults(void *data)
{
	((struct settings *)data)->look.netns = "self";
}

static bool is_any_in_force(const struct block_table *table)
{
	for (uint32_t i = 0; i < table->blocks.n; i++)
		if (block_is_in_force(table, vector_at(&table->blocks, i)))
			return true;
	return false;
}

static int run(struct context *context, const void *data, char **arguments unused_argument,
	       struct error *err)
{
	const struct settings *settings = data;
	cleanup(blocking_done) struct blocking blocking;
	blocking_init(&blocking);
	int r = blocking_begin(context, &settings->look, &blocking, err);
	if (r >= 0)
		r = block_read(&blocking.place, &blocking.table, err);
	privilege_drop();
	if (r < 0)
		return r;
	if (settings->json) {
		blocks_document(&context->out, block_netns(&blocking.place)->inode,
				&blocking.table);
	} else {
		struct page page = tell_page(context);
		if (!blocks_print(&page, &blocking.table))
			dprintf(STDERR_FILENO, "%s: blocks: nothing is blocked here\n",
				context->program);
	}
	blocking_tell_idle(context, &blocking);
	return is_any_in_force(&blocking.table) ? EXIT_DONE : EXIT_NOTHING;
}

static const char *const examples[] = {
	"doorward blocks",
	"doorward blocks --json",
	NULL,
};

const struct command cmd_blocks = {
	.name = "blocks",
	.summary = N_("what is blocked now, as the kernel has it"),
	.options = options,
	.settings_size = sizeof(struct settings),
	.set_defaults = set_defaults,
	.capabilities = CAPS_BLOCK,
	.examples = examples,
	.run = run,
};

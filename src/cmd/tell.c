/* What the commands that tell of a port have in common. */
#include "cmd/tell.h"

struct page tell_page(struct context *context)
{
	return (struct page){
		.out = &context->out,
		.has_colour = context->has_colour,
		.is_utf8 = context->is_utf8,
		.columns = context->columns,
	};
}

void tell_free_snapshot(struct snapshot **snapshot)
{
	snapshot_free(*snapshot);
}

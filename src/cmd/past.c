/* What was, before what is. */
#include "cmd/archive.h"
#include "cmd/past.h"
#include "journal/replay.h"

static struct record_of record_of(const struct context *context)
{
	const struct archived *archived = context->archived;
	return (struct record_of){archived->history, archived->archive};
}

bool past_is_recorded(const struct context *context)
{
	const struct record_of of = record_of(context);
	return replay_is_recorded(&of);
}

int past_tell(struct watching *watching, uint64_t since_ns, struct error *err)
{
	const struct replay_wish wish = {.of = record_of(watching->context),
					 .filter = watching->filter,
					 .since_ns = since_ns,
					 .started = &watching->started,
					 .is_recorded = watching->has_record,
					 .stop = watching->context->stop};
	return replay_before(&wish, &watching->sink, err);
}

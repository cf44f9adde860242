/* What blocking and unblocking have in common. */
#include <errno.h>
#include <stdio.h>

#include "act/blocking.h"
#include "model/target.h"

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

int blocking_open(struct host *host, const struct netns_scope *scope, struct blocking *blocking,
		  struct error *err)
{
	blocking->scope = *scope;
	if (scope->choice == NETNS_ALL) {
		error_text(err, -EINVAL, "--netns all: it works in one network namespace");
		error_hint(err, "self, a name or a pid");
		return -EINVAL;
	}
	return block_open(host, &blocking->scope, &blocking->place, err);
}

static int parse_target(const struct services *services, const char *text,
			const struct block_end *from, struct blocking *blocking, struct error *err)
{
	struct target target;
	int r = target_parse(text, services, &target, err);
	return r < 0 ? r : block_targets(&target, text, from, &blocking->wanted, err);
}

int blocking_parse(const struct services *services, const struct blocking_request *request,
		   struct blocking *blocking, struct error *err)
{
	struct block_end from;
	const char *objection = request->reason ? block_reason_objection(request->reason) : NULL;
	if (objection)
		return error_text(err, -EINVAL, "--reason: %s", objection);
	int r = block_parse_from(request->from, &from, err);
	for (char *const *target = request->targets; r >= 0 && *target; target++)
		r = parse_target(services, *target, &from, blocking, err);
	for (uint32_t i = 0; r >= 0 && i < blocking->wanted.n; i++) {
		struct block *block = vector_at(&blocking->wanted, i);
		block->seconds = block->seconds_left = request->seconds;
		snprintf(block->reason, sizeof(block->reason), "%s",
			 request->reason ? request->reason : "");
	}
	return r;
}

/* Nobody locks himself out for good by mistake: with an end, or with --force. */
static int guard(const struct blocking_request *request, const struct blocking *blocking,
		 const struct session *session, struct error *err)
{
	if (request->is_forced || request->seconds || !cut_is_own_door(&blocking->wanted, session))
		return 0;
	error_text(err, -EPERM, "this session came in by port %u: the next would be refused",
		   session->server_port);
	error_hint(err, "with --for 10m it ends by itself; --force does it all the same");
	return -EPERM;
}

int blocking_add(struct host *host, const struct blocking_request *request,
		 struct blocking *blocking, struct cut *cut, struct error *err)
{
	struct session session = {.n = 0};
	session_read(host, &session);
	int r = guard(request, blocking, &session, err);
	if (r >= 0)
		r = block_add(&blocking->place, &blocking->wanted, &blocking->table, err);
	if (r >= 0 && request->cuts)
		r = cut_connections(host, &blocking->scope, block_netns(&blocking->place),
				    &blocking->wanted, &session, request->is_forced, cut, err);
	return r;
}

int blocking_life(uint64_t ms, uint64_t *ret, struct error *err)
{
	*ret = ms / 1000 + (ms % 1000 != 0);
	if (!*ret)
		return error_text(err, -EINVAL, "--for: no time at all blocks nothing");
	if (*ret > BLOCK_SECONDS_MAX)
		return error_text(err, -EINVAL, "--for: longer than ten years is without end");
	return 0;
}

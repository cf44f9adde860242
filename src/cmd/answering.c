/* One answer of `doorward why`. */
#include <errno.h>

#include "cmd/answering.h"
#include "view/diagnosis.h"

#define WHY_NEEDS (TELL_NEEDS | NEED_PARENTS)

void answering_init(struct answering *answering, struct context *context,
		    const struct question *question)
{
	*answering = (struct answering){.snapshot = NULL};
	diagnosis_init(&answering->diagnosis, question);
	vector_init(&answering->places, sizeof(struct found_netns));
	answering->inquiry.host = &context->host;
	answering->inquiry.destination = NONE;
	answering->inquiry.diagnosis = &answering->diagnosis;
}

void answering_done(struct answering *answering)
{
	diagnosis_done(&answering->diagnosis);
	snapshot_free(answering->snapshot);
	netns_list_done(&answering->places);
}

static int find_place(struct answering *answering, struct context *context, const struct look *look,
		      struct error *err)
{
	int r = look_place(context, look, &answering->places, err);
	if (r < 0)
		return r;
	answering->inquiry.place = vector_at(&answering->places, 0);
	return 0;
}

/* The namespace asked about, as the snapshot has it. */
static void place_question(struct answering *answering)
{
	const struct snapshot *snapshot = answering->snapshot;
	for (uint32_t i = 0; i < snapshot->netns.n; i++)
		if (snapshot_netns(snapshot, i)->inode == answering->inquiry.place->inode)
			answering->diagnosis.question.netns = i;
}

/* Any address: of both families where there are both. */
static void choose_any(struct answering *answering)
{
	struct question *question = &answering->diagnosis.question;
	const struct netns *netns = snapshot_netns(answering->snapshot, question->netns);
	if (!question->is_any_asked || question->attempt == ATTEMPT_CONNECT)
		return;
	question->is_v4 = true;
	for (uint32_t i = 0; netns && i < netns->n_addresses; i++)
		question->is_v4 &= netns->addresses[i].is_v4;
	question->address = question->is_v4 ? ip_from_v4((const uint8_t[4]){0})
					    : ip_from_v6((const uint8_t[16]){0});
}

int answering_collect(struct answering *answering, struct context *context, const struct look *look,
		      bool all_netns, struct error *err)
{
	const struct question *question = &answering->diagnosis.question;
	struct look where = *look;
	struct bounds bounds = BOUNDS_ALL;
	if (!where.netns)
		where.netns = "self";
	int r = find_place(answering, context, &where, err);
	where.asks_again = true;
	if (all_netns)
		where.netns = "all";
	bounds.protos = 1u << question->proto;
	bounds.port_first = bounds.port_last = question->port;
	if (r >= 0)
		r = look_collect(context, &where, NULL, bounds, WHY_NEEDS, &answering->snapshot,
				 err);
	if (r < 0)
		return r;
	answering->inquiry.snapshot = answering->snapshot;
	place_question(answering);
	choose_any(answering);
	return 0;
}

void answering_set_subject(struct answering *answering)
{
	struct question *question = &answering->diagnosis.question;
	const struct subject *subject = &answering->inquiry.subject;
	question->pid = subject->pid;
	question->uid = subject->uid;
	question->user = subject->user[0] ? subject->user : NULL;
}

int answering_json(const struct answering *answering, struct out *out, struct error *err)
{
	struct json_shape *shape = tell_shape(true);
	if (!shape)
		return error_set(err, -ENOMEM, "tell why");
	json_envelope(out, answering->snapshot);
	out_char(out, ',');
	diagnosis_json(out, shape, answering->snapshot, &answering->diagnosis);
	json_shape_free(shape);
	return 0;
}

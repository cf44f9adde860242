/* One answer of `doorward why`. */
#include <errno.h>

#include "why/answering.h"

#define WHY_NEEDS (STORY_NEEDS | NEED_PARENTS)

void answering_init(struct answering *answering, struct host *host, const struct question *question)
{
	*answering = (struct answering){.snapshot = NULL};
	diagnosis_init(&answering->diagnosis, question);
	vector_init(&answering->places, sizeof(struct found_netns));
	answering->inquiry.host = host;
	answering->inquiry.destination = NONE;
	answering->inquiry.diagnosis = &answering->diagnosis;
}

void answering_done(struct answering *answering)
{
	diagnosis_done(&answering->diagnosis);
	snapshot_free(answering->snapshot);
	netns_list_done(&answering->places);
}

static int find_place(struct answering *answering, const struct looking *looking, struct error *err)
{
	int r = netns_find(looking->host, &looking->scope, NULL, &answering->places, NULL, err);
	if (r >= 0 && !answering->places.n)
		r = error_set(err, -ENOENT, "find the network namespace");
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

int answering_collect(struct answering *answering, const struct looking *looking, bool all_netns,
		      struct error *err)
{
	const struct question *question = &answering->diagnosis.question;
	struct looking where = *looking;
	struct bounds bounds = BOUNDS_ALL;
	if (where.scope.choice == NETNS_ALL)
		where.scope.choice = NETNS_SELF;
	int r = find_place(answering, &where, err);
	if (all_netns)
		where.scope.choice = NETNS_ALL;
	bounds.protos = 1u << question->proto;
	bounds.port_first = bounds.port_last = question->port;
	if (r >= 0)
		r = collect_for(&where, NULL, bounds, WHY_NEEDS, &answering->snapshot, err);
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

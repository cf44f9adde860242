/* All that the story of a port is made of. */
#include "collect/blocks.h"
#include "collect/story.h"
#include "model/peers.h"
#include "source/hosts.h"
#include "source/timers.h"

void story_facts_init(struct story_facts *facts)
{
	*facts = (struct story_facts){.services = NULL};
	arena_init(&facts->arena);
	block_table_init(&facts->blocks);
	vector_init(&facts->peers, sizeof(struct peer_group));
	vector_init(&facts->timed, sizeof(const char *));
}

void story_facts_done(struct story_facts *facts)
{
	vector_done(&facts->timed);
	vector_done(&facts->peers);
	remarks_done(&facts->remarks);
	rows_done(&facts->rows);
	snapshot_free(facts->snapshot);
	filter_free(facts->filter);
	block_table_done(&facts->blocks);
	arena_done(&facts->arena);
}

int story_parse(const struct services *services, const char *text, struct story_facts *facts,
		struct error *err)
{
	facts->services = services;
	int r = target_parse(text, services, &facts->target, err);
	if (r < 0)
		return r;
	char filter[256];
	target_filter_text(&facts->target, filter, sizeof(filter));
	return filter_parse(filter, services, &facts->filter, err);
}

void story_read_blocks(const struct host *host, struct story_facts *facts)
{
	const struct found_netns here = {.fd = -1};
	if (host->is_live)
		blocks_read(&here, &facts->blocks);
}

int story_collect(const struct looking *looking, struct story_facts *facts, struct error *err)
{
	story_read_blocks(looking->host, facts);
	return collect_for(looking, facts->filter, BOUNDS_ALL, STORY_NEEDS_ALL, &facts->snapshot,
			   err);
}

/* The number is explained as it stands in the namespace of its sockets; ours where there are none.
 */
static const struct netns *place_of(const struct story_facts *facts)
{
	const struct netns *self = snapshot_own_netns(facts->snapshot, NULL);
	if (!facts->rows.n_sockets)
		return self;
	uint32_t first = snapshot_socket(facts->snapshot, facts->rows.order[0])->netns;
	return first == NONE ? self : snapshot_netns(facts->snapshot, first);
}

int story_work_out(struct host *host, struct story_facts *facts, struct error *err)
{
	const struct snapshot *snapshot = facts->snapshot;
	int r = host ? hosts_read(host, &facts->arena, &facts->hosts, err) : 0;
	if (r >= 0)
		r = rows_find(snapshot, facts->filter, &facts->rows, err);
	if (r < 0)
		return r;
	const struct netns *place = place_of(facts);
	facts->is_explained = facts->target.first == facts->target.last;
	if (facts->is_explained)
		explain_port(facts->target.first,
			     snapshot->services ? snapshot->services : facts->services, place,
			     &facts->explanation);
	r = peers_group(&facts->rows, &facts->peers);
	if (r >= 0)
		r = remarks_find(&facts->rows, facts->is_explained ? &facts->explanation : NULL,
				 snapshot->origin == ORIGIN_HOST ? &facts->hosts : NULL,
				 place && place->is_self ? &facts->blocks : NULL, &facts->remarks);
	if (r >= 0 && host)
		r = timers_find(host, snapshot, &facts->timed);
	return r < 0 ? error_set(err, r, "tell the story of the port") : 0;
}

int story_find(const struct looking *looking, const char *text, struct story_facts *facts,
	       struct error *err)
{
	int r = story_parse(looking->services, text, facts, err);
	if (r >= 0)
		r = story_collect(looking, facts, err);
	return r < 0 ? r : story_work_out(looking->host, facts, err);
}

/* An answer of history. */
#include <string.h>

#include "model/interval.h"

const char *const door_change_words[DOOR_CHANGE_MAX + 1] = {"new", "gone", "public", "holder"};

void remembered_init(struct remembered *remembered)
{
	*remembered = (struct remembered){.snapshot = NULL};
	vector_init(&remembered->intervals, sizeof(struct interval));
	vector_init(&remembered->events, sizeof(struct event));
	vector_init(&remembered->gaps, sizeof(struct gap));
	vector_init(&remembered->jumps, sizeof(struct clock_jump));
	vector_init(&remembered->changes, sizeof(struct door_change));
	vector_init(&remembered->firsts, sizeof(struct first_seen));
	vector_init(&remembered->idle, sizeof(struct idle_door));
}

void remembered_done(struct remembered *remembered)
{
	struct vector *vectors[] = {
		&remembered->intervals, &remembered->events, &remembered->gaps, &remembered->jumps,
		&remembered->changes,	&remembered->firsts, &remembered->idle};
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		vector_done(vectors[i]);
	snapshot_free(remembered->snapshot);
	remembered->snapshot = NULL;
}

/* One answer of `doorward why`: where it is looked for, and how it is told. */
#ifndef WHY_ANSWERING_H
#define WHY_ANSWERING_H

#include "collect/story.h"
#include "why/why.h"

struct answering {
	struct inquiry inquiry;
	struct diagnosis diagnosis;
	struct snapshot *snapshot;
	struct vector places; /* struct found_netns */
};

void answering_init(struct answering *answering, struct host *host,
		    const struct question *question);
void answering_done(struct answering *answering);

/* The sockets of the question's port in the one namespace of @looking (all: our own), which becomes
 * the inquiry's place;
 * @all_netns: those of the others too. 0 or negative errno with @err told. */
int answering_collect(struct answering *answering, const struct looking *looking, bool all_netns,
		      struct error *err);

/* Makes the subject's uid and process those of the question, once it is known. */
void answering_set_subject(struct answering *answering);

#endif

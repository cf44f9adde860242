/* One answer of `doorward why`: where it is looked for, and how it is told. */
#ifndef CMD_ANSWERING_H
#define CMD_ANSWERING_H

#include "cmd/tell.h"
#include "why/why.h"

struct answering {
	struct inquiry inquiry;
	struct diagnosis diagnosis;
	struct snapshot *snapshot;
	struct vector places; /* struct found_netns */
};

void answering_init(struct answering *answering, struct context *context,
		    const struct question *question);
void answering_done(struct answering *answering);

/* The sockets of the question's port in the namespace that @look names, which becomes the inquiry's
 * place;
 * @all_netns: those of the others too. The capabilities stay. 0 or negative errno with @err told.
 */
int answering_collect(struct answering *answering, struct context *context, const struct look *look,
		      bool all_netns, struct error *err);

/* Makes the subject's uid and process those of the question, once it is known. */
void answering_set_subject(struct answering *answering);

/* As JSON without braces around. -ENOMEM with @err told. */
int answering_json(const struct answering *answering, struct out *out, struct error *err);

#endif

/* The whole story of a port on one screen, and as JSON. */
#ifndef VIEW_STORY_H
#define VIEW_STORY_H

#include "model/explanation.h"
#include "model/peers.h"
#include "model/remarks.h"
#include "view/page.h"

struct story {
	const char *target;		       /* as typed */
	const struct rows *rows;	       /* its sockets, in the default order, not grouped */
	const struct explanation *explanation; /* NULL: several ports */
	const struct remarks *remarks;
	const struct vector *peers; /* struct peer_group */
	const char *const *timed;   /* units that a timer starts, NULL ends; may be NULL */
};

void story_print(const struct page *page, const struct story *story);
/* The whole object, with the sockets. 0 or -ENOMEM. */
int story_document(struct out *out, const struct story *story);

#endif

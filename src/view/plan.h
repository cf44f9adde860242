/* What closing will do, and how it ended: as prose and as JSON, in the same words. */
#ifndef VIEW_PLAN_H
#define VIEW_PLAN_H

#include "model/plan.h"
#include "model/snapshot.h"
#include "view/page.h"

/* Before anything is done. */
void plan_print(const struct page *page, const struct plan *plan);
/* Afterwards. */
void plan_print_outcome(const struct page *page, const struct plan *plan);

/* The whole object; @is_done: it was acted upon. */
void plan_document(struct out *out, const struct snapshot *snapshot, const struct plan *plan,
		   bool is_done);

#endif

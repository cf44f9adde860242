/* Why a port cannot be had, as prose and as JSON. */
#ifndef VIEW_DIAGNOSIS_H
#define VIEW_DIAGNOSIS_H

#include "model/diagnosis.h"
#include "view/json.h"
#include "view/page.h"

void diagnosis_print(const struct page *page, const struct snapshot *snapshot,
		     const struct diagnosis *diagnosis);

/* The whole object, without the braces around. -ENOMEM. */
int diagnosis_document(struct out *out, const struct snapshot *snapshot,
		       const struct diagnosis *diagnosis);

#endif

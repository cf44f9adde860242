/* What a snapshot lacks, in words. */
#ifndef VIEW_MISSING_H
#define VIEW_MISSING_H

#include "base/out.h"
#include "model/snapshot.h"

/* "3 sockets belong to processes that may not be inspected: run it with sudo; ..." in one line
 * without its end; nothing where nothing lacks. */
void missing_text(struct out *out, const struct snapshot *snapshot);
/* The same of a list of struct missing. */
void missing_list_text(struct out *out, const struct vector *list);

#endif

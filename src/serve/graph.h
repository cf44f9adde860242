/* Who talks to whom. */
#ifndef SERVE_GRAPH_H
#define SERVE_GRAPH_H

#include "base/out.h"
#include "model/filter.h"

#define GRAPH_NODES_MAX 200

/* {"nodes":[...],"edges":[...],"left_off":0} of the connections that match. 0 or -ENOMEM. */
int graph_print(struct out *out, const struct snapshot *snapshot, const struct filter *filter);

#endif

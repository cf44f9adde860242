/* What nobody seems to hold is looked at again: a connection that was opened or closed under way
 * only seems so. */
#ifndef COLLECT_AGAIN_H
#define COLLECT_AGAIN_H

#include "collect/join.h"

/* Connections, and sockets that are not TCP's, with an inode and without a holder: their holders
 * are looked for once more where that costs one pass (@with_bpf). Each connection that is still
 * without one is asked for: what has ended meanwhile is left out, or nobody's. 0 or negative errno.
 */
int again_look(struct host *host, struct join *join, const struct vector *found, bool with_bpf);

#endif

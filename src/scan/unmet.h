/* Which rules of this host's packet filter a stranger does not meet who came in by a link of his
 * own.
 */
#ifndef SCAN_UNMET_H
#define SCAN_UNMET_H

#include "model/scan.h"

/* Notes them in @scan: those that name another interface than lo and @link. In the namespace that
 * is looked at; needs CAP_NET_ADMIN. 0 or -ENOMEM. */
int unmet_note(struct scan *scan, const char *link);

#endif

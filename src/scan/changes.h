/* What has changed since a scan that was saved. */
#ifndef SCAN_CHANGES_H
#define SCAN_CHANGES_H

#include "model/scan.h"

/* Fills scan->changes with what is another than in @old: states of doors, and of those that are
 * open what stands behind them. What either does not know is passed over. 0 or -ENOMEM. */
int scan_changes(const struct scan *old, struct scan *scan);

#endif

/* One job, within what the tables of who scans have room for: neighbours and connection tracking.
 */
#ifndef SCAN_TABLES_H
#define SCAN_TABLES_H

#include "scan/job.h"
#include "scan/scan.h"

/* By packets of our own; else TCP is asked by connect(). */
bool tables_is_syn(const struct scan_request *request, const struct job *job);

/* Looks who is there, then runs the job by the method that was asked for, so many hosts and doors
 * at a time that half of each table stays free. What it did for that is noted in @scan. 0 or
 * negative errno with @err told. */
int tables_run(const struct scan_request *request, struct job *job, struct scan *scan,
	       struct error *err);

#endif

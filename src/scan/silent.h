/* Addresses on our own link that nobody has: told as that, not as a firewall. */
#ifndef SCAN_SILENT_H
#define SCAN_SILENT_H

#include <stdio.h>

#include "scan/job.h"

/* Marks what is silent at targets that the kernel's table of neighbours has no link address for.
 * @file: /proc/net/arp of the place that was scanned from (arp(7)). */
void silent_mark(const struct job *job, FILE *file);

#endif

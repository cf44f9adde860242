/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the disk is told, kept in the order in which it is: so a test can say what a loss of power
 * would have left. */
#ifndef TESTS_POWER_H
#define TESTS_POWER_H

#include <stdint.h>

/* Each write to a file, each change of its length and each wait for the disk goes to @path from now
 * on; a record is a struct power_record and, of a write, its bytes. */
void power_start(const char *path);
void power_at(uint64_t uptime_ns); /* what the records say of the time */

struct power_record {
	char kind[8]; /* "write", "length", "sync" */
	uint64_t inode, at, n, uptime_ns;
};

#endif

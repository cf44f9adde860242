/* The record of what was, opened for reading. */
#ifndef JOURNAL_RECORD_OF_H
#define JOURNAL_RECORD_OF_H

#include "history/history.h"

/* One thread at a time asks it. */
struct record_of {
	const struct history *history; /* NULL: there is none */
	struct archive *archive;
};

/* @path NULL: HISTORY_PATH. 0, or negative errno with @err told, and how to begin one. */
int record_open(const char *path, struct record_of *ret, struct error *err);
/* The same in a thread that has rights which the caller of the program may not have: they are laid
 * aside while the file is opened. */
int record_open_as_caller(const char *path, struct record_of *ret, struct error *err);
void record_close(struct record_of *of); /* none is fine */

#endif

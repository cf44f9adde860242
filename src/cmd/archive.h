/* The record of what was, for every command that asks it: where it lies, and who may read it. */
#ifndef CMD_ARCHIVE_H
#define CMD_ARCHIVE_H

#include <linux/capability.h>

#include "base/privilege.h"
#include "cmd/command.h"
#include "history/history.h"

/* Of a command that asks one: context->archived. */
struct archived {
	const struct history *history;
	struct archive *archive;
};

#define ARCHIVE_DB_OPTION(settings, member)                                          \
	{                                                                            \
		.kind = OPTION_TEXT, .name = "db", .at = offsetof(settings, member), \
		.argument = "FILE",                                                  \
		.help = N_("the record of doorward record; else " HISTORY_PATH),     \
		.completes = "file"                                                  \
	}

/* What root keeps while it asks: the folder is another's, and root is nobody there without it. */
#define ARCHIVE_CAPS CAP(DAC_READ_SEARCH)

/* Opens it for reading (@path NULL: HISTORY_PATH). To be called while the rights are still the
 * caller's (command.prepare): the file is opened as the caller could. 0, or negative errno with
 * @err told, and how to begin one. */
int archive_open(struct context *context, const char *path, struct error *err);
/* At the end of the program; where none is open nothing is done. */
void archive_close(struct context *context);

/* @text as a moment of now and here, which may not lie ahead where @is_past; @option names it in
 * the message. 0, or -EINVAL with @err told. */
int archive_moment(const char *option, const char *text, bool is_past, uint64_t *ret_ns,
		   struct error *err);

#endif

/* `doorward why -- COMMAND...`: it runs, and each of its calls that fails is explained. */
#ifndef CMD_WHY_COMMAND_H
#define CMD_WHY_COMMAND_H

#include "cmd/look.h"
#include "why/answering.h"
#include "why/launch.h"

/* answering_collect in the one namespace that @look names; NULL: our own. 0 or negative errno with
 * @err told. */
int why_collect(struct context *context, const struct look *look, struct answering *answering,
		bool all_netns, struct error *err);

/* Lets the launched command @arguments go and tells of it: on stderr, or with @is_json on stdout as
 * one object. The command's own exit status, 128 + N for one that signal N ended; negative errno
 * with @err told.
 */
int why_command(struct context *context, const struct look *look, struct launch *launch,
		char **arguments, bool is_json, struct error *err);

#endif

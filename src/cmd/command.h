/* A command as its descriptor: dispatch, --help, completion and the manual come from it. */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include "base/arena.h"
#include "base/error.h"
#include "base/options.h"
#include "base/out.h"
#include "base/stop.h"
#include "model/services.h"
#include "source/host.h"

/* Exit statuses (docs/architecture.md). */
enum { EXIT_DONE = 0, EXIT_NOTHING = 1, EXIT_USAGE = 2, EXIT_REFUSED = 3 };

struct archived;
struct context {
	struct host host;
	struct out out; /* stdout; flushed by main, whose failure is exit 3 */
	const struct stop *stop;
	bool ends_by_stop; /* a watch: being stopped is its end, no failure */
	bool is_terminal, has_colour, is_utf8;
	unsigned columns, rows;		 /* of the terminal; columns 0: no limit */
	const char *program;		 /* the name that messages begin with */
	struct arena arena;		 /* for what lives as long as the program */
	const struct services *services; /* of this host, read at first use (look_services) */
	struct archived *archived;	 /* cmd/archive.h; NULL: none was opened */
};

#define ARGUMENTS_ANY UINT32_MAX

struct command {
	const char *name, *summary, *arguments; /* "show", one line, "TARGET" */
	unsigned min, max;			/* arguments */
	const struct option *options;
	size_t settings_size; /* zeroed, then defaults are set by set_defaults, then options fill it
			       */
	void (*set_defaults)(void *settings);
	uint64_t capabilities;	     /* kept at the start; the rest goes */
	bool stop_at_first;	     /* options end at the first argument */
	const char *const *examples; /* lines for the help's end, NULL ends */
	/* Called before the rights go that are not its own; may be NULL. 0, or negative errno with
	 * @err told. */
	int (*prepare)(struct context *context, void *settings, char **arguments,
		       struct error *err);
	/* An exit status, or negative errno with @err told (-EINVAL: 2, others: 3). */
	int (*run)(struct context *context, const void *settings, char **arguments,
		   struct error *err);
};

extern const struct command *const commands[]; /* of cmd/commands.c, NULL ends */
const struct command *command_find(const char *name);

#endif

/* What blocking and unblocking have in common, of the commands, the screen and the page: from what
 * is asked for to what the kernel has then. */
#ifndef ACT_BLOCKING_H
#define ACT_BLOCKING_H

#include "act/block.h"
#include "act/cut.h"
#include "collect/collect.h"

/* What entering a namespace and writing to its packet filter need. */
#define CAPS_BLOCK CAPS_SEE

struct blocking {
	struct netns_scope scope;
	struct block_place place;
	struct block_table table;
	struct vector wanted; /* struct block */
};

struct blocking_request {
	char *const *targets; /* as typed, NULL ends */
	const char *from;     /* "outside", a network; NULL: from anywhere */
	const char *reason;   /* may be NULL */
	uint64_t seconds;     /* 0: without end */
	bool cuts, is_forced;
};

void blocking_init(struct blocking *blocking);
void blocking_done(struct blocking *blocking);

/* The one namespace of @scope, and its packet filter. 0 or negative errno with @err told. */
int blocking_open(struct host *host, const struct netns_scope *scope, struct blocking *blocking,
		  struct error *err);

/* Targets and from where as blocks that are wanted. 0, or -EINVAL with @err told. */
int blocking_parse(const struct services *services, const struct blocking_request *request,
		   struct blocking *blocking, struct error *err);

/* Parsed and opened before: all of the wanted stand afterwards, and connections are cut where that
 * was asked for. Nobody locks himself out for good by mistake (-EPERM). 0 or negative errno with
 * @err told. */
int blocking_add(struct host *host, const struct blocking_request *request,
		 struct blocking *blocking, struct cut *cut, struct error *err);

/* How long a block lasts, in whole seconds as the kernel's listing has them. 0, or -EINVAL with
 * @err told: no time at all, or too long. */
int blocking_life(uint64_t ms, uint64_t *ret, struct error *err);

#endif

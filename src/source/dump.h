/* The sockets of one network namespace as the kernel lists them: through sock_diag, and through
 * /proc/net for the families that it lacks there. A dump under churn loses and doubles sockets
 * without saying so: it adds to what is known, it is never the list on which the rest is joined. */
#ifndef SOURCE_DUMP_H
#define SOURCE_DUMP_H

#include "source/netns.h"

/* What @query's bounds want, to @sink. A namespace that may not be entered gives nothing: it was
 * told by netns_find(). 0 or negative errno with @err told. */
int dump_read(struct host *host, const struct found_netns *place, const struct query *query,
	      struct sink *sink, struct error *err);

/* The same, but for tcp_info, in a thread of its own and kept until it is asked for. All arguments
 * are borrowed till then. NULL: no memory. */
struct dump *dump_start(struct host *host, const struct found_netns *place,
			const struct query *query);
/* Waits for it and frees it. @sink NULL: what it found is not wanted any more. */
int dump_finish(struct dump *dump, struct sink *sink, struct error *err);

#endif

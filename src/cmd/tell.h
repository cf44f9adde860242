/* What the commands that tell of a port have in common: the page, the rows, the shape of JSON. */
#ifndef CMD_TELL_H
#define CMD_TELL_H

#include "cmd/look.h"
#include "model/rows.h"
#include "view/json.h"
#include "view/page.h"

/* What a story needs to know of sockets and their holders: all that JSON has of them. */
#define TELL_NEEDS                                                                         \
	(NEED_ADDRESSES | NEED_HOLDERS | NEED_STAT | NEED_EXE | NEED_CMDLINE | NEED_CWD |  \
	 NEED_UID | NEED_CGROUP | NEED_USERS | NEED_SERVICES | NEED_COOKIE | NEED_V6ONLY | \
	 NEED_NETNS_NAMES | NEED_ANSWERS)

/* All that match @filter, in the default order. @ret is freed by rows_done. 0 or negative errno
 * with
 * @err told. */
int tell_rows(const struct snapshot *snapshot, const struct filter *filter, struct rows *ret,
	      struct error *err);

/* The page of a command's output. */
struct page tell_page(struct context *context);

/* What every JSON has of a socket; @has_parents: and who started its holders. NULL: no memory. */
struct json_shape *tell_shape(bool has_parents);

/* The namespace that the program runs in; NULL where it is not in the snapshot. Its index in
 * *@index (may be NULL). */
const struct netns *tell_netns_self(const struct snapshot *snapshot, uint32_t *index);

/* For cleanup(). */
void tell_free_snapshot(struct snapshot **snapshot);

#endif

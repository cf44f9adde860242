/* What the commands that tell of a port have in common: the page. */
#ifndef CMD_TELL_H
#define CMD_TELL_H

#include "cmd/look.h"
#include "collect/story.h"
#include "model/rows.h"
#include "view/json.h"
#include "view/page.h"

/* The page of a command's output. */
struct page tell_page(struct context *context);

/* For cleanup(). */
void tell_free_snapshot(struct snapshot **snapshot);

#endif

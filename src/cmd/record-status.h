/* How a recording fares, and what there is. */
#ifndef CMD_RECORD_STATUS_H
#define CMD_RECORD_STATUS_H

#include "history/history.h"
#include "model/calendar.h"
#include "view/page.h"

void record_status_print(const struct page *page, const char *path,
			 const struct history_status *status, const struct zone *zone);
void record_status_json(struct out *out, const char *path, const struct history_status *status);

#endif

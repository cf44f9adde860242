/* The summary of a watch. */
#ifndef VIEW_SUMMARY_H
#define VIEW_SUMMARY_H

#include "base/out.h"
#include "model/summary.h"

/* For a person: the most frequent of each. */
void summary_text(struct out *out, struct summary *summary, uint64_t seconds);
/* {"summary":true,"duration":...,"events":{...},"ports":[{"port":...,"count":...}],...} */
void summary_json(struct out *out, struct summary *summary, uint64_t seconds);

#endif

/* What many events come to: how many of each kind, by port, by process, by peer. */
#ifndef MODEL_SUMMARY_H
#define MODEL_SUMMARY_H

#include "model/event.h"

enum summary_by { SUMMARY_PORT, SUMMARY_PROCESS, SUMMARY_PEER, SUMMARY_MAX };
extern const char *const summary_words[SUMMARY_MAX + 1]; /* "ports", "processes", "peers" */

#define SUMMARY_MOST 4096     /* lines of each; what comes beyond them is counted together */
#define SUMMARY_LABEL_MAX 128 /* "tcp/443", "nginx", "10.0.0.1", with NUL */

struct summary_line {
	uint64_t count;
	char label[SUMMARY_LABEL_MAX]; /* foreign text */
};

struct summary;
struct summary *summary_new(void); /* NULL: no memory */
void summary_free(struct summary *summary);

void summary_event(struct summary *summary, const struct event *event);

uint64_t summary_kind(const struct summary *summary, enum event_kind kind);
/* The lines of one, most first; *@ret_others: events that found no place. Sorts them. */
const struct summary_line *summary_lines(struct summary *summary, enum summary_by by, uint32_t *n,
					 uint64_t *ret_others);

#endif

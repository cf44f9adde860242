/* The functions of the module that record. Only for src/history/. */
#ifndef HISTORY_RECORD_H
#define HISTORY_RECORD_H

#include "history/history.h"

int record_open(const struct recorder_wish *wish, struct recorder **ret, struct error *err);
struct event_sink *record_sink(struct recorder *recorder);
int record_turn(struct recorder *recorder, uint64_t time_ns, uint64_t uptime_ns, struct error *err);
int record_due(const struct recorder *recorder, uint64_t uptime_ns);
void record_state(const struct recorder *recorder, struct recorder_state *ret);
int record_stop(struct recorder *recorder, uint64_t time_ns, uint64_t uptime_ns, struct error *err);

#endif

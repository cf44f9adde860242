/* A BPF iterator run once: from the descriptor of its program to its last byte. */
#ifndef SOURCE_BPF_PASS_H
#define SOURCE_BPF_PASS_H

#include "base/vector.h"
#include "source/source.h"

/* Whether BPF can work for this caller at all; told in @ret. False: ret->reason says why. */
bool pass_possible(const struct host *host, struct facility *ret);

/* Attaches program @fd, reads all that it writes, hands it to record_parse. 0 or negative errno. */
int pass_run(int fd, struct sink *sink, struct vector *rings, const struct stop *stop);

#endif

/* A BPF iterator run once: from the descriptor of its program to its last byte. */
#ifndef SOURCE_BPF_PASS_H
#define SOURCE_BPF_PASS_H

#include "base/vector.h"
#include "source/source.h"

/* Whether BPF can work for this caller at all; told in @ret. False: ret->reason says why. */
bool pass_possible(const struct host *host, struct facility *ret);

/* Attaches program @fd and gives all that it writes to @each, whole records at a time. 0, negative errno, or what @each
 * said. */
int pass_run(int fd, int (*each)(void *data, const void *bytes, size_t n), void *data, const struct stop *stop);

#endif

/* A BPF iterator run once: from the descriptor of its program to its last byte. */
#ifndef SOURCE_BPF_PASS_H
#define SOURCE_BPF_PASS_H

#include <stdint.h>
#include <sys/types.h>

#include "source/source.h"

/* Whether BPF can work for this caller at all; told in @ret. False: ret->reason says why. */
bool pass_possible(const struct host *host, struct facility *ret);

/* What a program's loading came to, told in @ret: it works, or the kernel refuses it, and why. */
void pass_loaded(int result, struct facility *ret);

/* Takes what it can of @bytes, from the first record on, and says how many bytes that was: a record
 * at the end may have come only in part. Negative errno ends the pass. */
typedef ssize_t pass_take(void *data, const void *bytes, size_t n);

/* Attaches the program and gives all that it writes to @take. 0, negative errno, or what @take
 * said; -EBADMSG where the last record has no end. */
int pass_run(int program, pass_take *take, void *data, const struct stop *stop);

/* Loads a program and gives its descriptor, or negative errno. */
typedef int pass_load(void *data);

/* A pass whose program is loaded by a thread of its own, which then reads some buffers ahead: worth
 * it for many records, or where there is other work meanwhile. @data and @stop stay until the end.
 * NULL: no memory. */
struct pass;
struct pass *pass_start(pass_load *load, void *data, const struct stop *stop);

/* As pass_run(); @take is called in this thread. The pass is gone in either case. */
int pass_finish(struct pass *pass, pass_take *take, void *data, bool *ret_is_loaded);
void pass_abandon(struct pass *pass);

#endif

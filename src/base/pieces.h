/* Output that is made in pieces by two threads and written in their order. */
#ifndef BASE_PIECES_H
#define BASE_PIECES_H

#include "base/out.h"

#define PIECES_WORKERS 2

/* Makes piece @index into @out. What it changes must be @worker's own (0 or 1). */
typedef void piece_make(void *data, unsigned worker, struct out *out, uint32_t index);

/* Makes pieces 0 to @n - 1 and writes them to @out in order; the caller is worker 0. Where there is
 * no second processor, or one piece, it does all. An error of @out ends it. */
void pieces_write(struct out *out, uint32_t n, piece_make *make, void *data);

#endif

/* Rows of many sockets chosen again and again: their order is worked out once. */
#ifndef MODEL_ROWS_USUAL_H
#define MODEL_ROWS_USUAL_H

#include "model/rows.h"

/* As rows_select and rows_sort without a field, from @usual: all sockets of the snapshot in that
 * order. Nothing is sorted, and no more memory taken than what matches needs. 0 or -ENOMEM. */
int rows_select_usual(const struct rows *usual, const struct filter *filter, struct rows *ret);

/* The memory that they have. */
size_t rows_size(const struct rows *rows);

#endif

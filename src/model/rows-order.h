/* Rows in an order that somebody chose. Only for rows.c and rows-order.c. */
#ifndef MODEL_ROWS_ORDER_H
#define MODEL_ROWS_ORDER_H

#include "model/rows.h"

/* The first holder of a socket is whose fields it is ordered by. */
void rows_first_record(const struct snapshot *snapshot, uint32_t socket, struct record *ret);

/* Of rows that are in the usual order, which those keep that are equal. 0, -ENOMEM, or -EOPNOTSUPP
 * where values of one field are of different kinds: the rows are in no order then. */
int rows_order_by(struct rows *rows, const struct field *const *by, const bool *descending);

#endif

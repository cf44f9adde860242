/* The values of rows that unite very many sockets, for who shows them again and again. */
#ifndef MODEL_ROWS_SOME_H
#define MODEL_ROWS_SOME_H

#include "model/rows.h"

/* As rows_values, but where a row has more than @most sockets (0: no bound) it looks at a fourth of
 * @most for lists, and at no more once more than 32 different values are found, and for sums at
 * none. *@ret_all: it looked at all. */
uint32_t rows_values_some(const struct rows *rows, uint32_t row, const struct field *field,
			  uint32_t most, bool *ret_all,
			  int (*each)(void *data, const struct value *value, uint32_t times),
			  void *data);

#endif

/* Rows chosen from an order that is known. */
#include <errno.h>
#include <stdlib.h>

#include "base/attributes.h"
#include "model/rows-usual.h"

/* Sockets are looked at as they lie in memory, and only their bits in the usual order: the other
 * way round each look would wait for memory. */
int rows_select_usual(const struct rows *usual, const struct filter *filter, struct rows *ret)
{
	const struct snapshot *snapshot = usual->snapshot;
	uint32_t n = 0;
	cleanup(freep) uint8_t *matches = calloc(snapshot->sockets.n / 8 + 1u, 1);
	*ret = (struct rows){.snapshot = snapshot, .is_usual = true};
	if (!matches)
		return -ENOMEM;
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		if (!filter_match(filter, snapshot, i))
			continue;
		matches[i / 8] |= (uint8_t)(1u << i % 8);
		n++;
	}
	ret->order = malloc((n + 1u) * sizeof(*ret->order));
	if (!ret->order)
		return -ENOMEM;
	for (uint32_t i = 0; i < usual->n_sockets; i++) {
		uint32_t socket = usual->order[i];
		if (matches[socket / 8] >> socket % 8 & 1)
			ret->order[ret->n_sockets++] = socket;
	}
	ret->n_rows = ret->n_sockets;
	return 0;
}

size_t rows_size(const struct rows *rows)
{
	size_t n = rows->order ? rows->n_sockets + 1u : 0;
	return (n + (rows->start ? rows->n_rows + 2u : 0)) * sizeof(*rows->order);
}

/* How much goes over each TCP connection of a snapshot. */
#include <errno.h>
#include <stdlib.h>

#include "model/flows.h"

struct flow {
	uint32_t socket;
	struct rate rate;
};

struct flows {
	struct vector list; /* struct flow, by socket: those over which something goes */
	uint32_t n;
	uint64_t known[]; /* a bit for each socket */
};

struct flows *flows_new(uint32_t n_sockets)
{
	struct flows *flows =
		calloc(1, sizeof(*flows) + (n_sockets / 64 + 1u) * sizeof(flows->known[0]));
	if (!flows)
		return NULL;
	vector_init(&flows->list, sizeof(struct flow));
	flows->n = n_sockets;
	return flows;
}

void flows_free(struct flows *flows)
{
	if (!flows)
		return;
	vector_done(&flows->list);
	free(flows);
}

size_t flows_size(const struct flows *flows)
{
	return flows ? sizeof(*flows) + flows->n / 8 +
			       (size_t)flows->list.capacity * flows->list.size
		     : 0;
}

int flows_put(struct flows *flows, uint32_t socket, const struct rate *rate)
{
	flows->known[socket / 64] |= UINT64_C(1) << socket % 64;
	if (!rate->in && !rate->out)
		return 0;
	struct flow *flow = vector_add(&flows->list);
	if (!flow)
		return -ENOMEM;
	*flow = (struct flow){socket, *rate};
	return 0;
}

struct rate flows_get(const struct flows *flows, uint32_t socket)
{
	if (!flows || socket >= flows->n || !(flows->known[socket / 64] >> socket % 64 & 1))
		return (struct rate){RATE_UNKNOWN, RATE_UNKNOWN};
	const struct flow *list = flows->list.data;
	uint32_t low = 0, high = flows->list.n;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (list[middle].socket == socket)
			return list[middle].rate;
		if (list[middle].socket < socket)
			low = middle + 1;
		else
			high = middle;
	}
	return (struct rate){0, 0};
}

bool flows_find(const struct flows *flows, uint32_t socket, struct rate *ret)
{
	*ret = flows_get(flows, socket);
	return ret->in != RATE_UNKNOWN;
}

bool rate_between(const struct byte_counts *was, const struct byte_counts *is, double seconds,
		  struct rate *ret)
{
	if (!(seconds > 0) || is->received < was->received || is->acked < was->acked)
		return false;
	*ret = (struct rate){.in = (uint64_t)((double)(is->received - was->received) / seconds),
			     .out = (uint64_t)((double)(is->acked - was->acked) / seconds)};
	return true;
}

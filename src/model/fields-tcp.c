/* The fields of a TCP connection that are collected on request (tcp_info, tcp(7)). */
#include "model/fields.h"
#include "model/get.h"

static const struct tcp_info_part *info_of(const struct record *record)
{
	uint32_t index = record->socket->tcp_info;
	return index == NONE ? NULL : vector_at(&record->snapshot->tcp_infos, index);
}

#define GETTER(name, expression)                                               \
	static void get_##name(const struct record *record, struct value *ret) \
	{                                                                      \
		const struct tcp_info_part *info = info_of(record);            \
		if (info)                                                      \
			set_uint(ret, expression);                             \
		else                                                           \
			set_null(ret);                                         \
	}

GETTER(rtt, info->rtt)
GETTER(rtt_variance, info->rtt_variance)
GETTER(cwnd, info->cwnd)
GETTER(retransmits, info->retransmits)
GETTER(bytes_acked, info->bytes_acked)
GETTER(last_activity, info->last_data_sent < info->last_data_received ? info->last_data_sent
								      : info->last_data_received)

/* An event tells what its connection got; a listing what the kernel counts so far. */
static void get_bytes_received(const struct record *record, struct value *ret)
{
	const struct tcp_info_part *info = record->event ? NULL : info_of(record);
	if (info)
		set_uint(ret, info->bytes_received);
	else if (record->event && record->event->bytes_received != EVENT_UNKNOWN)
		set_uint(ret, record->event->bytes_received);
	else
		set_null(ret);
}

static void set_rate(struct value *ret, uint64_t rate)
{
	if (rate == RATE_UNKNOWN)
		set_null(ret);
	else
		set_uint(ret, rate);
}

static void get_rate_in(const struct record *record, struct value *ret)
{
	set_rate(ret, flows_get(record->snapshot->flows, record->index).in);
}

static void get_rate_out(const struct record *record, struct value *ret)
{
	set_rate(ret, flows_get(record->snapshot->flows, record->index).out);
}

#define RATE(name, title, help)                                                          \
	{                                                                                \
#name, #name, title, help, get_##name, NULL, NULL, NEED_RATE, OF_SOCKET, \
			MERGE_SUM, 8, FIELD_ON_REQUEST | FIELD_RIGHT, VALUE_UINT         \
	}

#define ON_REQUEST(name, title, help)                                                        \
	{                                                                                    \
#name, #name, title, help, get_##name, NULL, NULL, NEED_TCP_INFO, OF_SOCKET, \
			MERGE_LIST, 6, FIELD_ON_REQUEST | FIELD_RIGHT, VALUE_UINT            \
	}

const struct field fields_tcp[] = {
	ON_REQUEST(rtt, N_("RTT"), N_("smoothed round-trip time, microseconds")),
	ON_REQUEST(rtt_variance, N_("RTTVAR"), N_("its variance, microseconds")),
	ON_REQUEST(cwnd, N_("CWND"), N_("congestion window, segments")),
	ON_REQUEST(retransmits, N_("RETRANS"), N_("segments sent again, in all")),
	ON_REQUEST(bytes_acked, N_("ACKED"), N_("bytes that the peer acknowledged")),
	ON_REQUEST(bytes_received, N_("RECEIVED"),
		   N_("bytes that came; of an event those of its connection, payload alone")),
	ON_REQUEST(last_activity, N_("IDLE"), N_("milliseconds since data was sent or received")),
	RATE(rate_in, N_("IN/S"), N_("bytes a second that come; where it is shown live")),
	RATE(rate_out, N_("OUT/S"), N_("bytes a second that the peer acknowledges; the same")),
	{0},
};

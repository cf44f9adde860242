/* What a scan found, sorted into what is told by itself and what is counted. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/format.h"
#include "model/scan.h"

/* A group as small as this is told door by door. */
#define SMALL_GROUP 10
/* Of so many doors nearly all open: a proxy or middlebox that answers everything alike. */
#define ALIKE_AT_LEAST 1000

const char *const door_words[DOOR_MAX + 1] = {"unknown",       "open",	     "closed", "filtered",
					      "open|filtered", "unfiltered", NULL};
const char *const because_words[BECAUSE_MAX + 1] = {
	"not asked",   "syn-ack",      "rst",	       "icmp",
	"time-out",    "icmp-limited", "self-connect", "udp-response",
	"no-response", "refused-here", "no-route",     "host-silent",
	"broken-off",  "init-ack",     "abort",	       NULL};
const char *const verdict_words[VERDICT_MAX + 1] = {
	"", "expected", "not-in-table", "not-reachable", "other-service", NULL};
const char *const scan_field_words[CHANGE_MAX + 1] = {
	"state",       "service", "product",   "version", "protocol_version",
	"tls_version", "names",	  "not_after", "finding", NULL};

void scan_init(struct scan *scan)
{
	*scan = (struct scan){.is_complete = true};
	vector_init(&scan->results, sizeof(struct scan_result));
	vector_init(&scan->notes, sizeof(const char *));
	vector_init(&scan->changes, sizeof(struct scan_change));
	arena_init(&scan->arena);
}

void scan_done(struct scan *scan)
{
	for (uint32_t i = 0; i < scan->results.n; i++) {
		vector_done(&scan_result(scan, i)->doors);
		vector_done(&scan_result(scan, i)->others);
	}
	vector_done(&scan->results);
	vector_done(&scan->notes);
	vector_done(&scan->changes);
	arena_done(&scan->arena);
}

int scan_note(struct scan *scan, const char *format, ...)
{
	char text[512];
	va_list list;
	va_start(list, format);
	int n = vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	size_t length = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
	const char *copy = arena_copy(&scan->arena, text, length);
	const char **added = copy ? vector_add(&scan->notes) : NULL;
	if (!added)
		return -ENOMEM;
	*added = copy;
	return 0;
}

static bool is_same_group(const struct answer *a, const struct answer *b)
{
	return a->state == b->state && a->reason == b->reason && a->icmp_type == b->icmp_type &&
	       a->icmp_code == b->icmp_code;
}

static struct scan_others *find_others(struct scan_result *result, uint8_t proto,
				       const struct answer *answer)
{
	for (uint32_t i = 0; i < result->others.n; i++) {
		struct scan_others *others = vector_at(&result->others, i);
		if (others->proto == proto && is_same_group(&others->answer, answer))
			return others;
	}
	return NULL;
}

static int count_groups(struct scan_result *result, const struct scan_sweep *sweep)
{
	struct scan_others *last = NULL;
	for (uint32_t i = 0; i < sweep->n_ports; i++) {
		const struct answer *answer = &sweep->answers[i];
		if (!last || !is_same_group(&last->answer, answer))
			last = find_others(result, sweep->proto, answer);
		if (!last) {
			last = vector_add(&result->others);
			if (!last)
				return -ENOMEM;
			*last = (struct scan_others){.proto = sweep->proto, .answer = *answer};
			last->answer.rtt_us = 0;
		}
		last->count++;
	}
	return 0;
}

static bool is_told(const struct scan *scan, const struct scan_sweep *sweep,
		    const struct scan_others *group)
{
	if (scan->is_explicit)
		return true;
	if (group->answer.state == DOOR_OPEN)
		return !sweep->is_alike;
	if (group->answer.state == DOOR_UNKNOWN)
		return false;
	/* the odd ones are told, not what is left of a small selection that is closed like any */
	return group->count <= SMALL_GROUP && group->count * 4 < sweep->n_ports;
}

static int note_alike(struct scan *scan, const struct scan_result *result, uint8_t proto)
{
	char address[FORMAT_IP_MAX];
	size_t n = ip_format(address, &result->target.ip, result->target.is_v4);
	return scan_note(scan,
			 "%.*s: all %s doors stand open: something answers for the host, as a "
			 "proxy or a middlebox does; what is behind it cannot be told",
			 (int)n, address, proto_words[proto]);
}

static int list_sweep(struct scan *scan, struct scan_result *result, struct scan_sweep *sweep)
{
	uint32_t n_open = 0;
	for (uint32_t i = 0; i < sweep->n_ports; i++)
		n_open += sweep->answers[i].state == DOOR_OPEN;
	sweep->is_alike = n_open >= ALIKE_AT_LEAST && n_open > sweep->n_ports / 10 * 9;
	int r = count_groups(result, sweep);
	if (r >= 0 && sweep->is_alike)
		r = note_alike(scan, result, sweep->proto);
	const struct scan_others *group = NULL;
	for (uint32_t i = 0; r >= 0 && i < sweep->n_ports; i++) {
		const struct answer *answer = &sweep->answers[i];
		if (!group || !is_same_group(&group->answer, answer))
			group = find_others(result, sweep->proto, answer);
		if (!group || !is_told(scan, sweep, group))
			continue;
		struct scan_door *door = vector_add(&result->doors);
		if (!door)
			return -ENOMEM;
		*door = (struct scan_door){.proto = sweep->proto,
					   .port = sweep->ports[i],
					   .socket = NONE,
					   .answer = *answer};
	}
	return r;
}

/* What all doors of are told is no more among the others. */
static void drop_told(const struct scan *scan, struct scan_result *result)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < result->others.n; i++) {
		const struct scan_others *group = vector_at(&result->others, i);
		const struct scan_sweep *sweep = result->sweeps;
		for (uint32_t k = 0; k < result->n_sweeps; k++)
			if (result->sweeps[k].proto == group->proto)
				sweep = &result->sweeps[k];
		if (!is_told(scan, sweep, group))
			*(struct scan_others *)vector_at(&result->others, kept++) = *group;
	}
	result->others.n = kept;
}

int scan_list(struct scan *scan)
{
	for (uint32_t i = 0; i < scan->results.n; i++) {
		struct scan_result *result = scan_result(scan, i);
		vector_init(&result->doors, sizeof(struct scan_door));
		vector_init(&result->others, sizeof(struct scan_others));
		for (uint32_t k = 0; k < result->n_sweeps; k++)
			if (list_sweep(scan, result, &result->sweeps[k]) < 0)
				return -ENOMEM;
		drop_told(scan, result);
	}
	return 0;
}

/* Where @port stands or would stand in the list. */
static uint32_t place_of(const struct scan_result *result, uint8_t proto, uint16_t port)
{
	uint32_t i = 0;
	for (; i < result->doors.n; i++) {
		const struct scan_door *door = vector_at(&result->doors, i);
		if (door->proto > proto || (door->proto == proto && door->port >= port))
			break;
	}
	return i;
}

const struct answer *scan_result_answer(const struct scan_result *result, uint8_t proto,
					uint16_t port)
{
	for (uint32_t i = 0; i < result->n_sweeps; i++) {
		const struct scan_sweep *sweep = &result->sweeps[i];
		uint32_t low = 0, high = sweep->proto == proto ? sweep->n_ports : 0;
		while (low < high) {
			uint32_t middle = low + (high - low) / 2;
			if (sweep->ports[middle] == port)
				return &sweep->answers[middle];
			if (sweep->ports[middle] < port)
				low = middle + 1;
			else
				high = middle;
		}
	}
	return NULL;
}

struct scan_door *scan_result_door(struct scan_result *result, uint8_t proto, uint16_t port)
{
	uint32_t at = place_of(result, proto, port);
	struct scan_door *door = at < result->doors.n ? vector_at(&result->doors, at) : NULL;
	if (door && door->proto == proto && door->port == port)
		return door;
	const struct answer *answer = scan_result_answer(result, proto, port);
	struct scan_others *group = answer ? find_others(result, proto, answer) : NULL;
	if (!answer || !vector_add(&result->doors))
		return NULL;
	door = vector_at(&result->doors, at);
	memmove(door + 1, door, (result->doors.n - 1 - at) * sizeof(*door));
	*door = (struct scan_door){.proto = proto, .port = port, .socket = NONE, .answer = *answer};
	if (group)
		group->count--;
	return door;
}

void answer_reason(const struct answer *answer, char *to, size_t size)
{
	if (answer->reason == BECAUSE_ICMP)
		snprintf(to, size, "icmp %u/%u", answer->icmp_type, answer->icmp_code);
	else
		snprintf(to, size, "%s", because_words[answer->reason]);
}

static void put_range(struct out *out, uint16_t first, uint16_t last, bool is_first)
{
	if (!is_first)
		out_char(out, ',');
	out_u64(out, first);
	if (last != first) {
		out_char(out, '-');
		out_u64(out, last);
	}
}

void scan_others_ports(const struct scan_result *result, const struct scan_others *others,
		       struct out *out)
{
	uint32_t at = place_of(result, others->proto, 0);
	bool is_first = true, is_running = false;
	uint16_t first = 0, last = 0;
	for (uint32_t k = 0; k < result->n_sweeps; k++) {
		const struct scan_sweep *sweep = &result->sweeps[k];
		for (uint32_t i = 0; sweep->proto == others->proto && i < sweep->n_ports; i++) {
			const struct scan_door *door =
				at < result->doors.n ? vector_at(&result->doors, at) : NULL;
			if (door && door->proto == sweep->proto && door->port == sweep->ports[i]) {
				at++;
				continue;
			}
			if (!is_same_group(&sweep->answers[i], &others->answer))
				continue;
			if (is_running && sweep->ports[i] == last + 1) {
				last = sweep->ports[i];
				continue;
			}
			if (is_running)
				put_range(out, first, last, is_first);
			is_first = is_first && !is_running;
			first = last = sweep->ports[i];
			is_running = true;
		}
	}
	if (is_running)
		put_range(out, first, last, is_first);
}

uint64_t scan_count(const struct scan *scan, enum door_state state)
{
	uint64_t n = 0;
	for (uint32_t i = 0; i < scan->results.n; i++) {
		const struct scan_result *result = scan_result(scan, i);
		for (uint32_t k = 0; k < result->n_sweeps; k++)
			for (uint32_t p = 0; p < result->sweeps[k].n_ports; p++)
				n += result->sweeps[k].answers[p].state == state;
	}
	return n;
}

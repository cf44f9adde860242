/* What has changed since a scan that was saved: states, and what stands behind open doors. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "scan/changes.h"
#include "scan/saved.h"

#define TEXT_MAX 1200 /* the names of a certificate, or a word */

/* One door, then and now. */
struct change_of {
	struct scan *scan;
	uint32_t result;
	uint16_t port;
	uint8_t proto;
};

/* The texts live as long as the scan. */
static int add(const struct change_of *of, enum scan_field field, const char *was, const char *now)
{
	struct scan_change *change = vector_add(&of->scan->changes);
	if (!change)
		return -ENOMEM;
	*change = (struct scan_change){.result = of->result,
				       .proto = of->proto,
				       .port = of->port,
				       .field = (uint8_t)field,
				       .was = was,
				       .now = now};
	return 0;
}

/* "" is not known. */
static int compare_text(const struct change_of *of, enum scan_field field, const char *was,
			const char *now)
{
	struct arena *arena = &of->scan->arena;
	if (strcmp(was, now) == 0)
		return 0;
	const char *old = was[0] ? arena_intern_string(arena, was) : NULL;
	const char *new = now[0] ? arena_intern_string(arena, now) : NULL;
	if ((was[0] && !old) || (now[0] && !new))
		return -ENOMEM;
	return add(of, field, old, new);
}

static void join_names(const struct identified_tls *tls, char to[TEXT_MAX])
{
	size_t n = 0;
	to[0] = '\0';
	for (unsigned i = 0; i < tls->n_names && i < IDENTIFIED_NAMES_MAX && n < TEXT_MAX; i++)
		n += (size_t)snprintf(to + n, TEXT_MAX - n, "%s%s", i ? ", " : "", tls->names[i]);
}

static void write_day(int64_t seconds, char to[TEXT_MAX])
{
	struct tm tm;
	time_t when = (time_t)seconds;
	to[0] = '\0';
	if (seconds && gmtime_r(&when, &tm))
		strftime(to, TEXT_MAX, "%Y-%m-%d", &tm);
}

static int compare_certificates(const struct change_of *of, const struct identified_tls *was,
				const struct identified_tls *now)
{
	char old[TEXT_MAX], new[TEXT_MAX];
	int r = compare_text(of, CHANGE_TLS_VERSION, was->version, now->version);
	if (r < 0 || !was->is_there || !now->is_there)
		return r;
	join_names(was, old);
	join_names(now, new);
	r = compare_text(of, CHANGE_NAMES, old, new);
	write_day(was->not_after, old);
	write_day(now->not_after, new);
	return r < 0 ? r : compare_text(of, CHANGE_NOT_AFTER, old, new);
}

static int compare_findings(const struct change_of *of, uint32_t was, uint32_t now)
{
	int r = 0;
	for (unsigned i = 0; i < FINDING_MAX && r >= 0; i++) {
		uint32_t bit = UINT32_C(1) << i;
		if ((was ^ now) & bit)
			r = add(of, CHANGE_FINDING, was & bit ? finding_words[i] : NULL,
				now & bit ? finding_words[i] : NULL);
	}
	return r;
}

/* It was asked to the end: what is not named is not there. */
static bool is_known(const struct identified *its)
{
	switch (its->outcome) {
	case IDENTIFY_NAMED:
	case IDENTIFY_UNNAMED:
	case IDENTIFY_SILENT:
	case IDENTIFY_CLOSES:
		return true;
	default:
		return false;
	}
}

static int compare_identified(const struct change_of *of, const struct identified *was,
			      const struct identified *now)
{
	if (!is_known(was) || !is_known(now))
		return 0;
	/* a server without a name is told by how it behaves */
	const char *old = was->service[0] ? was->service : identify_outcome_words[was->outcome];
	const char *new = now->service[0] ? now->service : identify_outcome_words[now->outcome];
	int r = compare_text(of, CHANGE_SERVICE, old, new);
	if (r >= 0)
		r = compare_text(of, CHANGE_PRODUCT, was->product, now->product);
	if (r >= 0)
		r = compare_text(of, CHANGE_VERSION, was->version, now->version);
	if (r >= 0)
		r = compare_text(of, CHANGE_PROTOCOL_VERSION, was->protocol_version,
				 now->protocol_version);
	if (r >= 0)
		r = compare_certificates(of, &was->tls, &now->tls);
	return r < 0 ? r : compare_findings(of, was->findings, now->findings);
}

/* Doors that both scans know, of all that this one was for. */
struct common {
	uint64_t n, n_all;
};

static int compare_states(const struct scan *old, struct scan *scan, uint32_t result,
			  struct common *common)
{
	const struct scan_result *its = scan_result(scan, result);
	int r = 0;
	for (uint32_t k = 0; k < its->n_sweeps; k++) {
		const struct scan_sweep *sweep = &its->sweeps[k];
		for (uint32_t p = 0; p < sweep->n_ports && r >= 0; p++) {
			const struct change_of of = {scan, result, sweep->ports[p], sweep->proto};
			const struct answer *was =
				saved_scan_answer(old, &its->target, of.proto, of.port);
			uint8_t now = sweep->answers[p].state;
			bool is_common = was && was->state != DOOR_UNKNOWN && now != DOOR_UNKNOWN;
			common->n += is_common;
			common->n_all++;
			if (is_common && was->state != now)
				r = add(&of, CHANGE_STATE, door_words[was->state], door_words[now]);
		}
	}
	return r;
}

int scan_changes(const struct scan *old, struct scan *scan)
{
	struct common common = {0};
	int r = 0;
	for (uint32_t i = 0; i < scan->results.n && r >= 0; i++) {
		const struct scan_result *result = scan_result(scan, i);
		r = compare_states(old, scan, i, &common);
		for (uint32_t k = 0; k < result->doors.n && r >= 0; k++) {
			const struct scan_door *door = vector_at(&result->doors, k);
			const struct change_of of = {scan, i, door->port, door->proto};
			const struct identified *was = saved_scan_identified(
				old, &result->target, door->proto, door->port);
			if (was && door->identified)
				r = compare_identified(&of, was, door->identified);
		}
	}
	scan->has_changes = r >= 0;
	if (r >= 0 && common.n < common.n_all)
		r = scan_note(scan,
			      "only %llu of %llu doors are known in both scans: of the others it "
			      "cannot be told whether they have changed",
			      (unsigned long long)common.n, (unsigned long long)common.n_all);
	return r;
}

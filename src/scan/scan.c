/* A scan as a whole. */
#include <errno.h>

#include "base/clock.h"
#include "base/attributes.h"
#include "base/format.h"
#include "scan/consent.h"
#include "scan/near.h"
#include "scan/saved.h"
#include "scan/scan.h"
#include "scan/sctp.h"
#include "scan/silent.h"
#include "scan/tables.h"
#include "scan/unmet.h"
#include "source/interfaces.h"
#include "source/netns.h"

#define PORTS_ALL "1-65535"
#define EXPLICIT_PORTS 30

/* One place that is scanned from, and what goes on there. */
struct visit {
	const struct scan_request *request;
	struct scan *scan;
	struct netns place;
	struct found_netns found;
	const char *seen_from; /* its name in the results */
	struct targets targets;
	uint32_t first, n; /* results */
	const struct vector *ports;
	struct error *err;
};

static void limit_path(const struct scan_request *request, struct job *job)
{
	job->path =
		job->is_own || job->targets[0].is_near ? timing_path_own() : timing_path_other();
	if (request->rate) {
		job->path.rate_first = job->path.rate_max = request->rate;
		job->path.window_first = 0;
	}
}

enum distance { DISTANCE_OWN, DISTANCE_NEAR, DISTANCE_OTHER, DISTANCE_MAX };

static enum distance distance_of(const struct scan_target *target)
{
	return target->is_own ? DISTANCE_OWN : target->is_near ? DISTANCE_NEAR : DISTANCE_OTHER;
}

/* Those results of a visit that one job can do: of one family, as far away. */
static int run_alike(struct visit *visit, unsigned k, bool is_v4, enum distance distance)
{
	const struct scan_request *request = visit->request;
	cleanup(freep) struct scan_target *targets = calloc(visit->n, sizeof(*targets));
	cleanup(freep) uint32_t *results = calloc(visit->n, sizeof(*results));
	uint32_t n = 0, n_ports = visit->ports->n;
	if (!targets || !results)
		return error_set(visit->err, -ENOMEM, "keep the targets");
	for (uint32_t i = visit->first; i < visit->first + visit->n; i++) {
		const struct scan_result *result = scan_result(visit->scan, i);
		if (result->target.is_v4 != is_v4 || distance_of(&result->target) != distance)
			continue;
		results[n] = i;
		targets[n++] = result->target;
	}
	struct job job = {.targets = targets,
			  .ports = visit->ports->data,
			  .n_targets = n,
			  .n_ports = n_ports,
			  .proto = scan_result(visit->scan, visit->first)->sweeps[k].proto,
			  .is_own = distance == DISTANCE_OWN,
			  .stop = request->stop,
			  .progress = request->progress};
	if (!n)
		return 0;
	if (request->max_time_ms)
		job.deadline_us = request->progress->began_us + request->max_time_ms * 1000;
	limit_path(request, &job);
	/* those of one target are written where they stay */
	cleanup(freep) struct answer *all = n == 1 ? NULL : calloc(job_n(&job), sizeof(*all));
	job.answers = n == 1 ? scan_result(visit->scan, results[0])->sweeps[k].answers : all;
	if (!job.answers)
		return error_set(visit->err, -ENOMEM, "keep the answers");
	for (uint32_t i = 0; all && i < n; i++) /* what is known already is not asked again */
		memcpy(all + (size_t)i * n_ports,
		       scan_result(visit->scan, results[i])->sweeps[k].answers,
		       n_ports * sizeof(*all));
	for (uint32_t i = 0; i < n; i++)
		scan_result(visit->scan, results[i])->sweeps[k].is_connected =
			job.proto == PROTO_TCP && !tables_is_syn(request, &job);
	int r = tables_run(request, &job, visit->scan, visit->err);
	cleanup(fclosep) FILE *neighbours =
		job.is_own || !is_v4 ? NULL : fopen("/proc/thread-self/net/arp", "re");
	if (r >= 0 && neighbours)
		silent_mark(&job, neighbours);
	for (uint32_t i = 0; all && i < n; i++)
		memcpy(scan_result(visit->scan, results[i])->sweeps[k].answers,
		       all + (size_t)i * n_ports, n_ports * sizeof(*all));
	return r;
}

/* In the namespace of the visit. */
static int run_visit(void *data)
{
	struct visit *visit = data;
	int r = 0;
	if (!visit->n)
		return 0;
	for (unsigned k = 0; k < scan_result(visit->scan, visit->first)->n_sweeps && r >= 0; k++)
		for (unsigned kind = 0; kind < 2 * DISTANCE_MAX && r >= 0; kind++)
			r = run_alike(visit, k, !(kind & 1), (enum distance)(kind / 2));
	return r;
}

/* What the saved scan knows is not asked again. */
static void take_known(struct visit *visit, const struct scan_target *target,
		       struct scan_sweep *sweep)
{
	struct progress *progress = visit->request->progress;
	for (uint32_t p = 0; p < sweep->n_ports; p++) {
		const struct answer *known = saved_scan_answer(visit->request->known, target,
							       sweep->proto, sweep->ports[p]);
		if (!known || known->state == DOOR_UNKNOWN)
			continue;
		sweep->answers[p] = *known;
		atomic_fetch_add(&progress->n_done, 1);
	}
}

/* Without a target of its own a scan that goes on has those of the saved one. */
static int add_known(struct visit *visit, struct targets *targets)
{
	const struct scan *known = visit->request->known;
	char text[128];
	int r = 0;
	for (uint32_t i = 0; i < known->results.n && r >= 0; i++) {
		const struct scan_target *target = &scan_result(known, i)->target;
		size_t n = ip_format(text, &target->ip, target->is_v4);
		snprintf(text + n, sizeof(text) - n, "%s%.32s", target->link ? "%" : "",
			 target->link ? target->link : "");
		r = targets_add(targets, text, &visit->place, &visit->scan->arena, visit->err);
	}
	return r;
}

static int add_result(struct visit *visit, const struct scan_target *target, const char *from)
{
	struct scan *scan = visit->scan;
	struct scan_result *result = vector_add(&scan->results);
	if (!result)
		return -ENOMEM;
	*result = (struct scan_result){
		.target = *target, .from = from, .netns = NONE, .inode = visit->place.inode};
	vector_init(&result->doors, sizeof(struct scan_door));
	vector_init(&result->others, sizeof(struct scan_others));
	result->target.link = netns_interface_name(&visit->place, target->interface);
	for (uint8_t proto = 0; proto < PROTO_MAX; proto++) {
		if (!visit->request->protos[proto] || result->n_sweeps == SCAN_SWEEPS)
			continue;
		struct scan_sweep *sweep = &result->sweeps[result->n_sweeps++];
		*sweep = (struct scan_sweep){
			.proto = proto, .n_ports = visit->ports->n, .ports = visit->ports->data};
		sweep->answers = arena_alloc(&scan->arena, visit->ports->n * sizeof(struct answer));
		if (!sweep->answers)
			return -ENOMEM;
		if (visit->request->known)
			take_known(visit, target, sweep);
	}
	visit->request->progress->n_all += (uint64_t)visit->ports->n * result->n_sweeps;
	return 0;
}

static bool is_named(const struct scan_request *request)
{
	return request->list || (request->targets && *request->targets);
}

static int find_targets(struct visit *visit, struct targets *targets)
{
	const struct scan_request *request = visit->request;
	struct arena *arena = &visit->scan->arena;
	struct error *err = visit->err;
	int r = 0;
	for (char **at = request->targets; at && *at && r >= 0; at++)
		r = targets_add(targets, *at, &visit->place, arena, err);
	if (r >= 0 && request->list)
		r = targets_add_list(targets, request->list, &visit->place, arena, err);
	if (r >= 0 && request->known && !is_named(request))
		r = add_known(visit, targets);
	else if (r >= 0 && !is_named(request))
		r = targets_add_own(targets, &visit->place, false, err);
	if (r >= 0 && request->exclude)
		r = targets_exclude(targets, request->exclude, arena, err);
	return r;
}

static const char *name_of(struct scan *scan, const struct found_netns *found, bool is_named)
{
	char text[80];
	if (!is_named && found->is_self)
		return "this host";
	if (found->name[0])
		snprintf(text, sizeof(text), "netns %s", found->name);
	else
		snprintf(text, sizeof(text), "netns %llu", (unsigned long long)found->inode);
	return arena_intern_string(&scan->arena, text);
}

struct marking {
	const struct netns *place;
	const struct targets *others;
	struct targets *targets;
};

static int mark_near(void *data)
{
	const struct marking *marking = data;
	near_mark(marking->place, marking->others, marking->targets);
	return 0;
}

/* What is near is known to be so where some target is not the place's own. */
static int mark_targets(struct host *host, struct visit *visit)
{
	struct targets others;
	if (!visit->targets.n_foreign)
		return 0;
	targets_init(&others);
	near_collect(host, &others, &visit->scan->arena);
	struct marking marking = {&visit->place, &others, &visit->targets};
	int r = netns_call(&visit->found, mark_near, &marking);
	targets_done(&others);
	return r;
}

/* All of them are known before the first is sent anything. */
static int check(const struct scan_request *request, const struct vector *visits, struct error *err)
{
	uint64_t each = 0, n_foreign = 0;
	uint32_t n_places = 0;
	int r = 0;
	for (uint32_t i = 0; i < visits->n && r >= 0; i++) {
		const struct visit *visit = vector_at(visits, i);
		each = consent_each(request, visit->ports->n);
		n_foreign += visit->targets.n_foreign;
		n_places += visit->targets.n_foreign > 0;
		r = consent_to_doors(each, &visit->targets, err);
	}
	return r < 0 ? r : consent_to_foreign(request, each, n_foreign, n_places, err);
}

static int start_visit(struct host *host, struct visit *visit)
{
	const struct targets *targets = &visit->targets;
	int r = 0;
	visit->first = visit->scan->results.n;
	consent_announce(visit->request, consent_each(visit->request, visit->ports->n), targets);
	if (!visit->first)
		consent_warn_of_guard(host, visit->request, targets);
	for (uint32_t i = 0; i < targets->list.n && r >= 0; i++)
		r = visit->seen_from
			    ? add_result(visit, vector_at(&targets->list, i), visit->seen_from)
			    : -ENOMEM;
	visit->n = visit->scan->results.n - visit->first;
	return r < 0 ? error_set(visit->err, r, "keep the answers")
		     : netns_call(&visit->found, run_visit, visit);
}

static int read_place(struct host *host, struct visit *visit, const struct found_netns *found)
{
	visit->found = *found;
	visit->place = (struct netns){.inode = found->inode};
	int r = interfaces_read(host, found, &visit->scan->arena, &visit->place, visit->err);
	visit->place.inode = found->inode ? found->inode : netns_own_inode();
	return r;
}

/* The addresses of this host that others can come to, for one who looks from outside. */
static int add_this_host(struct host *host, struct visit *visit, struct targets *targets)
{
	const struct found_netns here = {.fd = -1, .is_self = true};
	struct netns own = {0};
	int r = interfaces_read(host, &here, &visit->scan->arena, &own, visit->err);
	if (r >= 0)
		r = targets_add_own(targets, &own, true, visit->err);
	for (uint32_t i = 0; i < targets->list.n; i++)
		((struct scan_target *)vector_at(&targets->list, i))->is_own = false;
	targets->n_foreign = targets->list.n;
	if (r >= 0 && visit->request->exclude)
		r = targets_exclude(targets, visit->request->exclude, &visit->scan->arena,
				    visit->err);
	return r;
}

static int prepare_visit(struct host *host, struct visit *visit, const struct found_netns *found)
{
	const struct scan_request *request = visit->request;
	int r = read_place(host, visit, found);
	visit->seen_from = name_of(visit->scan, found, request->from);
	if (r >= 0 && request->from &&
	    !is_named(request)) /* another place than the one that is looked at */
		r = add_this_host(host, visit, &visit->targets);
	else if (r >= 0)
		r = find_targets(visit, &visit->targets);
	return r < 0 ? r : mark_targets(host, visit);
}

/* What a person may take for an answer and is none. */
static int note_unreached(struct scan *scan, const struct targets *targets)
{
	char address[64];
	int r = 0;
	if (!targets->list.n)
		return scan_note(scan,
				 "no address of this host is one that others can come to: they "
				 "are all of the loopback interface or of one link");
	for (uint32_t i = 0; i < targets->list.n && r >= 0; i++) {
		const struct scan_target *target = vector_at(&targets->list, i);
		if (ip_reach(&target->ip) != REACH_LOOPBACK)
			continue;
		size_t n = ip_format(address, &target->ip, target->is_v4);
		r = scan_note(scan,
			      "%.*s: no stranger comes to this host by a loopback address, which "
			      "every host has for itself",
			      (int)n, address);
	}
	return r;
}

static struct visit *add_visit(struct vector *visits, const struct visit *like)
{
	struct visit *visit = vector_add(visits);
	if (!visit)
		return NULL;
	*visit = *like;
	targets_init(&visit->targets);
	return visit;
}

static int prepare_stranger(struct host *host, const struct visit *like, struct vector *places,
			    struct stranger *stranger, struct vector *visits)
{
	struct visit *visit = add_visit(visits, like);
	if (!visit)
		return error_set(like->err, -ENOMEM, "keep the stranger");
	/* before the link is there: its address is not this host's in the long run */
	int r = is_named(visit->request) ? 0 : add_this_host(host, visit, &visit->targets);
	if (r >= 0)
		r = stranger_make(stranger, visit->err);
	struct found_netns *place = r < 0 ? NULL : vector_add(places);
	if (place)
		*place = stranger->netns;
	else
		closep(&stranger->netns.fd);
	if (r >= 0 && !place)
		r = error_set(visit->err, -ENOMEM, "keep the stranger");
	if (r >= 0)
		r = read_place(host, visit, place);
	visit->seen_from = "stranger";
	if (r >= 0 && is_named(visit->request))
		r = find_targets(visit, &visit->targets);
	return r < 0 ? r : mark_targets(host, visit);
}

static int prepare_all(struct host *host, const struct visit *like, struct vector *places,
		       struct vector *visits)
{
	const struct scan_request *request = like->request;
	int r = netns_find(host, request->from ? &request->from_scope : &request->scope, NULL,
			   places, NULL, like->err);
	if (r >= 0 && request->from && places->n != 1)
		return error_text(like->err, -EINVAL, "--from %.60s is not one place",
				  request->from);
	for (uint32_t i = 0; i < places->n && r >= 0; i++) {
		struct visit *visit = add_visit(visits, like);
		r = visit ? prepare_visit(host, visit, vector_at(places, i))
			  : error_set(like->err, -ENOMEM, "keep the places");
	}
	return r;
}

static int visit_all(struct host *host, const struct visit *like, struct vector *places,
		     struct stranger *stranger)
{
	const struct scan_request *request = like->request;
	bool is_stranger = request->from && strcmp(request->from, "stranger") == 0;
	struct vector visits;
	vector_init(&visits, sizeof(struct visit));
	int r = is_stranger ? prepare_stranger(host, like, places, stranger, &visits)
			    : prepare_all(host, like, places, &visits);
	if (r >= 0)
		r = check(request, &visits, like->err);
	for (uint32_t i = 0; i < visits.n && r >= 0; i++)
		r = start_visit(host, vector_at(&visits, i));
	if (r >= 0 && is_stranger) {
		const struct visit *its = vector_at(&visits, 0);
		r = note_unreached(its->scan, &its->targets);
		if (r >= 0)
			r = unmet_note(its->scan, stranger->link);
	}
	for (uint32_t i = 0; i < visits.n; i++)
		targets_done(&((struct visit *)vector_at(&visits, i))->targets);
	vector_done(&visits);
	return r;
}

static void say_broken_off(struct scan *scan)
{
	uint64_t n = 0;
	for (uint32_t i = 0; i < scan->results.n; i++) {
		struct scan_result *result = scan_result(scan, i);
		for (uint32_t k = 0; k < result->n_sweeps; k++)
			for (uint32_t p = 0; p < result->sweeps[k].n_ports; p++) {
				struct answer *answer = &result->sweeps[k].answers[p];
				if (answer->state != DOOR_UNKNOWN)
					continue;
				n++;
				answer->rtt_us = 0;
				if (answer->reason != BECAUSE_ICMP_LIMITED)
					answer->reason = BECAUSE_BROKEN_OFF;
			}
	}
	scan->is_complete = n == 0;
}

/* The list lives as long as the results that point to it. */
static int read_ports(const char *text, struct arena *arena, struct vector *ret, struct error *err)
{
	struct vector ports;
	vector_init(&ports, sizeof(uint16_t));
	int r = ports_parse(text ? text : PORTS_ALL, &ports, err);
	void *kept = r < 0 ? NULL : arena_alloc(arena, ports.n * sizeof(uint16_t));
	if (kept) {
		memcpy(kept, ports.data, ports.n * sizeof(uint16_t));
		*ret = (struct vector){.data = kept, .n = ports.n, .size = sizeof(uint16_t)};
	} else if (r >= 0) {
		r = error_set(err, -ENOMEM, "keep the ports");
	}
	vector_done(&ports);
	return r;
}

/* Whose scan it is, and when. */
static void say_who(struct host *host, struct scan *scan)
{
	static const char *const files[] = {"proc/sys/kernel/hostname",
					    "proc/sys/kernel/random/boot_id"};
	const char **const to[] = {&scan->host, &scan->boot_id};
	struct timespec now;
	char text[256];
	for (unsigned i = 0; i < ARRAY_SIZE(files); i++)
		if (host_read(host, text, sizeof(text), "%s", files[i]) > 0)
			*to[i] = arena_intern(&scan->arena, text, strcspn(text, "\n"));
	clock_gettime(CLOCK_REALTIME, &now);
	scan->time = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A host that says so once a second which doors are closed: how long would the rest take? As many
 * of it are closed as of those that are known. */
static void say_limited(struct scan *scan, const struct scan_result *result,
			const struct scan_sweep *sweep)
{
	uint64_t n_known = 0, n_closed = 0, n_limited = 0;
	char address[64], text[32];
	for (uint32_t p = 0; p < sweep->n_ports; p++) {
		const struct answer *answer = &sweep->answers[p];
		n_known += answer->state != DOOR_UNKNOWN;
		n_closed += answer->state == DOOR_CLOSED;
		n_limited +=
			answer->state == DOOR_UNKNOWN && answer->reason == BECAUSE_ICMP_LIMITED;
	}
	if (!n_limited)
		return;
	uint64_t seconds = n_known ? n_limited * n_closed / n_known : n_limited;
	if (!result->target.is_v4) /* Linux says ten a second there */
		seconds /= 10;
	size_t n = ip_format(address, &result->target.ip, result->target.is_v4);
	size_t m = format_duration(text, sizeof(text), seconds ? seconds : 1);
	scan_note(scan,
		  "%.*s: %llu %s doors are unknown: it says only now and then which are closed; "
		  "the rest would take some %.*s (--max-time)",
		  (int)n, address, (unsigned long long)n_limited, proto_words[sweep->proto], (int)m,
		  text);
}

/* A host without SCTP is told as that: no rule of its firewall filters there. */
static void say_unknown_sctp(struct scan *scan, const struct scan_result *result,
			     const struct scan_sweep *sweep)
{
	char address[64];
	bool is_unknown = false;
	for (uint32_t p = 0; p < sweep->n_ports && !is_unknown; p++)
		is_unknown = sctp_is_unknown_there(&sweep->answers[p], result->target.is_v4);
	if (sweep->proto != PROTO_SCTP || !is_unknown)
		return;
	size_t n = ip_format(address, &result->target.ip, result->target.is_v4);
	scan_note(scan, "%.*s: its kernel knows no SCTP (protocol unreachable)", (int)n, address);
}

static void say_all_limited(struct scan *scan)
{
	for (uint32_t i = 0; i < scan->results.n; i++) {
		const struct scan_result *result = scan_result(scan, i);
		for (uint32_t k = 0; k < result->n_sweeps; k++) {
			say_limited(scan, result, &result->sweeps[k]);
			say_unknown_sctp(scan, result, &result->sweeps[k]);
		}
	}
}

int scan_run(struct host *host, const struct scan_request *request, struct vector *places,
	     struct stranger *stranger, struct scan *ret, struct error *err)
{
	struct vector *ports = arena_alloc(&ret->arena, sizeof(*ports));
	struct visit visit = {.request = request, .scan = ret, .ports = ports, .err = err};
	if (!ports)
		return error_set(err, -ENOMEM, "scan");
	vector_init(ports, sizeof(uint16_t));
	say_who(host, ret);
	request->progress->began_us = clock_us();
	int r = read_ports(request->ports, &ret->arena, ports, err);
	if (r < 0)
		return r;
	ret->is_explicit = ports->n <= EXPLICIT_PORTS;
	r = visit_all(host, &visit, places, stranger);
	if (r >= 0 && !ret->results.n && (request->exclude || request->list)) {
		r = error_text(err, -EINVAL, "no address is left to scan");
		error_hint(err, "--exclude takes all of them out, or --file names none");
	}
	ret->took_us = clock_us() - request->progress->began_us;
	ret->n_sent = atomic_load(&request->progress->n_sent);
	if (r >= 0)
		say_broken_off(ret);
	if (r >= 0)
		say_all_limited(ret);
	if (r >= 0 && scan_list(ret) < 0)
		r = error_set(err, -ENOMEM, "list what was found");
	return r;
}

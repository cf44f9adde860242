/* What stands behind the open doors: each place's asked from there. */
#include <errno.h>

#include "base/clock.h"
#include "base/attributes.h"
#include "scan/compare.h"
#include "scan/identify.h"
#include "scan/scan.h"
#include "source/netns.h"

#define MANY 256 /* doors; more of them share a time */
#define MANY_MS 10000

struct asking {
	struct identify_sink sink;
	const struct scan_request *request;
	const struct services *services;
	struct scan *scan;
	struct vector targets; /* struct identify_target */
	struct vector doors;   /* struct scan_door * */
	struct error *err;
};

static const char *hint_of(const struct asking *asking, const struct scan_door *door)
{
	const struct snapshot *snapshot = asking->scan->snapshot;
	const struct socket *socket =
		snapshot && door->socket != NONE ? snapshot_socket(snapshot, door->socket) : NULL;
	const struct holder *holder = socket ? snapshot_holder(snapshot, socket->holder) : NULL;
	const char *service = service_name(asking->services, door->proto, door->port);
	return holder ? snapshot_process(snapshot, holder->process)->name : service;
}

static int add_doors(struct asking *asking, struct scan_result *result)
{
	for (uint32_t i = 0; i < result->doors.n; i++) {
		struct scan_door *door = vector_at(&result->doors, i);
		if (door->answer.state != DOOR_OPEN || door->proto == PROTO_SCTP)
			continue;
		struct identify_target *target = vector_add(&asking->targets);
		struct scan_door **at = target ? vector_add(&asking->doors) : NULL;
		if (!at)
			return -ENOMEM;
		*at = door;
		*target = (struct identify_target){
			.address = result->target.ip,
			.interface = result->target.interface,
			.port = door->port,
			.proto = door->proto,
			.is_own = result->target.is_own || result->target.is_near,
			.name = result->target.name,
			.hint = hint_of(asking, door),
		};
	}
	return 0;
}

/* The program that holds the door, where none of those that hold it speaks what answers; NULL. */
static const char *other_program(const struct snapshot *snapshot, const struct scan_door *door)
{
	const struct socket *socket =
		door->socket != NONE ? snapshot_socket(snapshot, door->socket) : NULL;
	const struct holder *holder = socket ? snapshot_holder(snapshot, socket->holder) : NULL;
	const char *first = NULL;
	for (; holder; holder = snapshot_holder(snapshot, holder->next)) {
		const char *name = snapshot_process(snapshot, holder->process)->name;
		if (!compare_is_other_program(name, door->identified->service))
			return NULL;
		first = first ? first : name;
	}
	return first;
}

/* Beside what was found of a door that is in no table, which weighs more. */
static void tell_other(struct asking *asking, struct scan_door *door, const char *what)
{
	char both[320];
	bool is_in_no_table = door->verdict == VERDICT_NOT_IN_TABLE && door->detail;
	if (is_in_no_table)
		snprintf(both, sizeof(both), "%.150s; %s", door->detail, what);
	else
		door->verdict = VERDICT_OTHER_SERVICE;
	const char *kept = arena_intern_string(&asking->scan->arena, is_in_no_table ? both : what);
	if (kept)
		door->detail = kept;
}

static void judge(struct asking *asking, struct scan_door *door)
{
	const struct identified *its = door->identified;
	const char *registered = service_name(NULL, door->proto, door->port);
	const char *program = other_program(asking->scan->snapshot, door);
	char text[160];
	bool is_inside_tls = its->tls.is_there && !its->tls.is_upgraded;
	bool is_other = compare_is_other_service(registered, its->service, is_inside_tls);
	if (!is_other && !program)
		return;
	int n = snprintf(text, sizeof(text), "%.40s%s answers", its->service,
			 is_inside_tls ? " in TLS" : "");
	if (is_other)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " at the port of %.40s",
			      registered);
	if (program)
		snprintf(text + n, sizeof(text) - (size_t)n, ", where %.16s holds the door",
			 program);
	tell_other(asking, door, text);
}

/* --max-time, in milliseconds. */
static uint64_t time_left(const struct scan_request *request)
{
	uint64_t took_ms = (clock_us() - request->progress->began_us) / 1000;
	return request->max_time_ms > took_ms ? request->max_time_ms - took_ms : 0;
}

static int keep(struct identify_sink *sink, size_t i, const struct identified *what)
{
	struct asking *asking = (struct asking *)sink; /* its first member */
	struct scan_door *door = *(struct scan_door **)vector_at(&asking->doors, (uint32_t)i);
	struct identified *copy = arena_alloc(&asking->scan->arena, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *what;
	door->identified = copy;
	/* a port has a time of its own, too, whose end is an answer */
	if (what->outcome == IDENTIFY_TIMED_OUT && asking->request->max_time_ms &&
	    !time_left(asking->request))
		asking->scan->is_complete = false;
	if (asking->scan->snapshot && what->outcome == IDENTIFY_NAMED)
		judge(asking, door);
	atomic_fetch_add(&asking->request->progress->n_done, 1);
	return 0;
}

static int ask_inside(void *data)
{
	struct asking *asking = data;
	const struct scan_request *request = asking->request;
	struct identify_options options = {.asks_printers = request->asks_printers};
	if (asking->targets.n > MANY)
		options.limit_ms = MANY_MS;
	if (request->max_time_ms)
		options.limit_ms = (uint32_t)time_left(request);
	if (request->max_time_ms && !options.limit_ms)
		options.limit_ms = 1;
	return identify_ports(asking->targets.data, asking->targets.n, &options, &asking->sink,
			      (struct stop *)(uintptr_t)request->stop, asking->err);
}

static int ask_place(struct asking *asking, const struct found_netns *place, bool of_others)
{
	int r = 0;
	asking->targets.n = asking->doors.n = 0;
	uint64_t inode = place->inode ? place->inode : netns_own_inode();
	for (uint32_t i = 0; i < asking->scan->results.n && r >= 0; i++) {
		struct scan_result *result = scan_result(asking->scan, i);
		bool is_ours = result->target.is_own || result->target.is_near;
		if (result->inode == inode && (is_ours || of_others))
			r = add_doors(asking, result);
	}
	if (r < 0)
		return error_set(asking->err, r, "keep the doors");
	return asking->targets.n ? netns_call(place, ask_inside, asking) : 0;
}

int scan_identify(const struct scan_request *request, const struct vector *places,
		  const struct services *services, bool of_others, struct scan *scan,
		  struct error *err)
{
	struct asking asking = {.sink = {.identified = keep},
				.request = request,
				.services = services,
				.scan = scan,
				.err = err};
	int r = 0;
	vector_init(&asking.targets, sizeof(struct identify_target));
	vector_init(&asking.doors, sizeof(struct scan_door *));
	request->progress->doing = "identify";
	for (uint32_t i = 0; i < places->n && r >= 0; i++)
		r = ask_place(&asking, vector_at(places, i), of_others);
	vector_done(&asking.targets);
	vector_done(&asking.doors);
	return r;
}

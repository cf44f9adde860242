/* One closing from what is asked for to how it ended. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "act/close.h"
#include "act/closing.h"
#include "act/guard.h"
#include "act/units.h"
#include "act/verify.h"
#include "base/privilege.h"
#include "model/exact.h"
#include "model/target.h"
#include "source/netns.h"

#define DOORS " and state in (listen, unconn, bound)"

/* What a plan is made of. The user's number comes without a name service, which may block. */
#define NEEDS                                                                              \
	(NEED_HOLDERS | NEED_STAT | NEED_CMDLINE | NEED_UID | NEED_CGROUP | NEED_PARENTS | \
	 NEED_USERS | NEED_NO_NSS | NEED_COOKIE | NEED_V6ONLY | NEED_ANSWERS)

void closing_init(struct closing *closing)
{
	*closing = (struct closing){.filter = NULL};
	arena_init(&closing->arena);
	plan_init(&closing->plan);
	vector_init(&closing->units, sizeof(struct unit_fact));
	vector_init(&closing->beside, sizeof(struct beside));
}

void closing_done(struct closing *closing)
{
	plan_done(&closing->plan);
	vector_done(&closing->units);
	vector_done(&closing->beside);
	rows_done(&closing->rows);
	snapshot_free(closing->snapshot);
	filter_free(closing->filter);
	arena_done(&closing->arena);
}

/* ---- what is meant ---- */

/* One TARGET as a filter: of a port the doors alone unless connections are taken. */
static int add_target(const struct services *services, const char *text, struct closing *closing,
		      struct out *to, struct error *err)
{
	struct exact exact;
	struct target target;
	char filter[512];
	int r = exact_parse(text, &exact, err);
	if (r < 0)
		return r;
	bool is_exact = r > 0, is_connection = is_exact && !exact.pid, is_raw = false;
	if (is_exact) {
		exact_filter_text(&exact, filter, sizeof(filter));
	} else {
		r = target_parse(text, services, &target, err);
		if (r < 0)
			return r;
		target_filter_text(&target, filter, sizeof(filter));
		is_raw = target.protos == 1u << PROTO_RAW;
	}
	closing->has_all &= !is_exact && !target.has_address;
	out_format(to, "%s(%s%s%s)", to->n ? " or " : "", filter,
		   is_connection || is_raw ? "" : " and not raw", /* whose number is no port */
		   is_connection || closing->options.takes_connections ? "" : DOORS);
	return 0;
}

/* All targets, and of them what --filter chooses. */
static int write_filter(const struct services *services, const struct closing_request *request,
			struct closing *closing, struct out *to, struct error *err)
{
	bool takes_connections = closing->options.takes_connections;
	closing->has_all = !request->filter;
	for (char *const *target = request->targets; target && *target; target++) {
		int r = add_target(services, *target, closing, to, err);
		if (r < 0)
			return r;
	}
	if (!request->filter)
		return 0;
	cleanup(out_done) struct out targets = *to;
	int r = out_init(to, -1);
	if (r < 0)
		return r;
	if (targets.n)
		out_format(to, "(%.*s) and ", (int)targets.n, targets.data);
	out_format(to, "(%s)%s", request->filter, targets.n || takes_connections ? "" : DOORS);
	return 0;
}

static int parse(const struct services *services, const struct closing_request *request,
		 struct closing *closing, struct error *err)
{
	bool takes_connections = request->options.takes_connections;
	if (!(request->targets && request->targets[0]) && !request->filter)
		return error_text(err, -EINVAL, "it needs a TARGET or a filter");
	if (request->filter && !request->filter[strspn(request->filter, " \t\n")])
		return error_text(err, -EINVAL,
				  "--filter: it is empty, and would choose everything");
	if (request->filter) { /* alone first, so that an error shows what was typed */
		struct filter *filter = NULL;
		int r = filter_parse(request->filter, services, &filter, err);
		if (r < 0)
			return r;
		takes_connections |= filter_names_state(filter);
		filter_free(filter);
	}
	closing->options = request->options;
	closing->options.takes_connections = takes_connections;
	cleanup(out_done) struct out text;
	int r = out_init(&text, -1);
	if (r >= 0)
		r = write_filter(services, request, closing, &text, err);
	out_char(&text, '\0');
	if (r >= 0 && text.error)
		r = text.error;
	return r < 0 ? r : filter_parse(text.data, services, &closing->filter, err);
}

/* ---- the plan ---- */

static int make_plan(struct closing *closing, struct error *err)
{
	int r = collect_for(&closing->looking, closing->filter, BOUNDS_ALL, NEEDS,
			    &closing->snapshot, err);
	if (r >= 0)
		r = rows_find(closing->snapshot, closing->filter, &closing->rows, err);
	if (r < 0)
		return r;
	session_read(closing->looking.host, &closing->session);
	r = units_ask(closing->snapshot, closing->rows.order, closing->rows.n_sockets,
		      &closing->arena, &closing->units);
	if (r < 0)
		return error_set(err, r, "ask systemd");
	r = beside_find(closing->looking.host, &closing->looking.scope, closing->snapshot,
			closing->rows.order, closing->rows.n_sockets, &closing->beside);
	if (r < 0)
		return error_set(err, r, "look what else the holders serve");
	struct planning planning = {
		.snapshot = closing->snapshot,
		.sockets = closing->rows.order,
		.n_sockets = closing->rows.n_sockets,
		.units = closing->units.data,
		.n_units = closing->units.n,
		.beside = closing->beside.data,
		.n_beside = closing->beside.n,
		.session = &closing->session,
		.options = &closing->options,
	};
	r = close_plan(&planning, &closing->plan);
	return r < 0 ? error_set(err, r, "plan the closing") : 0;
}

/* pid:N whose descriptors may not be read: that nothing was found of it does not say that it has
 * nothing. */
static int check_may_look(const struct closing *closing, char *const *targets, struct error *err)
{
	for (; targets && *targets; targets++) {
		struct exact exact;
		if (exact_parse(*targets, &exact, NULL) <= 0 || !exact.pid)
			continue;
		cleanup(closep) int fd = host_openat(closing->looking.host, O_RDONLY | O_DIRECTORY,
						     "proc/%d/fd", exact.pid);
		if (fd != -EACCES && fd != -EPERM)
			continue;
		error_text(err, fd, "%.40s: its sockets may not be looked at", *targets);
		if (privilege_hint())
			error_hint(err, "%s", privilege_hint());
		return fd;
	}
	return 0;
}

/* What a person is shown is the program: another in the same process is not what he confirms. */
static void note_programs(struct closing *closing)
{
	for (uint32_t i = 0; i < closing->plan.steps.n; i++) {
		struct step *step = plan_step(&closing->plan, i);
		for (uint32_t k = 0; k < step->n_holders && !step->is_refused; k++)
			step->holders[k].program =
				k && step->holders[k].pid == step->holders[k - 1].pid
					? step->holders[k - 1].program
					: guard_program(closing->looking.host,
							step->holders[k].pid);
	}
}

int closing_plan(const struct looking *looking, const struct closing_request *request,
		 struct closing *closing, struct error *err)
{
	closing->looking = *looking;
	const char *name = looking->scope.name;
	if (name) /* it is the caller's, who may be gone when it is done */
		name = arena_copy(&closing->arena, name, strlen(name));
	if (looking->scope.name && !name)
		return error_set(err, -ENOMEM, "plan the closing");
	closing->looking.scope.name = name;
	int r = parse(looking->services, request, closing, err);
	if (r >= 0)
		r = make_plan(closing, err);
	if (r >= 0)
		note_programs(closing);
	return r < 0 || closing->plan.steps.n ? r : check_may_look(closing, request->targets, err);
}

bool closing_is_refused(const struct closing *closing)
{
	for (uint32_t i = 0; i < closing->plan.steps.n; i++)
		if (!plan_step(&closing->plan, i)->is_refused)
			return false;
	return true;
}

bool closing_has_container(const struct closing *closing)
{
	for (uint32_t i = 0; i < closing->plan.steps.n; i++)
		if (plan_step(&closing->plan, i)->way == WAY_CONTAINER)
			return true;
	return false;
}

uint64_t closing_capabilities(const struct closing *closing)
{
	uint64_t needed = CAPS_CLOSE;
	for (uint32_t i = 0; i < closing->plan.steps.n; i++) {
		const struct step *step = plan_step(&closing->plan, i);
		if (step->way == WAY_UNIT && step->is_of_user)
			needed |= CAP(DAC_OVERRIDE);
	}
	return needed;
}

/* ---- doing it ---- */

int closing_act(struct closing *closing, const struct stop *stop, struct error *err)
{
	cleanup(netns_list_done) struct vector places;
	cleanup(vector_done) struct vector others;
	struct host *host = closing->looking.host;
	const struct netns_scope *scope = &closing->looking.scope;
	struct acting acting = {
		.host = host,
		.plan = &closing->plan,
		.options = &closing->options,
		.places = &places,
		.others = &others,
		.stop = stop,
	};
	vector_init(&places, sizeof(struct found_netns));
	vector_init(&others, sizeof(uint64_t));
	int r = netns_find(host, scope, NULL, &places, NULL, err);
	if (r >= 0 && !closing->has_all && (r = verify_note_others(&acting, &others)) < 0)
		return error_set(err, r, "look who else has the port");
	if (r >= 0)
		r = close_perform(&acting, err);
	return r < 0 ? r : verify_plan(&acting, scope, err);
}

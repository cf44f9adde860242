/* A snapshot and the options to steps. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "act/plan.h"
#include "model/ancestry.h"

#define MANAGERS_MAX 64 /* how far up a systemd is looked for */
#define ALSO_SHOWN 8

static bool ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), length = strlen(end);
	return n > length && strcmp(text + n - length, end) == 0;
}

const struct process *plan_manager(const struct snapshot *snapshot, const struct process *process)
{
	for (unsigned i = 0; process && i < MANAGERS_MAX; i++) {
		if (process->name && strcmp(process->name, "systemd") == 0)
			return process;
		process = process_parent(snapshot, process);
	}
	return NULL;
}

const char *plan_unit(const struct process *process)
{
	const char *unit = process->unit;
	/* user@1000.service is a whole session */
	return unit && ends_in(unit, ".service") && strncmp(unit, "user@", 5) != 0 ? unit : NULL;
}

/* ---- what is known of the holders ---- */

static void describe_holder(struct plan *plan, const struct snapshot *snapshot,
			    const struct holder *holder, struct step_holder *ret)
{
	const struct process *process = snapshot_process(snapshot, holder->process),
			     *parent = process_parent(snapshot, process);
	const struct container *container = snapshot_container(snapshot, process->container);
	char title[256];
	*ret = (struct step_holder){
		.pid = process->pid,
		.fd = holder->fd,
		.start_ticks = process->start_ticks,
		.uid = process->uid,
		.is_uid_known = process->known & KNOWN_UID,
		.parent = process->ppid,
	};
	if (process->name)
		ret->name = plan_text(plan, "%s", process_title(process, title, sizeof(title)));
	const char *user = ret->is_uid_known ? snapshot_user(snapshot, process->uid) : NULL;
	if (user)
		ret->user = plan_text(plan, "%s", user);
	if (process->unit)
		ret->unit = plan_text(plan, "%s", process->unit);
	if (container)
		ret->container =
			plan_text(plan, "%s", container->name ? container->name : container->id);
	if (parent && parent->name)
		ret->parent_name =
			plan_text(plan, "%s", process_title(parent, title, sizeof(title)));
}

int plan_describe_holders(struct plan *plan, const struct snapshot *snapshot, uint32_t socket,
			  struct step_holder **ret, uint32_t *ret_n)
{
	uint32_t n = 0, first = snapshot_socket(snapshot, socket)->holder;
	const struct holder *holder;
	for (holder = snapshot_holder(snapshot, first); holder;
	     holder = snapshot_holder(snapshot, holder->next))
		n++;
	*ret = n ? arena_alloc(&plan->arena, n * sizeof(**ret)) : NULL;
	*ret_n = *ret ? n : 0;
	if (n && !*ret)
		return -ENOMEM;
	uint32_t i = 0;
	for (holder = snapshot_holder(snapshot, first); holder;
	     holder = snapshot_holder(snapshot, holder->next))
		describe_holder(plan, snapshot, holder, *ret + i++);
	return 0;
}

void plan_identify(const struct snapshot *snapshot, uint32_t index, struct identity *ret)
{
	const struct socket *socket = snapshot_socket(snapshot, index);
	const struct netns *netns = snapshot_netns(snapshot, socket->netns);
	*ret = (struct identity){
		.cookie = socket->cookie,
		.netns = netns ? netns->inode : 0,
		.local = socket->local,
		.peer = socket->peer,
		.local_port = socket->local_port,
		.peer_port = socket->peer_port,
		.inode = socket->inode,
		.interface = socket->interface,
		.proto = socket->proto,
		.family = socket->family,
		.state = socket->state,
		.flags = socket->flags,
	};
}

/* ---- units and containers ---- */

static void add_unit(struct plan *plan, struct step *step, const char *name)
{
	for (uint8_t i = 0; i < step->n_units; i++)
		if (strcmp(step->units[i], name) == 0)
			return;
	if (step->n_units < STEP_UNITS_MAX)
		step->units[step->n_units++] = plan_text(plan, "%s", name);
}

static const struct unit_fact *find_fact(const struct planning *planning, int32_t manager,
					 const char *name)
{
	for (uint32_t i = 0; i < planning->n_units; i++)
		if (planning->units[i].manager == manager &&
		    strcmp(planning->units[i].name, name) == 0)
			return &planning->units[i];
	return NULL;
}

/* The service, and before it the .socket units that would start it again. */
static void add_service(const struct planning *planning, struct plan *plan, struct step *step,
			const char *service)
{
	const struct unit_fact *fact = find_fact(planning, step->manager, service);
	if (fact && fact->error)
		step->units_error = plan_text(plan, "%s", fact->error);
	for (uint8_t i = 0; fact && i < fact->n_triggers; i++)
		add_unit(plan, step, fact->triggers[i]);
	if (fact && fact->restart)
		step->restart = plan_text(plan, "%s", fact->restart);
	add_unit(plan, step, service);
}

/* All units that hold the socket, if all holders are in units of one systemd. */
static void find_units(const struct planning *planning, struct plan *plan, uint32_t socket,
		       struct step *step)
{
	const struct snapshot *snapshot = planning->snapshot;
	const struct answer_for *answer = snapshot_answer(snapshot, socket);
	const struct holder *holder;
	if (answer && answer->socket_unit)
		add_unit(plan, step, answer->socket_unit);
	for (holder = snapshot_holder(snapshot, snapshot_socket(snapshot, socket)->holder); holder;
	     holder = snapshot_holder(snapshot, holder->next)) {
		const struct process *process = snapshot_process(snapshot, holder->process),
				     *manager = plan_manager(snapshot, process);
		const char *unit = plan_unit(process);
		bool is_manager = manager == process && answer && answer->socket_unit;
		if (!manager || (!unit && !is_manager) ||
		    (step->manager && step->manager != manager->pid)) {
			step->n_units = 0;
			return;
		}
		step->manager = manager->pid;
		step->manager_uid = manager->uid;
		step->is_of_user = manager->cmdline && strstr(manager->cmdline, " --user");
		if (!is_manager)
			add_service(planning, plan, step, unit);
	}
	/* a service whose instance is not running yet, or one for each connection ("x@.service") */
	if (answer && answer->unit && step->n_units && !strstr(answer->unit, "@."))
		add_service(planning, plan, step, answer->unit);
}

static void find_container(const struct snapshot *snapshot, struct plan *plan, uint32_t socket,
			   struct step *step)
{
	const struct answer_for *answer = snapshot_answer(snapshot, socket);
	const struct holder *holder =
		snapshot_holder(snapshot, snapshot_socket(snapshot, socket)->holder);
	uint32_t index = answer && answer->container != NONE ? answer->container
			 : holder ? snapshot_process(snapshot, holder->process)->container
				  : NONE;
	const struct container *container = snapshot_container(snapshot, index);
	if (!container)
		return;
	step->engine = container->engine;
	step->container = plan_text(plan, "%s", container->id);
	step->container_name = plan_text(plan, "%s %s", engine_words[container->engine],
					 container->name ? container->name : container->id);
}

/* ---- what closes along ---- */

static bool is_held_by(const struct step *step, int32_t pid)
{
	for (uint32_t i = 0; i < step->n_holders; i++)
		if (step->holders[i].pid == pid)
			return true;
	return false;
}

static bool has_port(const struct step *step, const struct socket *socket)
{
	for (uint32_t i = 0; i < step->n_also; i++)
		if (step->also[i].proto == socket->proto &&
		    step->also[i].port == socket->local_port &&
		    step->also[i].family == socket->family &&
		    ip_equal(&step->also[i].local, &socket->local))
			return true;
	return false;
}

/* Each once, however many workers share it. */
static int find_also(const struct planning *planning, struct plan *plan, struct step *step)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < planning->n_beside; i++)
		n += is_held_by(step, planning->beside[i].pid);
	step->also = n ? arena_alloc(&plan->arena, n * sizeof(*step->also)) : NULL;
	if (n && !step->also)
		return -ENOMEM;
	for (uint32_t i = 0; n && i < planning->n_beside; i++) {
		const struct socket *socket = &planning->beside[i].socket;
		if (is_held_by(step, planning->beside[i].pid) && !has_port(step, socket))
			step->also[step->n_also++] = (struct step_port){
				socket->local, socket->local_port, socket->proto, socket->family};
	}
	return 0;
}

/* "nginx also serves tcp/443 and udp/443: they close too" */
static void tell_also(struct plan *plan, struct step *step)
{
	char ports[256] = "";
	size_t at = 0;
	uint32_t shown = 0, n = 0;
	for (uint32_t i = 0; i < step->n_also; i++) {
		const struct step_port *port = step->also + i;
		bool is_said = false; /* on another address */
		for (uint32_t k = 0; k < i; k++)
			is_said |= step->also[k].proto == port->proto &&
				   step->also[k].port == port->port;
		n += !is_said;
		if (is_said || shown == ALSO_SHOWN)
			continue;
		at += (size_t)snprintf(ports + at, sizeof(ports) - at, "%s%s/%u",
				       shown++ ? ", " : "", proto_words[port->proto], port->port);
	}
	if (n > shown)
		snprintf(ports + at, sizeof(ports) - at, " and %u more", n - shown);
	const char *name = step->holders[0].name;
	step_follows(step,
		     plan_text(plan, "%s also serves %s: %s%s too", name ? name : "its process",
			       ports, n > 1 ? "they close" : "it closes",
			       step->n_units ? ", unless systemd holds it," : ""));
}

/* ---- the way ---- */

static bool is_stoppable(uint8_t engine)
{
	return engine == ENGINE_DOCKER || engine == ENGINE_PODMAN;
}

static enum way choose(const struct step *step)
{
	if (!step_is_door(step))
		return WAY_SOCKET;
	if (step->container && is_stoppable(step->engine))
		return WAY_CONTAINER;
	/* without a word of systemd's only what it holds itself must be left to it */
	bool can_ask = !step->units_error || is_held_by(step, step->manager);
	return step->n_units && can_ask ? WAY_UNIT : WAY_PROCESS;
}

/* What no way can close. */
static bool is_beyond_reach(const struct planning *planning, struct plan *plan, struct step *step)
{
	const struct snapshot *snapshot = planning->snapshot;
	const char *user = snapshot_user(snapshot, step->uid);
	if (step->n_holders || !step_is_door(step))
		return false;
	if (step->held_by == HELD_KERNEL)
		step_refuse(step, -EPERM, "the kernel itself holds it: no process does",
			    "take away what made it, such as the tunnel or the mount");
	else
		step_refuse(
			step, -EPERM,
			user ? plan_text(
				       plan,
				       "the socket is of %s, and its process may not be inspected",
				       user)
			     : "it is held by a process that may not be inspected",
			snapshot->is_privileged ? NULL : "run it with sudo");
	return true;
}

static void tell_backlog(struct plan *plan, struct step *step)
{
	if (step->target.state != STATE_LISTEN || !step->recv_queue)
		return;
	bool is_one = step->recv_queue == 1;
	step_follows(step, plan_text(plan, "%u connection%s in the backlog and will be reset",
				     step->recv_queue, is_one ? " waits" : "s wait"));
}

static bool ends_holders(const struct step *step)
{
	return step->way == WAY_PROCESS || step->way == WAY_UNIT;
}

static void decide(const struct planning *planning, struct plan *plan, struct step *step)
{
	const struct close_options *options = planning->options;
	bool may_force;
	step->way = options->by == WAY_AUTO ? choose(step) : options->by;
	if (is_beyond_reach(planning, plan, step))
		return;
	const char *objection = session_objection(planning->session, step, &may_force);
	if (objection && !(may_force && options->is_forced)) {
		step_refuse(step, -EPERM, objection, may_force ? "--force does it" : NULL);
		return;
	}
	way_find(step->way)->plan(plan, options, step);
	if (step->is_refused)
		return;
	if (objection)
		step_follows(step, objection);
	if (step->n_also && ends_holders(step))
		tell_also(plan, step);
	tell_backlog(plan, step);
}

/* NULL: it is our own, or may not be told. */
static const char *name_place(struct plan *plan, const struct snapshot *snapshot, uint32_t socket)
{
	const struct netns *netns =
		snapshot_netns(snapshot, snapshot_socket(snapshot, socket)->netns);
	if (!netns || netns->is_self)
		return NULL;
	return netns->name ? plan_text(plan, "%s", netns->name)
			   : plan_text(plan, "net:%" PRIu64, netns->inode);
}

int close_plan(const struct planning *planning, struct plan *plan)
{
	for (uint32_t i = 0; i < planning->n_sockets; i++) {
		uint32_t index = planning->sockets[i];
		const struct socket *socket = snapshot_socket(planning->snapshot, index);
		struct step *step = vector_add(&plan->steps);
		if (!step)
			return -ENOMEM;
		*step = (struct step){.recv_queue = socket->recv_queue,
				      .held_by = socket->held_by,
				      .uid = socket->uid};
		plan_identify(planning->snapshot, index, &step->target);
		step->place = name_place(plan, planning->snapshot, index);
		if (plan_describe_holders(plan, planning->snapshot, index, &step->holders,
					  &step->n_holders) < 0 ||
		    find_also(planning, plan, step) < 0)
			return -ENOMEM;
		find_units(planning, plan, index, step);
		find_container(planning->snapshot, plan, index, step);
		decide(planning, plan, step);
		if (step->is_refused || !ends_holders(step))
			step->n_also = 0;
	}
	return 0;
}

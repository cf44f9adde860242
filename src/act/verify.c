/* Is each target free, and can its port be bound? */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "act/plan.h"
#include "act/presence.h"
#include "act/trial.h"
#include "act/verify.h"
#include "collect/collect.h"
#include "source/process.h"

/* So long a port that is free is watched for one that takes it again at once; longer where a
 * systemd is known to start the service again. */
#define SETTLE_MS 100
#define RESTART_MS 1000
#define TICK_MS 10

#define NEEDS                                                                              \
	(NEED_HOLDERS | NEED_STAT | NEED_CMDLINE | NEED_UID | NEED_CGROUP | NEED_PARENTS | \
	 NEED_USERS | NEED_NO_NSS | NEED_COOKIE | NEED_V6ONLY)

/* ---- what stands at the port now ---- */

static bool is_target(const struct plan *plan, const struct socket *socket)
{
	for (uint32_t i = 0; i < plan->steps.n; i++)
		if (presence_is_same(&plan_step(plan, i)->target, socket))
			return true;
	return false;
}

static bool is_other(const struct acting *acting, uint64_t cookie)
{
	for (uint32_t i = 0; acting->others && i < acting->others->n; i++)
		if (*(const uint64_t *)vector_at(acting->others, i) == cookie)
			return true;
	return false;
}

static bool state_is_door(uint8_t state)
{
	return state == STATE_LISTEN || state == STATE_UNCONN || state == STATE_BOUND;
}

/* One would keep the other from being bound, but for the options that both may have. */
static bool overlaps(const struct identity *target, const struct socket *socket)
{
	if (target->proto != socket->proto || target->local_port != socket->local_port)
		return false;
	if (ip_equal(&target->local, &socket->local))
		return true;
	bool target_any = ip_is_any(&target->local), socket_any = ip_is_any(&socket->local);
	if (target->family == socket->family)
		return target_any || socket_any;
	return (target->family == FAMILY_IPV6 && target_any && !(target->flags & SOCKET_V6ONLY)) ||
	       (socket->family == FAMILY_IPV6 && socket_any && !(socket->flags & SOCKET_V6ONLY));
}

struct newcomer {
	struct sink sink;
	const struct acting *acting;
	const struct step *step;
	bool is_there;
};

static int on_socket(struct sink *sink, const struct found_socket *found)
{
	struct newcomer *newcomer = (struct newcomer *)sink;
	const struct socket *socket = &found->socket;
	newcomer->is_there |= state_is_door(socket->state) &&
			      overlaps(&newcomer->step->target, socket) &&
			      !is_target(newcomer->acting->plan, socket) &&
			      !is_other(newcomer->acting, socket->cookie);
	return 0;
}

static bool came_back(const struct acting *acting, const struct step *step)
{
	struct newcomer newcomer = {.sink = {.socket = on_socket}, .acting = acting, .step = step};
	return presence_list(acting, &step->target, 1u << STATE_LISTEN | 1u << STATE_UNCONN,
			     &newcomer.sink) >= 0 &&
	       newcomer.is_there;
}

/* Waits until every door that is free now has been taken again, or for as long as that may take. */
static void settle(const struct acting *acting)
{
	uint64_t start = clock_ns();
	for (;;) {
		uint64_t waits_ms = 0;
		for (uint32_t i = 0; i < acting->plan->steps.n; i++) {
			const struct step *step = plan_step(acting->plan, i);
			if (!step->is_done || step->is_refused || !step_is_door(step) ||
			    came_back(acting, step) || presence_ask(acting, &step->target) == 1)
				continue;
			bool restarts = step->way != WAY_UNIT && step->restart &&
					strcmp(step->restart, "no") != 0;
			uint64_t ms = restarts ? RESTART_MS : SETTLE_MS;
			waits_ms = ms > waits_ms ? ms : waits_ms;
		}
		if (clock_ns() - start >= waits_ms * 1000000 || stop_wanted(acting->stop))
			return;
		poll(NULL, 0, TICK_MS);
	}
}

/* ---- who is there ---- */

enum life { LIFE_GONE, LIFE_EXITING, LIFE_ALIVE };

/* Of the process that had the socket. */
static enum life life_of(const struct host *host, const struct step_holder *holder)
{
	char text[1024];
	struct process_stat stat;
	ssize_t n = host_read(host, text, sizeof(text), "proc/%d/stat", holder->pid);
	if (n <= 0 || process_parse_stat(text, (size_t)n, &stat) < 0 || stat.state == 'Z' ||
	    stat.state == 'X' || (holder->start_ticks && stat.start_ticks != holder->start_ticks))
		return LIFE_GONE;
	return process_is_dying(host, holder->pid) ? LIFE_EXITING : LIFE_ALIVE;
}

/* None of them lives, and one at least is not gone yet. */
static bool is_dying(const struct host *host, const struct step_holder *holders, uint32_t n)
{
	bool is_any = false;
	for (uint32_t i = 0; i < n; i++) {
		enum life life = life_of(host, holders + i);
		if (life == LIFE_ALIVE)
			return false;
		is_any |= life == LIFE_EXITING;
	}
	return is_any;
}

static bool is_stopped(const struct host *host, int32_t pid)
{
	char text[1024];
	struct process_stat stat;
	ssize_t n = host_read(host, text, sizeof(text), "proc/%d/stat", pid);
	return n > 0 && process_parse_stat(text, (size_t)n, &stat) == 0 && stat.state == 'T';
}

static int tell_who(struct acting *acting, struct step *step, const struct snapshot *snapshot,
		    uint32_t socket)
{
	step->state_after = snapshot_socket(snapshot, socket)->state;
	return plan_describe_holders(acting->plan, snapshot, socket, &step->after, &step->n_after);
}

/* The target itself is still there. */
static int tell_bound(struct acting *acting, struct step *step, const struct snapshot *snapshot,
		      uint32_t socket)
{
	int r = tell_who(acting, step, snapshot, socket);
	bool dies = step->n_after ? is_dying(acting->host, step->after, step->n_after)
				  : is_dying(acting->host, step->holders, step->n_holders);
	step->outcome = dies ? OUTCOME_DYING : OUTCOME_BOUND;
	if (dies || step->is_refused || step->remark || !step->is_done)
		return r;
	if (step->n_after && is_stopped(acting->host, step->after[0].pid))
		step->remark = "its process is stopped: SIGTERM waits until it goes on";
	else if (step->way == WAY_PROCESS && !acting->options->is_forced)
		step->remark = plan_text(acting->plan,
					 "SIGTERM did not end it within %.1f s; --force sends "
					 "SIGKILL",
					 (double)acting->options->grace_ms / 1000);
	return r;
}

/* ---- can it be bound ---- */

static void count_obstacles(struct step *step, const struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		const struct netns *netns = snapshot_netns(snapshot, socket->netns);
		enum obstacle obstacle = OBSTACLE_OTHER;
		if (!netns || netns->inode != step->target.netns ||
		    !overlaps(&step->target, socket) || presence_is_same(&step->target, socket))
			continue;
		if (socket->state == STATE_TIME_WAIT)
			obstacle = OBSTACLE_TIME_WAIT;
		else if (!state_is_door(socket->state))
			obstacle = step->target.state == STATE_LISTEN ? OBSTACLE_ACCEPTED
								      : OBSTACLE_OUTGOING;
		step->obstacles[obstacle]++;
	}
}

static void try_binds(const struct acting *acting, struct step *step)
{
	const struct found_netns *place = presence_place(acting, &step->target);
	if (!place || !step_is_door(step) || step->target.proto == PROTO_RAW)
		return;
	step->bind_plain_error = trial_bind(place, &step->target, false);
	step->bind_reuseaddr_error = trial_bind(place, &step->target, true);
	step->bind_plain = step->bind_plain_error ? TRIAL_REFUSED : TRIAL_DONE;
	step->bind_reuseaddr = step->bind_reuseaddr_error ? TRIAL_REFUSED : TRIAL_DONE;
}

/* Nobody listens there any more, and yet no bind succeeds: what keeps it. */
static int tell_kept(struct acting *acting, struct step *step, const struct snapshot *snapshot)
{
	step->outcome = OUTCOME_FREE;
	if (step->bind_plain_error != -EADDRINUSE || step->bind_reuseaddr_error != -EADDRINUSE)
		return 0;
	step->outcome = OUTCOME_BOUND;
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		if (overlaps(&step->target, socket) && socket->state != STATE_TIME_WAIT)
			return tell_who(acting, step, snapshot, i);
	}
	return 0;
}

/* ---- the outcome ---- */

/* A connection that was ended is none any more, though its descriptor may stay for a while. */
static bool is_still_meant(struct step *step, const struct socket *socket)
{
	if (step_is_door(step) || !state_is_door(socket->state))
		return true;
	step->remark = "the connection is ended; its program has not closed the descriptor yet";
	return false;
}

static int judge(struct acting *acting, struct step *step, const struct snapshot *snapshot)
{
	uint32_t back = NONE;
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		const struct netns *netns = snapshot_netns(snapshot, socket->netns);
		if (!netns || netns->inode != step->target.netns)
			continue;
		if (presence_is_same(&step->target, socket) && is_still_meant(step, socket))
			return tell_bound(acting, step, snapshot, i);
		if (state_is_door(socket->state) && overlaps(&step->target, socket) &&
		    !is_target(acting->plan, socket) && !is_other(acting, socket->cookie))
			back = i;
	}
	if (!step_is_door(step)) {
		step->outcome = OUTCOME_FREE;
		return 0;
	}
	try_binds(acting, step);
	count_obstacles(step, snapshot);
	if (back == NONE)
		return tell_kept(acting, step, snapshot);
	step->outcome = OUTCOME_CAME_BACK;
	return tell_who(acting, step, snapshot, back);
}

static struct query query_of(const struct plan *plan, uint32_t needs)
{
	struct query query = {.bounds = BOUNDS_ALL, .needs = needs};
	query.bounds.protos = 0;
	query.bounds.port_first = UINT16_MAX;
	query.bounds.port_last = 0;
	for (uint32_t i = 0; i < plan->steps.n; i++) {
		const struct identity *target = &plan_step(plan, i)->target;
		query.bounds.protos |= 1u << target->proto;
		if (target->local_port < query.bounds.port_first)
			query.bounds.port_first = target->local_port;
		if (target->local_port > query.bounds.port_last)
			query.bounds.port_last = target->local_port;
	}
	return query;
}

struct noting {
	struct sink sink;
	const struct plan *plan;
	struct vector *others;
};

static int note_other(struct sink *sink, const struct found_socket *found)
{
	struct noting *noting = (struct noting *)sink;
	if (is_target(noting->plan, &found->socket))
		return 0;
	uint64_t *added = vector_add(noting->others);
	if (!added)
		return -ENOMEM;
	*added = found->socket.cookie;
	return 0;
}

int verify_note_others(const struct acting *acting, struct vector *ret)
{
	struct noting noting = {
		.sink = {.socket = note_other}, .plan = acting->plan, .others = ret};
	struct query query = query_of(acting->plan, 0);
	query.bounds.states = STATES_OPEN;
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < acting->places->n; i++) {
		r = presence_dump(acting, vector_at(acting->places, i), &query, &noting.sink);
		if (r == -EPERM || r == -EACCES)
			r = 0; /* nothing there was meant, nor is it looked at afterwards */
	}
	return r;
}

int verify_plan(struct acting *acting, const struct netns_scope *scope, struct error *err)
{
	struct query query = query_of(acting->plan, NEEDS);
	struct snapshot *snapshot;
	query.scope = *scope;
	settle(acting);
	int r = collect_snapshot(acting->host, &query, &snapshot, err);
	if (r < 0 && (scope->choice == NETNS_NAME || scope->choice == NETNS_PID)) {
		/* it went with the last process in it, but for the descriptor that we hold */
		query.scope = (struct netns_scope){.choice = NETNS_ALL};
		*err = (struct error){0};
		r = collect_snapshot(acting->host, &query, &snapshot, err);
	}
	if (r < 0)
		return r;
	for (uint32_t i = 0; r >= 0 && i < acting->plan->steps.n; i++) {
		struct step *step = plan_step(acting->plan, i);
		r = judge(acting, step, snapshot);
		if (step->outcome != OUTCOME_FREE && !step->remark && stop_wanted(acting->stop))
			step->remark = "it was broken off: who holds it was not looked for";
	}
	snapshot_free(snapshot);
	return r < 0 ? error_set(err, r, "look whether the ports are free") : 0;
}

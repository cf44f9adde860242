/* Sockets that listen or are bound: whoever has the port already. */
#include <errno.h>
#include <string.h>

#include "model/ancestry.h"
#include "source/process.h"
#include "why/cause.h"
#include "why/standing.h"
#include "why/words.h"

#define GROUPS_MAX 32 /* told one by one */
#define CHAIN_MAX 64

/* Programs that bind no port themselves: whoever started them left theirs open. */
static const char *const never_bind[] = {
	"sh",	 "bash",    "dash", "zsh",  "fish", "ksh",   "ash",  "tcsh", "sleep", "tail",
	"cat",	 "tee",	    "less", "more", "grep", "watch", "make", "su",   "sudo",  "env",
	"xargs", "timeout", "vi",   "vim",  "nano", "man",   "top",  "htop"};

static const char *exe_name(const struct process *process)
{
	const char *slash = process->exe ? strrchr(process->exe, '/') : NULL;
	return slash ? slash + 1 : process->name ? process->name : "";
}

static bool never_binds(const struct process *process)
{
	for (size_t i = 0; i < ARRAY_SIZE(never_bind); i++)
		if (strcmp(exe_name(process), never_bind[i]) == 0)
			return true;
	return false;
}

/* @process has it from an ancestor that holds it too and runs something else. */
static const struct process *giver_of(const struct snapshot *snapshot, const struct socket *socket,
				      const struct process *process)
{
	const struct process *above = process_parent(snapshot, process);
	for (unsigned i = 0; above && i < CHAIN_MAX; i++, above = process_parent(snapshot, above))
		for (const struct holder *at = snapshot_holder(snapshot, socket->holder); at;
		     at = snapshot_holder(snapshot, at->next))
			if (snapshot_process(snapshot, at->process) == above &&
			    strcmp(exe_name(above), exe_name(process)) != 0)
				return above;
	return NULL;
}

/* A holder that never asked for the port; who gave it in *@ret_giver, NULL where that one is gone.
 */
static const struct process *inheritor_of(const struct snapshot *snapshot,
					  const struct socket *socket,
					  const struct process **ret_giver)
{
	const struct process *found = NULL;
	bool has_other = false;
	*ret_giver = NULL;
	for (const struct holder *at = snapshot_holder(snapshot, socket->holder); at;
	     at = snapshot_holder(snapshot, at->next)) {
		const struct process *process = snapshot_process(snapshot, at->process),
				     *giver = giver_of(snapshot, socket, process);
		if (giver) {
			*ret_giver = giver;
			return process;
		}
		if (never_binds(process))
			found = process;
		else
			has_other = true;
	}
	return has_other ? NULL : found;
}

static enum cause_kind kind_of(struct inquiry *inquiry, uint32_t index, const struct socket *socket)
{
	const struct question *question = &inquiry->diagnosis->question;
	const struct process *giver, *holder = words_process(inquiry, socket);
	const struct answer_for *answer = snapshot_answer(inquiry->snapshot, index);
	if (holder && process_is_dying(inquiry->host, holder->pid))
		return CAUSE_DYING;
	if (socket->held_by == HELD_KERNEL)
		return CAUSE_KERNEL;
	if (answer && answer->container != NONE)
		return CAUSE_CONTAINER;
	if (inheritor_of(inquiry->snapshot, socket, &giver) && !giver)
		return CAUSE_INHERITED;
	if (question->attempt == ATTEMPT_LISTEN && socket->state == STATE_LISTEN)
		return CAUSE_SECOND_LISTEN;
	if (question->reuseport && socket->flags & SOCKET_UID_KNOWN && socket->uid != question->uid)
		return CAUSE_REUSEPORT_UID;
	if (question->reuseport ||
	    (question->reuseaddr && (socket->proto != PROTO_TCP || socket->state == STATE_BOUND)))
		return CAUSE_REUSE_MISMATCH;
	if (question_overlaps_by_dual_stack(question, socket) && !question->is_any_asked)
		return CAUSE_DUAL_STACK;
	if (socket->state == STATE_BOUND)
		return CAUSE_BOUND;
	return socket->proto == PROTO_TCP ? CAUSE_LISTENER : CAUSE_DATAGRAM;
}

static const char *does_what(const struct socket *socket)
{
	return socket->state == STATE_LISTEN  ? "listens on"
	       : socket->state == STATE_BOUND ? "has bound, without listening,"
					      : "has bound";
}

/* How the two addresses meet, where they are not the same. */
static const char *relation(struct inquiry *inquiry, const struct socket *socket)
{
	const struct question *question = &inquiry->diagnosis->question;
	bool mine_any = ip_is_any(&question->address), theirs_any = ip_is_any(&socket->local);
	if (ip_equal(&question->address, &socket->local))
		return "";
	if (theirs_any && !mine_any)
		return ", which takes every address of this family";
	return mine_any ? ", which a bind of any address would take as well" : "";
}

static const char *because(struct inquiry *inquiry, const struct cause *cause,
			   const struct socket *socket)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	const struct question *question = &diagnosis->question;
	const char *holder = words_holder(inquiry, socket), *local = words_local(inquiry, socket);
	const struct answer_for *answer;
	const struct container *container;
	switch (cause->what) {
	case CAUSE_DYING:
		return diagnosis_text(diagnosis,
				      "%s was told to end and is being torn down; until then it "
				      "still %s %s.",
				      holder, does_what(socket), local);
	case CAUSE_KERNEL:
		return diagnosis_text(
			diagnosis,
			"The kernel itself has bound %s (as vxlan, WireGuard, NFS and "
			"MPTCP endpoints do); no process holds it.",
			local);
	case CAUSE_CONTAINER:
		answer = snapshot_answer(inquiry->snapshot, cause->first_socket);
		container = snapshot_container(inquiry->snapshot, answer->container);
		return diagnosis_text(
			diagnosis, "%s %s %s for the %s container %s, which publishes the port.",
			holder, does_what(socket), local, engine_words[container->engine],
			container->name ? container->name : container->id);
	case CAUSE_INHERITED:
		return diagnosis_text(diagnosis,
				      "%s holds %s, but never asked for it: it inherited the "
				      "descriptor from whoever started it.",
				      holder, local);
	case CAUSE_SECOND_LISTEN:
		return diagnosis_text(diagnosis,
				      "%s listens on %s already. Both could bind it with "
				      "SO_REUSEADDR, but only the first may listen.",
				      holder, local);
	case CAUSE_REUSEPORT_UID:
		return diagnosis_text(diagnosis,
				      "%s %s %s. SO_REUSEPORT shares a port only among sockets of "
				      "one user: that one is of %s, yours of %s.",
				      holder, does_what(socket), local,
				      words_user(inquiry, socket->uid),
				      words_user(inquiry, question->uid));
	case CAUSE_REUSE_MISMATCH:
		return diagnosis_text(diagnosis, "%s %s %s without %s; both sockets need it.",
				      holder, does_what(socket), local,
				      question->reuseport ? "SO_REUSEPORT" : "SO_REUSEADDR");
	case CAUSE_DUAL_STACK:
		if (ip_is_any(&socket->local) && socket->family == FAMILY_IPV6)
			return diagnosis_text(diagnosis,
					      "%s %s %s, which takes IPv4 too (a dual-stack "
					      "wildcard: IPV6_V6ONLY is off).",
					      holder, does_what(socket), local);
		return diagnosis_text(diagnosis,
				      "%s %s %s, and a bind of [::] takes IPv4 too unless "
				      "IPV6_V6ONLY is set.",
				      holder, does_what(socket), local);
	default:
		return diagnosis_text(diagnosis, "%s %s %s%s.", holder, does_what(socket), local,
				      relation(inquiry, socket));
	}
}

static const char *close_it(struct inquiry *inquiry, const struct socket *socket)
{
	return diagnosis_text(
		inquiry->diagnosis,
		"close it with `doorward close %s`, or take another port (`doorward free%s`)",
		words_target(inquiry, socket), words_netns(inquiry, socket->netns));
}

static const char *remedy_of_open(struct inquiry *inquiry, uint32_t index,
				  const struct socket *socket)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	const struct answer_for *answer = snapshot_answer(inquiry->snapshot, index);
	const struct process *process = words_process(inquiry, socket);
	if (!process && socket->held_by == HELD_UNSEEN)
		return inquiry->snapshot->is_privileged
			       ? "no right shows which: it is on its way between processes, or of "
				 "one in another pid namespace"
			       : "run it with sudo to see which process that is";
	if (answer && answer->unit)
		return diagnosis_text(diagnosis,
				      "systemd holds it for %s: stop the .socket first, then the "
				      "service, or it comes back",
				      answer->unit);
	if (process && process->unit && strstr(process->unit, ".service"))
		return diagnosis_text(diagnosis,
				      "it belongs to %s: `systemctl stop %s`, or `doorward close "
				      "%s`, which does that",
				      process->unit, process->unit, words_target(inquiry, socket));
	return close_it(inquiry, socket);
}

static const char *remedy(struct inquiry *inquiry, const struct cause *cause, uint32_t index,
			  const struct socket *socket)
{
	const struct diagnosis *diagnosis = inquiry->diagnosis;
	switch (cause->what) {
	case CAUSE_DYING:
		return "wait until the kernel has given its memory back, and try again";
	case CAUSE_KERNEL:
		return "take another port, or remove the interface or service that the kernel "
		       "holds it for (`ip -d link`)";
	case CAUSE_CONTAINER:
		return "stop the container, or publish its port elsewhere";
	case CAUSE_INHERITED:
		return "end that process; the program that started it should set SOCK_CLOEXEC on "
		       "its sockets";
	case CAUSE_REUSEPORT_UID:
		return "run both as one user, or close the other";
	case CAUSE_REUSE_MISMATCH:
		return "set the option in the other program too, or close it";
	case CAUSE_DUAL_STACK:
		return diagnosis->question.is_v4
			       ? "set IPV6_V6ONLY on that socket (bindv6only), or close it"
			       : "set IPV6_V6ONLY, or bind one family only (--bind 0.0.0.0)";
	case CAUSE_BOUND:
		if (diagnosis->reuseaddr.is_tried && !diagnosis->reuseaddr.error)
			return standing_reuseaddr_remedy(inquiry);
		return close_it(inquiry, socket);
	default:
		return remedy_of_open(inquiry, index, socket);
	}
}

/* Sockets of one group are told in one sentence. */
static bool is_alike(const struct socket *a, const struct socket *b)
{
	return a->state == b->state && a->family == b->family && a->interface == b->interface &&
	       a->held_by == b->held_by && a->uid == b->uid && ip_equal(&a->local, &b->local);
}

static int tell_inherited_too(struct inquiry *inquiry, uint32_t index, const struct socket *socket)
{
	const struct process *giver, *heir = inheritor_of(inquiry->snapshot, socket, &giver);
	char title[256], from[256];
	if (!heir || !giver)
		return 0;
	struct cause *cause = diagnosis_add(inquiry->diagnosis, CAUSE_INHERITED, EADDRINUSE);
	if (!cause)
		return -ENOMEM;
	cause->because = diagnosis_text(inquiry->diagnosis,
					"%s (pid %d) holds it too, but never asked for it: it "
					"inherited the descriptor from "
					"%s (pid %d), and keeps the port when only that one ends.",
					process_title(heir, title, sizeof(title)), heir->pid,
					process_title(giver, from, sizeof(from)), giver->pid);
	cause->remedy = "end both; the program that started it should set SOCK_CLOEXEC on its "
			"sockets";
	return diagnosis_add_socket(inquiry->diagnosis, cause, index);
}

static int add_group(struct inquiry *inquiry, uint32_t first, bool is_sure, bool *taken)
{
	const struct snapshot *snapshot = inquiry->snapshot;
	const struct socket *socket = snapshot_socket(snapshot, first);
	enum cause_kind what = kind_of(inquiry, first, socket);
	struct cause *cause = diagnosis_add(inquiry->diagnosis, what, EADDRINUSE);
	if (!cause)
		return -ENOMEM;
	cause->is_sure = is_sure;
	int r = 0;
	for (uint32_t i = first; r >= 0 && i < snapshot->sockets.n; i++) {
		const struct socket *other = snapshot_socket(snapshot, i);
		bool also_sure;
		if (taken[i] || standing_is_connection(other) || !is_alike(socket, other) ||
		    !standing_in_the_way(inquiry, other, &also_sure))
			continue;
		taken[i] = true;
		r = diagnosis_add_socket(inquiry->diagnosis, cause, i);
	}
	cause->because = because(inquiry, cause, socket);
	cause->remedy = remedy(inquiry, cause, first, socket);
	return r < 0 || what == CAUSE_INHERITED ? r : tell_inherited_too(inquiry, first, socket);
}

/* Where both may bind, only one may listen. */
static int warn_of_second_listen(struct inquiry *inquiry, uint32_t index,
				 const struct socket *socket)
{
	const struct question *question = &inquiry->diagnosis->question;
	if (!question->reuseaddr || socket->state != STATE_BOUND ||
	    socket->local_port != question->port || socket->netns != question->netns ||
	    socket->proto != question->proto || !question_overlaps(question, socket))
		return 0;
	struct cause *cause = diagnosis_add(inquiry->diagnosis, CAUSE_SECOND_LISTEN, 0);
	if (!cause)
		return -ENOMEM;
	cause->because = diagnosis_text(
		inquiry->diagnosis,
		"%s has bound %s too, with SO_REUSEADDR: whichever of both listens first gets the "
		"port, the other EADDRINUSE from listen(), which no try of bind() can show.",
		words_holder(inquiry, socket), words_local(inquiry, socket));
	cause->remedy = close_it(inquiry, socket);
	return diagnosis_add_socket(inquiry->diagnosis, cause, index);
}

static int find(struct inquiry *inquiry)
{
	const struct snapshot *snapshot = inquiry->snapshot;
	cleanup(freep) bool *taken = calloc(snapshot->sockets.n + 1, sizeof(*taken));
	int r = taken ? 0 : -ENOMEM;
	unsigned n_groups = 0;
	for (uint32_t i = 0; r >= 0 && i < snapshot->sockets.n && n_groups < GROUPS_MAX; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		bool is_sure;
		if (taken[i] || standing_is_connection(socket))
			continue;
		if (!standing_in_the_way(inquiry, socket, &is_sure)) {
			r = warn_of_second_listen(inquiry, i, socket);
			continue;
		}
		r = add_group(inquiry, i, is_sure, taken);
		n_groups++;
	}
	return r;
}

const struct cause_family cause_socket = {.name = "sockets", .attempts = AT_BIND, .find = find};

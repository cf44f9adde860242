/* A question answered: tried, looked into, and both held against each other. */
#include <errno.h>

#include "why/cause.h"
#include "why/trial.h"

static int find_causes(struct inquiry *inquiry)
{
	uint32_t attempt = 1u << inquiry->diagnosis->question.attempt;
	int r = 0;
	for (unsigned i = 0; r >= 0 && cause_families[i]; i++)
		if (cause_families[i]->attempts & attempt)
			r = cause_families[i]->find(inquiry);
	return r;
}

static bool has_port(const struct snapshot *snapshot, uint32_t netns, uint16_t port)
{
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		if (socket->netns == netns && socket->local_port == port && socket_is_open(socket))
			return true;
	}
	return false;
}

uint32_t why_destination(const struct inquiry *inquiry)
{
	const struct snapshot *snapshot = inquiry->snapshot;
	const struct question *question = &inquiry->diagnosis->question;
	const struct netns *own = snapshot_netns(snapshot, question->netns);
	if (own && (netns_has_address(own, &question->address) || ip_is_any(&question->address)))
		return question->netns;
	/* several may have it, and which is linked to ours is not known: rather one with the port
	 */
	uint32_t found = NONE;
	for (uint32_t i = 0; i < snapshot->netns.n; i++)
		if (ip_reach(&question->address) != REACH_LOOPBACK &&
		    netns_has_address(snapshot_netns(snapshot, i), &question->address) &&
		    (found == NONE || has_port(snapshot, i, question->port)))
			found = i;
	return found;
}

/* Answered without leaving the sender: there is nothing to trace. */
static bool is_worth_tracing(int error)
{
	return error == ETIMEDOUT || error == ECONNREFUSED || error == EHOSTUNREACH ||
	       error == EPERM || error == ECONNRESET;
}

static int try_it(struct inquiry *inquiry)
{
	const struct diagnosis *diagnosis = inquiry->diagnosis;
	trial_run(inquiry);
	if (diagnosis->question.attempt != ATTEMPT_CONNECT || !diagnosis->answer.is_tried ||
	    !is_worth_tracing(diagnosis->answer.error))
		return 0;
	return traced_probe(inquiry);
}

int why_find(struct inquiry *inquiry, bool tries, struct error *err)
{
	struct tried seen = inquiry->diagnosis->answer;
	int r = 0;
	traced_init(&inquiry->traced);
	if (tries || inquiry->diagnosis->question.attempt == ATTEMPT_CONNECT)
		r = try_it(inquiry);
	if (!tries)
		inquiry->diagnosis->answer = seen;
	if (r >= 0)
		r = find_causes(inquiry);
	traced_done(&inquiry->traced);
	if (r < 0)
		return error_set(err, r, "find out why");
	diagnosis_agree(inquiry->diagnosis);
	return 0;
}

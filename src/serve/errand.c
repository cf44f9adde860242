/* Jobs as the desk sees them: begun, read, ended. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "serve/job.h"
#include "serve/state.h"

#define STORY_PATIENCE_S 30 /* a name service may hang */
#define PLAN_PATIENCE_S 60
#define ACT_PATIENCE_S 180 /* the longest grace, and a container's end */

static uint64_t in_seconds(unsigned seconds)
{
	return clock_ns() + UINT64_C(1000000000) * seconds;
}

static void refuse(struct desk *desk, uint32_t id, unsigned status, const char *what,
		   const char *hint)
{
	struct error err = {.code = 0};
	error_text(&err, -EAGAIN, "%s", what);
	if (hint)
		error_hint(&err, "%s", hint);
	reply_error(desk, id, status, &err);
}

/* How many of a kind are under way: plans, or stories. */
static unsigned count(const struct desk *desk, bool is_plan)
{
	unsigned n = 0;
	for (unsigned i = 0; i < JOBS_MAX; i++)
		n += desk->errands[i].fd >= 0 && (desk->errands[i].plan != 0) == is_plan;
	return n;
}

static struct errand *find_place(struct desk *desk)
{
	for (unsigned i = 0; i < JOBS_MAX; i++)
		if (desk->errands[i].fd < 0)
			return &desk->errands[i];
	return NULL;
}

/* Of the plans that wait to be confirmed the oldest goes: a page says of none that it was left, and
 * who looks at many plans would be kept from the next one. */
static void leave_oldest(struct desk *desk)
{
	struct errand *oldest = NULL;
	for (unsigned i = 0; i < JOBS_MAX; i++) {
		struct errand *errand = &desk->errands[i];
		if (errand->fd >= 0 && errand->is_planned && !errand->is_confirmed &&
		    (!oldest || errand->begun_ns < oldest->begun_ns))
			oldest = errand;
	}
	if (oldest)
		errand_end(oldest);
}

/* A name that nobody guesses; never 0. */
static uint64_t new_name(void)
{
	uint64_t name = 0;
	while (!name)
		if (getrandom(&name, sizeof(name), 0) != (ssize_t)sizeof(name))
			name = 0;
	return name;
}

void errand_begin(struct desk *desk, const struct request *request)
{
	bool is_plan = request->verb == VERB_PLAN;
	struct request asked = *request;
	if (is_plan && desk->settings->is_read_only) {
		refuse(desk, request->id, 403, "this server was started with --read-only", NULL);
		return;
	}
	if (is_plan && count(desk, true) >= PLANS_MAX)
		leave_oldest(desk);
	struct errand *errand = count(desk, is_plan) < (is_plan ? PLANS_MAX : STORIES_MAX)
					? find_place(desk)
					: NULL;
	if (!errand) {
		refuse(desk, request->id, 429,
		       is_plan ? "too many plans wait" : "too much is asked", "try again soon");
		return;
	}
	if (is_plan)
		asked.of = new_name();
	struct errand begun = {.asker = request->id,
			       .begun_ns = clock_ns(),
			       .plan = is_plan ? asked.of : 0,
			       .until_ns =
				       in_seconds(is_plan ? PLAN_PATIENCE_S : STORY_PATIENCE_S)};
	begun.fd = job_ask(desk->settings->maker, &asked);
	if (begun.fd >= 0 && out_init(&begun.in, -1) >= 0) {
		*errand = begun;
		return;
	}
	closep(&begun.fd);
	refuse(desk, request->id, 503, "no process could be started", NULL);
}

void errand_confirm(struct desk *desk, const struct request *request)
{
	struct errand *found = NULL;
	for (unsigned i = 0; i < JOBS_MAX; i++) {
		struct errand *errand = &desk->errands[i];
		if (errand->fd < 0 || !errand->plan)
			continue;
		if (errand->is_confirmed) {
			refuse(desk, request->id, 429, "another act is under way",
			       "try again soon");
			return;
		}
		if (errand->plan == request->of && errand->is_planned)
			found = errand;
	}
	if (!found ||
	    send(found->fd, request, sizeof(*request), MSG_NOSIGNAL) != (ssize_t)sizeof(*request)) {
		refuse(desk, request->id, 409, "that plan is gone: nothing was done",
		       "make the plan again");
		return;
	}
	found->asker = request->id;
	found->is_confirmed = true;
	found->until_ns = in_seconds(ACT_PATIENCE_S);
}

int errands_expire(struct desk *desk)
{
	uint64_t now = clock_ns(), next = UINT64_MAX;
	for (unsigned i = 0; i < JOBS_MAX; i++) {
		struct errand *errand = &desk->errands[i];
		if (errand->fd < 0 || !errand->until_ns)
			continue;
		if (errand->until_ns > now) {
			next = errand->until_ns < next ? errand->until_ns : next;
			continue;
		}
		refuse(desk, errand->asker, 503,
		       "it takes too long, and is not waited for any more", NULL);
		errand_end(errand);
	}
	return next == UINT64_MAX ? -1 : (int)((next - now) / 1000000u + 1);
}

void errand_end(struct errand *errand)
{
	if (errand->fd < 0)
		return;
	close(errand->fd);
	out_done(&errand->in);
	*errand = (struct errand){.fd = -1};
}

/* A whole reply goes on to who asked. */
static bool pass_on(struct desk *desk, struct errand *errand)
{
	struct reply reply;
	struct out *in = &errand->in;
	if (in->n < sizeof(reply))
		return false;
	memcpy(&reply, in->data, sizeof(reply));
	if (in->n < sizeof(reply) + reply.length)
		return false;
	size_t began = reply_begin(desk, errand->asker, (enum reply_kind)reply.kind, reply.status);
	out_bytes(&desk->out, in->data + sizeof(reply), reply.length);
	reply_end(desk, began, true);
	in->n = 0;
	errand->until_ns = 0;
	errand->is_planned = errand->plan != 0;
	return true;
}

void errand_read(struct desk *desk, struct errand *errand)
{
	if (!out_room(&errand->in, 65536)) {
		errand_end(errand);
		return;
	}
	ssize_t n = recv(errand->fd, errand->in.data + errand->in.n, 65536, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		errand->in.n += (size_t)n;
	bool is_over = n <= 0 || errand->in.n > REPLY_LENGTH_MAX;
	bool is_whole = pass_on(desk, errand);
	bool is_awaited = !errand->is_planned || (errand->is_confirmed && !is_whole);
	if (is_over && !is_whole && is_awaited)
		refuse(desk, errand->asker, 500, "the process that worked on it has ended", NULL);
	if (is_over || (is_whole && (!errand->plan || errand->is_confirmed)))
		errand_end(errand);
}

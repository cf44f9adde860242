/* Rates of the last ten minutes: of the host while a page looks, of a port or process from when it
 * was first asked for. Bounded: who was not asked for longest gives way. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/numbers.h"
#include "model/target.h"
#include "serve/rates.h"
#include "view/json.h"

static void add(struct course *course, const struct sample *sample)
{
	course->samples[course->next] = *sample;
	course->next = (course->next + 1) % SAMPLES_MAX;
	course->n += course->n < SAMPLES_MAX;
}

static bool concerns(const struct course *course, const struct snapshot *snapshot,
		     const struct socket *socket)
{
	if (course->of == RATES_HOST)
		return true;
	if (course->of == RATES_PORT)
		return course->protos & 1u << socket->proto &&
		       ((socket->local_port >= course->first &&
			 socket->local_port <= course->last));
	for (const struct holder *holder = snapshot_holder(snapshot, socket->holder); holder;
	     holder = snapshot_holder(snapshot, holder->next))
		if (snapshot_process(snapshot, holder->process)->pid == course->pid)
			return true;
	return false;
}

static void take(struct course *course, const struct snapshot *snapshot)
{
	struct sample sample = {.time = snapshot->time, .is_known = snapshot->flows != NULL};
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		if (!socket_has_peer(socket) || !concerns(course, snapshot, socket))
			continue;
		sample.connections++;
		struct rate rate = flows_get(snapshot->flows, i);
		if (rate.in != RATE_UNKNOWN) {
			sample.in += rate.in;
			sample.out += rate.out;
		}
	}
	add(course, &sample);
}

void rates_note(struct rates *rates, const struct snapshot *snapshot)
{
	take(&rates->host, snapshot);
	for (unsigned i = 0; i < COURSES_MAX; i++)
		if (rates->courses[i])
			take(rates->courses[i], snapshot);
}

static bool is_same(const struct course *a, const struct course *b)
{
	return a->of == b->of && a->protos == b->protos && a->first == b->first &&
	       a->last == b->last && a->pid == b->pid;
}

/* The one that is followed already, or a new one. NULL: no memory. */
static struct course *follow(struct rates *rates, const struct course *wanted)
{
	struct course **oldest = &rates->courses[0];
	for (unsigned i = 0; i < COURSES_MAX; i++) {
		struct course **course = &rates->courses[i];
		if (*course && is_same(*course, wanted))
			return *course;
		if (!*course || (*oldest && (*course)->asked < (*oldest)->asked))
			oldest = course;
	}
	free(*oldest);
	*oldest = calloc(1, sizeof(**oldest));
	if (*oldest)
		**oldest = *wanted;
	return *oldest;
}

static int parse(const struct request *request, const struct services *services, struct course *ret,
		 struct error *err)
{
	struct target target;
	uint32_t pid;
	*ret = (struct course){.of = request->rates_of};
	if (request->rates_of == RATES_PROCESS) {
		if (number_u32(request->target, 1, INT32_MAX, &pid) < 0)
			return error_text(err, -EINVAL, "%.60s is no process id", request->target);
		ret->pid = (int32_t)pid;
		return 0;
	}
	int r = target_parse(request->target, services, &target, err);
	if (r < 0)
		return r;
	ret->protos = target.protos;
	ret->first = target.first;
	ret->last = target.last;
	return 0;
}

enum column { TIME, IN, OUT, CONNECTIONS };

static void put_column(struct out *out, const struct course *course, enum column column)
{
	static const char *const keys[] = {"times", "in", "out", "connections"};
	out_format(out, "%s\"%s\":[", column == TIME ? "" : ",", keys[column]);
	for (unsigned i = 0; i < course->n; i++) {
		unsigned at = (course->next + SAMPLES_MAX - course->n + i) % SAMPLES_MAX;
		const struct sample *sample = &course->samples[at];
		out_string(out, i ? "," : "");
		if (column == TIME)
			out_format(out, "%.3f", sample->time);
		else if (column == CONNECTIONS)
			out_u64(out, sample->connections);
		else if (sample->is_known)
			out_u64(out, column == IN ? sample->in : sample->out);
		else
			out_string(out, "null");
	}
	out_char(out, ']');
}

int rates_answer(struct rates *rates, const struct request *request,
		 const struct services *services, struct out *out, struct error *err)
{
	struct course wanted, *course = &rates->host;
	if (request->rates_of != RATES_HOST) {
		int r = parse(request, services, &wanted, err);
		if (r < 0)
			return r;
		course = follow(rates, &wanted);
		if (!course)
			return error_set(err, -ENOMEM, "follow the rates");
		course->asked = ++rates->n_asked;
	}
	out_char(out, '{');
	for (unsigned column = TIME; column <= CONNECTIONS; column++)
		put_column(out, course, (enum column)column);
	out_string(out, "}\n");
	return 0;
}

void rates_done(struct rates *rates)
{
	for (unsigned i = 0; i < COURSES_MAX; i++)
		free(rates->courses[i]);
}

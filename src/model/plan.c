/* The nouns of closing. */
#include <stdarg.h>
#include <stdio.h>

#include "base/format.h"
#include "model/plan.h"

const char *const way_words[WAY_MAX + 1] = {"auto",   "unit",	 "container", "process",
					    "socket", "release", NULL};
const char *const outcome_words[OUTCOME_MAX + 1] = {"",	     "free",	  "still bound",
						    "dying", "came back", NULL};
const char *const obstacle_words[OBSTACLE_MAX + 1] = {
	"accepted connections", "TIME_WAIT", "outgoing connections", "other sockets", NULL};

void plan_init(struct plan *plan)
{
	vector_init(&plan->steps, sizeof(struct step));
	arena_init(&plan->arena);
}

void plan_done(struct plan *plan)
{
	vector_done(&plan->steps);
	arena_done(&plan->arena);
}

const char *plan_text(struct plan *plan, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	const char *kept = arena_intern_string(&plan->arena, text);
	return kept ? kept : "";
}

void step_refuse(struct step *step, int error, const char *because, const char *hint)
{
	step->is_refused = true;
	step->error = error;
	step->because = because;
	step->hint = hint;
}

void step_follows(struct step *step, const char *consequence)
{
	if (step->n_consequences < STEP_CONSEQUENCES_MAX)
		step->consequences[step->n_consequences++] = consequence;
}

bool step_is_door(const struct step *step)
{
	const struct identity *target = &step->target;
	return target->state == STATE_LISTEN || target->state == STATE_UNCONN ||
	       target->state == STATE_BOUND;
}

void identity_text(const struct identity *identity, char *to, size_t size)
{
	char address[FORMAT_IP_MAX + 1];
	const struct {
		const struct ip *ip;
		uint16_t port;
	} ends[] = {{&identity->local, identity->local_port},
		    {&identity->peer, identity->peer_port}};
	size_t n = (size_t)snprintf(to, size, "%s", proto_words[identity->proto]);
	for (unsigned i = 0; i < (identity->peer_port ? 2u : 1u) && n < size; i++) {
		bool is_v4 = identity->family == FAMILY_IPV4 || ip_is_mapped(ends[i].ip);
		address[ip_format(address, ends[i].ip, is_v4)] = '\0';
		n += (size_t)snprintf(to + n, size - n, is_v4 ? "%s%s:%u" : "%s[%s]:%u",
				      i ? "-" : "/", address, ends[i].port);
	}
}

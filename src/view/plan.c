/* What closing will do, and how it ended. */
#include <errno.h>

#include "base/format.h"
#include "view/json.h"
#include "view/plan.h"

#define PIDS_SHOWN 8

static const char *state_in_words(uint8_t state)
{
	switch (state) {
	case STATE_LISTEN:
		return "listening";
	case STATE_UNCONN:
		return "bound";
	case STATE_BOUND:
		return "bound, not listening";
	default:
		return state < STATE_MAX && state_words[state] ? state_words[state] : "";
	}
}

static const char *nobody_in_words(uint8_t held_by)
{
	return held_by == HELD_KERNEL	? "the kernel itself"
	       : held_by == HELD_NOBODY ? "no process"
					: "a process that may not be inspected";
}

/* "nginx (pid 812, 813) of root, nginx.service" */
static void write_holders(const struct page *page, struct out *out,
			  const struct step_holder *holders, uint32_t n)
{
	uint32_t shown = 0;
	int32_t last = 0;
	out_string(out, holders[0].name ? holders[0].name : "a process");
	for (uint32_t i = 0; i < n && shown < PIDS_SHOWN; i++) {
		if (holders[i].pid == last)
			continue;
		out_format(out, shown++ ? ", %d" : " (pid %d", holders[i].pid);
		last = holders[i].pid;
	}
	if (shown == PIDS_SHOWN && n > PIDS_SHOWN)
		out_string(out, page->is_utf8 ? ", …" : ", ...");
	out_char(out, ')');
	if (holders[0].user)
		out_format(out, " of %s", holders[0].user);
	if (holders[0].unit)
		out_format(out, ", %s", holders[0].unit);
	if (holders[0].container)
		out_format(out, ", container %s", holders[0].container);
}

static void write_action(struct out *out, const struct step *step)
{
	static const char *const verbs[WAY_MAX] = {
		[WAY_AUTO] = "nothing",
		[WAY_UNIT] = "stop %s through systemd",
		[WAY_CONTAINER] = "stop the container %s",
		[WAY_PROCESS] = "send SIGTERM to %s",
		[WAY_SOCKET] = "end %s with SOCK_DESTROY",
		[WAY_RELEASE] = "take the socket out of %s, which lives on",
	};
	const char *verb = verbs[step->way], *hole = strstr(verb, "%s");
	if (!hole) {
		out_string(out, verb);
		return;
	}
	out_bytes(out, verb, (size_t)(hole - verb));
	out_string(out, step->object ? step->object : "it");
	out_string(out, hole + 2);
}

static void put_text(const struct page *page, const char *label, const char *text)
{
	page_line(page, label, text, strlen(text));
}

static void put_heading(const struct page *page, const struct step *step, const char *what,
			struct out *text)
{
	char name[160];
	identity_text(&step->target, name, sizeof(name));
	out_format(text, "%s  %s", name, what);
	if (step->place)
		out_format(text, ", in network namespace %s", step->place);
	out_char(text, '\0');
	if (!text->error)
		page_heading(page, text->data);
	text->n = 0;
}

static void put_holders(const struct page *page, const char *label, const struct step *step,
			struct out *text)
{
	if (step->n_holders)
		write_holders(page, text, step->holders, step->n_holders);
	else
		out_string(text, nobody_in_words(step->held_by));
	page_flush(page, label, text);
}

static void put_refusal(const struct page *page, const struct step *step)
{
	page_warning(page, "refused", step->because, strlen(step->because));
	if (step->hint)
		put_text(page, "", step->hint);
}

void plan_print(const struct page *page, const struct plan *plan)
{
	struct out text;
	if (out_init(&text, -1) < 0) {
		page->out->error = -ENOMEM;
		return;
	}
	for (uint32_t i = 0; i < plan->steps.n; i++) {
		const struct step *step = plan_step(plan, i);
		put_heading(page, step, state_in_words(step->target.state), &text);
		put_holders(page, "held by", step, &text);
		if (step->is_refused) {
			put_refusal(page, step);
			continue;
		}
		write_action(&text, step);
		page_flush(page, "will", &text);
		if (step->because)
			put_text(page, "because", step->because);
		for (uint8_t k = 0; k < step->n_consequences; k++)
			put_text(page, k ? "" : "follows", step->consequences[k]);
	}
	out_done(&text);
}

/* "yes", "no: address already in use". */
static void write_trial(struct out *out, const char *how, enum trial trial, int error)
{
	out_format(out, "%s: %s", how,
		   trial == TRIAL_NOT_TRIED ? "not tried"
		   : trial == TRIAL_DONE    ? "yes"
					    : "no");
	if (trial == TRIAL_REFUSED)
		out_format(out, " (%s)", error_reason(error));
}

static void put_trials(const struct page *page, const struct step *step, struct out *text)
{
	if (step->bind_plain == TRIAL_NOT_TRIED && step->bind_reuseaddr == TRIAL_NOT_TRIED)
		return;
	write_trial(text, "plain", step->bind_plain, step->bind_plain_error);
	write_trial(text, "; with SO_REUSEADDR", step->bind_reuseaddr, step->bind_reuseaddr_error);
	page_flush(page, "bind", text);
	bool is_any = false;
	for (unsigned i = 0; i < OBSTACLE_MAX; i++) {
		if (!step->obstacles[i])
			continue;
		out_format(text, "%s%u %s", is_any ? ", " : "", step->obstacles[i],
			   obstacle_words[i]);
		is_any = true;
	}
	if (is_any)
		page_flush(page, "in the way", text);
}

static void put_after(const struct page *page, const struct step *step, struct out *text)
{
	if (!step->n_after)
		return;
	write_holders(page, text, step->after, step->n_after);
	if (step->after[0].parent_name)
		out_format(text, ", started by %s (pid %d)", step->after[0].parent_name,
			   step->after[0].parent);
	if (step->state_after)
		out_format(text, ", %s", state_in_words(step->state_after));
	page_flush(page, "held by", text);
}

static void put_outcome(const struct page *page, const struct step *step, struct out *text)
{
	put_heading(page, step, outcome_words[step->outcome], text);
	put_after(page, step, text);
	if (step->is_refused)
		put_refusal(page, step);
	if (step->remark)
		put_text(page, step->outcome == OUTCOME_FREE ? "and" : "because", step->remark);
	put_trials(page, step, text);
}

/* What became of sockets that are alike, as those of workers, is told once. */
static void put_more(const struct page *page, uint32_t n_more, struct out *text)
{
	if (!n_more)
		return;
	out_format(text, "%u more socket%s of the same address, alike", n_more,
		   n_more == 1 ? "" : "s");
	page_flush(page, "and", text);
}

void plan_print_outcome(const struct page *page, const struct plan *plan)
{
	struct out text, one, before;
	int r = out_init(&text, -1);
	r = out_init(&one, -1) < 0 ? -ENOMEM : r;
	r = out_init(&before, -1) < 0 ? -ENOMEM : r;
	struct page to = *page;
	to.out = &one;
	uint32_t n_more = 0;
	for (uint32_t i = 0; r >= 0 && i < plan->steps.n; i++) {
		one.n = 0;
		put_outcome(&to, plan_step(plan, i), &text);
		r = one.error;
		if (i && one.n == before.n && memcmp(one.data, before.data, one.n) == 0) {
			n_more++;
			continue;
		}
		put_more(page, n_more, &text);
		n_more = 0;
		out_bytes(page->out, one.data, one.n);
		before.n = 0;
		out_bytes(&before, one.data, one.n);
	}
	put_more(page, n_more, &text);
	if (r < 0 || before.error)
		page->out->error = -ENOMEM;
	out_done(&before);
	out_done(&one);
	out_done(&text);
}

/* ---- JSON ---- */

static void json_key(struct out *out, const char *key)
{
	out_format(out, "\"%s\":", key);
}

static void json_string(struct out *out, const char *key, const char *text)
{
	json_key(out, key);
	json_text(out, text && text[0] ? text : NULL);
	out_char(out, ',');
}

static void json_end_of(struct out *out, const char *key, const struct ip *ip, bool is_v4,
			uint16_t port)
{
	char address[FORMAT_IP_MAX];
	size_t n = ip_format(address, ip, is_v4);
	out_format(out, "\"%s_address\":\"%.*s\",\"%s_port\":%u,", key, (int)n, address, key, port);
}

static void json_identity(struct out *out, const struct identity *target)
{
	bool is_v4 = target->family == FAMILY_IPV4;
	json_string(out, "proto", proto_words[target->proto]);
	json_end_of(out, "local", &target->local, is_v4, target->local_port);
	if (target->peer_port)
		json_end_of(out, "peer", &target->peer, is_v4, target->peer_port);
	else
		out_string(out, "\"peer_address\":null,\"peer_port\":null,");
	json_string(out, "state", state_words[target->state]);
	out_string(out, "\"netns\":");
	out_u64(out, target->netns);
	out_string(out, ",\"cookie\":");
	if (target->cookie)
		out_u64(out, target->cookie);
	else
		out_string(out, "null");
	out_char(out, ',');
}

static void json_holders(struct out *out, const char *key, const struct step_holder *holders,
			 uint32_t n)
{
	json_key(out, key);
	out_char(out, '[');
	for (uint32_t i = 0; i < n; i++) {
		const struct step_holder *holder = holders + i;
		out_format(out, "%s{\"pid\":%d,\"fd\":%d,", i ? "," : "", holder->pid, holder->fd);
		json_string(out, "name", holder->name);
		json_string(out, "user", holder->user);
		json_string(out, "unit", holder->unit);
		json_string(out, "container", holder->container);
		json_string(out, "parent_name", holder->parent_name);
		out_format(out, "\"parent_pid\":%d}", holder->parent);
	}
	out_string(out, "],");
}

static void json_also(struct out *out, const struct step *step)
{
	out_string(out, "\"also_closes\":[");
	for (uint32_t i = 0; i < step->n_also; i++) {
		const struct step_port *port = step->also + i;
		char address[FORMAT_IP_MAX];
		size_t n = ip_format(address, &port->local, port->family == FAMILY_IPV4);
		out_format(out, "%s{\"proto\":\"%s\",\"local_address\":\"%.*s\",\"local_port\":%u}",
			   i ? "," : "", proto_words[port->proto], (int)n, address, port->port);
	}
	out_string(out, "],");
}

static void json_trial(struct out *out, const char *key, enum trial trial)
{
	out_format(out, "\"%s\":%s,", key,
		   trial == TRIAL_NOT_TRIED ? "null"
		   : trial == TRIAL_DONE    ? "true"
					    : "false");
}

static void json_obstacles(struct out *out, const struct step *step)
{
	const char *before = "";
	out_string(out, "\"in_the_way\":[");
	for (unsigned i = 0; i < OBSTACLE_MAX; i++) {
		if (!step->obstacles[i])
			continue;
		out_format(out, "%s{\"what\":\"%s\",\"count\":%u}", before, obstacle_words[i],
			   step->obstacles[i]);
		before = ",";
	}
	out_char(out, ']');
}

static void json_step(struct out *out, const struct step *step)
{
	out_char(out, '{');
	json_identity(out, &step->target);
	json_holders(out, "holders", step->holders, step->n_holders);
	json_string(out, "way", step->way == WAY_AUTO ? NULL : way_words[step->way]);
	json_string(out, "object", step->object);
	out_format(out, "\"refused\":%s,", step->is_refused ? "true" : "false");
	json_string(out, "because", step->because);
	json_string(out, "hint", step->hint);
	out_string(out, "\"consequences\":[");
	for (uint8_t i = 0; i < step->n_consequences; i++) {
		out_string(out, i ? "," : "");
		json_text(out, step->consequences[i]);
	}
	out_string(out, "],");
	json_also(out, step);
	json_string(out, "outcome", outcome_words[step->outcome]);
	json_string(out, "remark", step->remark);
	json_string(out, "state_after", step->state_after ? state_words[step->state_after] : NULL);
	json_holders(out, "holders_after", step->after, step->n_after);
	json_trial(out, "bind_plain", step->bind_plain);
	json_trial(out, "bind_reuseaddr", step->bind_reuseaddr);
	json_obstacles(out, step);
	out_char(out, '}');
}

static void plan_json(struct out *out, const struct plan *plan)
{
	out_string(out, "\"steps\":[");
	for (uint32_t i = 0; i < plan->steps.n; i++) {
		out_string(out, i ? "," : "");
		json_step(out, plan_step(plan, i));
	}
	out_char(out, ']');
}

void plan_document(struct out *out, const struct snapshot *snapshot, const struct plan *plan,
		   bool is_done)
{
	bool is_free = is_done;
	for (uint32_t i = 0; i < plan->steps.n; i++)
		is_free &= plan_step(plan, i)->outcome == OUTCOME_FREE;
	out_char(out, '{');
	json_envelope(out, snapshot);
	out_format(out, ",\"acted\":%s,\"free\":%s,", is_done ? "true" : "false",
		   is_done ? is_free ? "true" : "false" : "null");
	plan_json(out, plan);
	out_string(out, "}\n");
}

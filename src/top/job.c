/* One thing that a key asked for, done by the functions of the commands. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "collect/deliveries.h"
#include "collect/story.h"
#include "model/target.h"
#include "top/jobs.h"
#include "view/block.h"
#include "view/csv.h"
#include "view/delivery.h"
#include "view/diagnosis.h"
#include "view/json.h"
#include "view/line.h"
#include "view/plan.h"
#include "view/story.h"
#include "view/table.h"
#include "why/answering.h"

static struct page page_of(struct job *job)
{
	return (struct page){.out = &job->text, .is_utf8 = job->is_utf8, .columns = job->columns};
}

/* ---- looking ---- */

static int do_story(struct job *job, const struct looking *looking, struct error *err)
{
	cleanup(story_facts_done) struct story_facts facts;
	struct page page = page_of(job);
	story_facts_init(&facts);
	int r = story_find(looking, job->target, &facts, err);
	if (r < 0)
		return r;
	const struct story story = {
		.target = job->target,
		.rows = &facts.rows,
		.explanation = facts.is_explained ? &facts.explanation : NULL,
		.remarks = &facts.remarks,
		.peers = &facts.peers,
		.timed = facts.timed.data,
	};
	story_print(&page, &story);
	return 0;
}

static int do_why(struct job *job, const struct looking *looking, struct error *err)
{
	cleanup(answering_done) struct answering answering;
	const struct socket *socket = &job->socket;
	struct page page = page_of(job);
	struct question question = {
		.attempt = ATTEMPT_BIND,
		.netns = NONE,
		.proto = socket->proto,
		.port = socket->local_port,
		.address = socket->local,
		.is_v4 = socket->family == FAMILY_IPV4,
		.is_any_asked = ip_is_any(&socket->local),
	};
	answering_init(&answering, looking->host, &question);
	int r = answering_collect(&answering, looking, false, err);
	if (r < 0)
		return r;
	subject_self(looking->host, &answering.inquiry.subject);
	answering_set_subject(&answering);
	r = why_find(&answering.inquiry, true, err);
	if (r >= 0)
		diagnosis_print(&page, answering.snapshot, &answering.diagnosis);
	return r;
}

static int do_deliver(struct job *job, const struct looking *looking, struct error *err)
{
	cleanup(deliveries_done) struct deliveries deliveries;
	struct page page = page_of(job);
	const struct delivery_request request = {.to = job->target,
						 .proto = (enum proto)job->socket.proto};
	deliveries_init(&deliveries);
	int r = deliveries_find(looking, &request, &deliveries, err);
	if (r >= 0 && !deliveries.list.n)
		delivery_print_none(&page);
	for (uint32_t i = 0; r >= 0 && i < deliveries.list.n; i++) {
		const struct delivery *delivery = deliveries_at(&deliveries, i);
		if (deliveries.list.n == 1)
			delivery_print(&page, deliveries.snapshot, delivery);
		else
			delivery_print_short(&page, deliveries.snapshot, delivery);
	}
	return r;
}

/* ---- closing ---- */

static int do_plan(struct job *job, const struct looking *looking, struct error *err)
{
	struct page page = page_of(job);
	const struct closing_request request = {
		.filter = job->filter,
		.options =
			{
				.by = job->is_unheld ? WAY_SOCKET : WAY_AUTO,
				.grace_ms = CLOSE_GRACE_MS,
				.is_forced = job->is_forced,
				.takes_connections = job->takes_connections,
			},
	};
	job->closing = malloc(sizeof(*job->closing));
	if (!job->closing)
		return error_set(err, -ENOMEM, "plan the closing");
	closing_init(job->closing);
	int r = closing_plan(looking, &request, job->closing, err);
	if (r < 0)
		return r;
	if (!job->closing->plan.steps.n) {
		out_string(&job->text, "nothing is open there any more\n");
		return 0;
	}
	plan_print(&page, &job->closing->plan);
	job->asks = !closing_is_refused(job->closing);
	return 0;
}

static int do_close(struct job *job, const struct stop *stop, struct error *err)
{
	struct page page = page_of(job);
	int r = closing_act(job->closing, stop, err);
	if (r >= 0)
		plan_print_outcome(&page, &job->closing->plan);
	return r;
}

/* ---- blocking ---- */

/* The same namespace; all of them: our own. */
static int open_place(const struct looking *looking, struct blocking *blocking, struct error *err)
{
	struct netns_scope scope = looking->scope;
	if (scope.choice == NETNS_ALL)
		scope.choice = NETNS_SELF;
	return blocking_open(looking->host, &scope, blocking, err);
}

static int ask_blocked(struct job *job, struct blocking *blocking, struct error *err)
{
	int r = block_read(&blocking->place, &blocking->table, err);
	for (uint32_t i = 0; r >= 0 && i < blocking->wanted.n; i++) {
		const struct block *wanted = vector_at(&blocking->wanted, i);
		for (uint32_t k = 0; k < blocking->table.blocks.n; k++) {
			const struct block *block = vector_at(&blocking->table.blocks, k);
			if (block->proto != wanted->proto || wanted->first < block->first ||
			    wanted->first > block->last)
				continue;
			job->is_blocked = true;
			out_string(&job->text, "blocked: ");
			block_sentence(&job->text, block);
			out_char(&job->text, '\n');
		}
	}
	if (r >= 0 && !job->is_blocked)
		out_format(&job->text, "%s is not blocked\n", job->target);
	job->asks = r >= 0;
	return r;
}

static int change_blocks(struct job *job, const struct looking *looking,
			 const struct blocking_request *request, struct blocking *blocking,
			 struct error *err)
{
	struct cut cut = {.n_ended = 0};
	uint32_t n = 0;
	int r = 0;
	if (job->kind == JOB_BLOCK)
		r = blocking_add(looking->host, request, blocking, &cut, err);
	else
		r = block_remove(&blocking->place, &blocking->wanted, false, &blocking->table, &n,
				 err);
	for (uint32_t i = 0; r >= 0 && job->kind == JOB_BLOCK && i < blocking->wanted.n; i++) {
		const struct block *block =
			block_find(&blocking->table, vector_at(&blocking->wanted, i));
		if (!block)
			continue;
		block_sentence(&job->text, block);
		out_char(&job->text, '\n');
	}
	if (r >= 0 && job->kind == JOB_UNBLOCK)
		out_format(&job->text, "%u unblocked\n", n);
	return r;
}

static int do_blocking(struct job *job, const struct looking *looking, struct error *err)
{
	cleanup(blocking_done) struct blocking blocking;
	char *targets[] = {job->target, NULL};
	const struct blocking_request request = {.targets = targets,
						 .from = job->from_outside ? "outside" : NULL,
						 .seconds = job->seconds};
	blocking_init(&blocking);
	int r = blocking_parse(looking->services, &request, &blocking, err);
	if (r >= 0)
		r = open_place(looking, &blocking, err);
	if (r < 0)
		return r;
	return job->kind == JOB_BLOCKED ? ask_blocked(job, &blocking, err)
					: change_blocks(job, looking, &request, &blocking, err);
}

/* ---- writing ---- */

static void write_lines(struct out *out, const struct rows *rows, struct json_shape *shape)
{
	for (uint32_t i = 0; i < rows->n_sockets; i++) {
		json_socket(out, shape, rows->snapshot, rows->order[i]);
		out_char(out, '\n');
	}
	json_end(out, rows->snapshot);
}

static int write_form(struct job *job, struct out *out)
{
	const struct rows *rows = &job->shown->rows;
	const struct table_style style = {.is_utf8 = job->is_utf8};
	if (job->form == FORM_CSV)
		return csv_print(out, rows, job->choice.columns);
	if (job->form == FORM_TABLE)
		return table_print(out, rows, job->choice.columns, &style);
	if (job->shown->is_events)
		return lines_print(out, rows, job->form == FORM_JSON);
	struct json_shape *shape = json_shape_new(job->choice.columns);
	if (!shape)
		return -ENOMEM;
	if (job->form == FORM_JSON)
		json_print(out, rows, shape);
	else
		write_lines(out, rows, shape);
	json_shape_free(shape);
	return 0;
}

static int do_write(struct job *job, struct error *err)
{
	cleanup(out_done) struct out out = {.fd = -1};
	int r = out_init(&out, job->fd);
	if (r >= 0)
		r = write_form(job, &out);
	int flushed = out_flush(&out);
	if (r >= 0)
		r = flushed;
	if (r < 0)
		return error_set(err, r, "write %.100s", job->target);
	bool is_of_rows = job->form == FORM_TABLE || job->form == FORM_CSV;
	uint32_t n = is_of_rows ? job->shown->rows.n_rows : job->shown->rows.n_sockets;
	out_format(&job->text, n == 1 ? "%u %s is in %s\n" : "%u %ss are in %s\n", n,
		   is_of_rows		   ? "row"
		   : job->shown->is_events ? "event"
					   : "socket",
		   job->target);
	return 0;
}

void job_do(struct job *job, const struct looking *looking, const struct stop *stop)
{
	struct looking where = *looking;
	struct error *err = &job->error;
	if (job->netns[0])
		where.scope = (struct netns_scope){.choice = NETNS_NAME, .name = job->netns};
	else if (job->kind != JOB_STORY && job->kind != JOB_PLAN)
		where.scope = (struct netns_scope){.choice = NETNS_SELF};
	switch (job->kind) {
	case JOB_STORY:
		job->result = do_story(job, &where, err);
		break;
	case JOB_WHY:
		job->result = do_why(job, &where, err);
		break;
	case JOB_DELIVER:
		job->result = do_deliver(job, &where, err);
		break;
	case JOB_PLAN:
		job->result = do_plan(job, &where, err);
		break;
	case JOB_CLOSE:
		job->result = do_close(job, stop, err);
		break;
	case JOB_WRITE:
		job->result = do_write(job, err);
		break;
	default:
		job->result = do_blocking(job, &where, err);
	}
	if (job->result < 0 && !err->code)
		error_set(err, job->result, "it did not work");
	if (job->result >= 0 && job->text.error)
		job->result = error_set(err, job->text.error, "tell it");
}

/* What many events come to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "model/summary.h"

const char *const summary_words[SUMMARY_MAX + 1] = {"ports", "processes", "peers"};

struct part {
	struct vector lines; /* struct summary_line */
	struct table by_label;
	uint64_t n_others;
};

struct summary {
	uint64_t kinds[EVENT_MAX];
	struct part parts[SUMMARY_MAX];
};

static uint64_t hash_label(const char *label)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
	for (; *label; label++)
		hash = (hash ^ (unsigned char)*label) * 0x100000001b3;
	return hash;
}

static uint64_t key_of_line(const void *owner, uint32_t index)
{
	const struct part *part = owner;
	return hash_label(((const struct summary_line *)vector_at(&part->lines, index))->label);
}

struct summary *summary_new(void)
{
	struct summary *summary = calloc(1, sizeof(*summary));
	for (unsigned i = 0; summary && i < SUMMARY_MAX; i++) {
		struct part *part = &summary->parts[i];
		vector_init(&part->lines, sizeof(struct summary_line));
		table_init(&part->by_label, key_of_line, part);
	}
	return summary;
}

void summary_free(struct summary *summary)
{
	for (unsigned i = 0; summary && i < SUMMARY_MAX; i++) {
		table_done(&summary->parts[i].by_label);
		vector_done(&summary->parts[i].lines);
	}
	free(summary);
}

static struct summary_line *find(struct part *part, const char *label)
{
	uint64_t key = hash_label(label);
	uint32_t place, index = table_find(&part->by_label, key, &place);
	for (; index != TABLE_NONE; index = table_next(&part->by_label, key, &place)) {
		struct summary_line *line = vector_at(&part->lines, index);
		if (strcmp(line->label, label) == 0)
			return line;
	}
	struct summary_line *added = part->lines.n < SUMMARY_MOST ? vector_add(&part->lines) : NULL;
	if (!added)
		return NULL;
	*added = (struct summary_line){.count = 0};
	snprintf(added->label, sizeof(added->label), "%s", label);
	if (table_add(&part->by_label, key, part->lines.n - 1) < 0) {
		part->lines.n--;
		return NULL;
	}
	return added;
}

static void count(struct part *part, const char *label, uint64_t n)
{
	struct summary_line *line = find(part, label);
	*(line ? &line->count : &part->n_others) += n;
}

void summary_event(struct summary *summary, const struct event *event)
{
	char label[SUMMARY_LABEL_MAX] = "";
	uint64_t n = event->kind == EVENT_LOST || event->kind == EVENT_KNOCK ? event->count : 1;
	const struct socket *socket = event_socket(event);
	summary->kinds[event->kind] += n;
	if (!socket)
		return;
	/* of a connection that was dialled the port is the other end's */
	bool is_outward = socket->role == ROLE_DIALLED || event->kind == EVENT_CONNECT_FAILED;
	snprintf(label, sizeof(label), "%s/%u", proto_words[socket->proto],
		 (unsigned)(is_outward && socket->peer_port ? socket->peer_port
							    : socket->local_port));
	count(&summary->parts[SUMMARY_PORT], label, n);

	const struct holder *holder = snapshot_holder(event->snapshot, socket->holder);
	const struct process *process =
		event->by != NONE ? snapshot_process(event->snapshot, event->by)
		: holder	  ? snapshot_process(event->snapshot, holder->process)
				  : NULL;
	if (process)
		count(&summary->parts[SUMMARY_PROCESS],
		      process_title(process, label, sizeof(label)), n);
	if (!socket_has_peer(socket))
		return;
	label[ip_format(label, &socket->peer, ip_is_mapped(&socket->peer))] = '\0';
	count(&summary->parts[SUMMARY_PEER], label, n);
}

uint64_t summary_kind(const struct summary *summary, enum event_kind kind)
{
	return summary->kinds[kind];
}

static int compare(const void *a, const void *b)
{
	const struct summary_line *x = a, *y = b;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(x->label, y->label);
}

const struct summary_line *summary_lines(struct summary *summary, enum summary_by by, uint32_t *n,
					 uint64_t *ret_others)
{
	struct part *part = &summary->parts[by];
	if (part->lines.n)
		qsort(part->lines.data, part->lines.n, sizeof(struct summary_line), compare);
	table_done(&part->by_label); /* the order is another now */
	for (uint32_t i = 0; i < part->lines.n; i++)
		if (table_add(&part->by_label, key_of_line(part, i), i) < 0)
			break;
	*n = part->lines.n;
	*ret_others = part->n_others;
	return part->lines.data;
}

/* Who holds a socket, told at length. */
#include <errno.h>

#include "base/format.h"
#include "base/vector.h"
#include "model/ancestry.h"
#include "view/holders.h"

#define FULL_MAX 6 /* processes told at length; the others in a line for each name */
#define PIDS_MAX 40
#define CHAIN_MAX 16

static int by_pid(const void *a, const void *b)
{
	const struct process *left = *(const struct process *const *)a,
			     *right = *(const struct process *const *)b;
	return left->pid < right->pid ? -1 : left->pid > right->pid;
}

/* Distinct processes, by pid. @ret: const struct process *. */
static int collect_processes(const struct snapshot *snapshot, const uint32_t *sockets, uint32_t n,
			     struct vector *ret)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct holder *holder =
			snapshot_holder(snapshot, snapshot_socket(snapshot, sockets[i])->holder);
		for (; holder; holder = snapshot_holder(snapshot, holder->next)) {
			const struct process **added = vector_add(ret);
			if (!added)
				return -ENOMEM;
			*added = snapshot_process(snapshot, holder->process);
		}
	}
	const struct process **all = ret->data;
	uint32_t kept = 0;
	if (ret->n)
		qsort(all, ret->n, sizeof(*all), by_pid);
	for (uint32_t i = 0; i < ret->n; i++)
		if (!kept || all[kept - 1] != all[i])
			all[kept++] = all[i];
	ret->n = kept;
	return 0;
}

static void write_user(struct out *out, const struct snapshot *snapshot, uint32_t uid)
{
	const char *name = snapshot_user(snapshot, uid);
	if (name)
		out_string(out, name);
	else
		out_format(out, "user %u", uid);
}

static void write_headline(struct out *out, const struct snapshot *snapshot,
			   const struct process *process)
{
	char title[256], age[32];
	out_string(out, process_title(process, title, sizeof(title)));
	out_format(out, ", pid %d", process->pid);
	if (process->known & KNOWN_UID) {
		out_string(out, ", of ");
		write_user(out, snapshot, process->uid);
	}
	if (process->known & KNOWN_STAT && process->start_time > 0) {
		double seconds = snapshot->time - process->start_time;
		size_t n = format_duration(age, sizeof(age), seconds > 0 ? (uint64_t)seconds : 0);
		out_string(out, ", since ");
		out_bytes(out, age, n);
	}
	if (process->known & KNOWN_GONE)
		out_string(out, "; it ended meanwhile");
}

/* "bash (4711), a shell ← tmux (4000) ← sshd (300), an ssh session ← systemd (1)" */
static void write_chain(const struct page *page, struct out *out, const struct snapshot *snapshot,
			const struct process *process)
{
	const struct process *parent = process_parent(snapshot, process);
	for (unsigned i = 0; parent && i < CHAIN_MAX; i++) {
		char words[128];
		if (i)
			out_string(out, page->is_utf8 ? " ← " : " <- ");
		out_string(out, parent->name ? parent->name : "?");
		out_format(out, " (%d)", parent->pid);
		if (ancestor_words(parent, words, sizeof(words)) &&
		    (!parent->name || strcmp(words, parent->name) != 0))
			out_format(out, ", %s", words);
		parent = process_parent(snapshot, parent);
	}
}

/* What the tellers of one socket share. */
struct teller {
	const struct page *page;
	const struct snapshot *snapshot;
	const char *const *timed;
	struct out text;
};

static bool is_timed(const struct teller *teller, const char *unit)
{
	for (const char *const *timed = teller->timed; timed && *timed; timed++)
		if (strcmp(*timed, unit) == 0)
			return true;
	return false;
}

static void print_place(struct teller *teller, const struct process *process)
{
	const struct container *container =
		snapshot_container(teller->snapshot, process->container);
	struct out *text = &teller->text;
	char words[64];
	if (container) {
		out_format(text, "the %s container %s", engine_words[container->engine],
			   container->name ? container->name : container->id);
		page_flush(teller->page, "part of", text);
	}
	if (process->unit) {
		out_format(text, "unit %s", process->unit);
		if (unit_in_words(process->unit, words, sizeof(words)))
			out_format(text, ", %s", words);
		if (is_timed(teller, process->unit))
			out_string(text, ", which a timer starts");
		page_flush(teller->page, container ? "" : "part of", text);
	}
}

static void print_full(struct teller *teller, const struct process *process, const char *label)
{
	const struct page *page = teller->page;
	const struct snapshot *snapshot = teller->snapshot;
	struct out *text = &teller->text;
	write_headline(text, snapshot, process);
	page_flush(page, label, text);
	if (process->exe) {
		out_string(text, process->exe);
		if (process->exe_deleted)
			out_string(text, " (deleted)");
		page_cut(page, "runs", text->data, text->n);
		text->n = 0;
	}
	if (process->cmdline && process->cmdline[0])
		page_cut(page, "command", process->cmdline, strlen(process->cmdline));
	print_place(teller, process);
	write_chain(page, text, snapshot, process);
	if (text->n)
		page_flush(page, "from", text);
}

static bool is_like(const struct process *a, const struct process *b)
{
	return a->name && b->name && strcmp(a->name, b->name) == 0 && a->uid == b->uid &&
	       a->container == b->container;
}

/* The workers: all of the same name in one line. */
static void print_alike(struct teller *teller, const struct process **all, uint32_t n, bool *told,
			uint32_t first)
{
	const struct page *page = teller->page;
	struct out *text = &teller->text;
	uint32_t count = 0, last = first;
	for (uint32_t i = first; i < n; i++) {
		if (told[i] || !is_like(all[first], all[i]))
			continue;
		told[i] = true;
		last = i;
		if (count < PIDS_MAX)
			out_format(text, count ? ", %d" : "pid %d", all[i]->pid);
		count++;
	}
	if (count > PIDS_MAX)
		out_format(text, ", ... %d", all[last]->pid);
	out_format(text, "  %s", all[first]->name ? all[first]->name : "?");
	if (count > 1)
		out_format(text, page->is_utf8 ? " ×%u" : " x%u", count);
	if (all[first]->known & KNOWN_UID) {
		out_string(text, ", of ");
		write_user(text, teller->snapshot, all[first]->uid);
	}
	page_flush(page, "and", text);
}

static bool is_like_one_told(const struct process **all, const bool *told, uint32_t index)
{
	for (uint32_t i = 0; i < index; i++)
		if (told[i] && is_like(all[i], all[index]))
			return true;
	return false;
}

static void print_none(struct teller *teller, const struct socket *socket)
{
	struct out *text = &teller->text;
	switch (socket->held_by) {
	case HELD_KERNEL:
		out_string(text, "the kernel itself; no process");
		break;
	case HELD_NOBODY:
		out_string(text, "nobody any more");
		break;
	case HELD_UNSEEN:
		out_string(text, "a process that may not be looked at");
		break;
	default:
		out_string(text, "not asked");
		break;
	}
	if (socket->flags & SOCKET_UID_KNOWN && socket->held_by != HELD_NOBODY) {
		out_string(text, "; the socket is of ");
		write_user(text, teller->snapshot, socket->uid);
	}
	page_flush(teller->page, "held by", text);
}

static void print_all(struct teller *teller, const struct vector *processes, bool *told)
{
	const struct process **all = processes->data;
	uint32_t n_full = 0;
	for (uint32_t i = 0; i < processes->n; i++) {
		if (n_full >= FULL_MAX || is_like_one_told(all, told, i))
			continue;
		print_full(teller, all[i], n_full ? "and by" : "held by");
		told[i] = true;
		n_full++;
	}
	for (uint32_t i = 0; i < processes->n; i++)
		if (!told[i])
			print_alike(teller, all, processes->n, told, i);
}

void holders_print(const struct page *page, const struct snapshot *snapshot,
		   const char *const *timed, const uint32_t *sockets, uint32_t n)
{
	struct teller teller = {.page = page, .snapshot = snapshot, .timed = timed};
	struct vector processes;
	bool *told = NULL;

	vector_init(&processes, sizeof(const struct process *));
	int r = out_init(&teller.text, -1);
	if (r >= 0)
		r = collect_processes(snapshot, sockets, n, &processes);
	if (r >= 0 && !(told = calloc(processes.n + 1, sizeof(*told))))
		r = -ENOMEM;
	if (r < 0)
		page->out->error = r;
	else if (processes.n)
		print_all(&teller, &processes, told);
	else
		print_none(&teller, snapshot_socket(snapshot, sockets[0]));
	free(told);
	vector_done(&processes);
	out_done(&teller.text);
}

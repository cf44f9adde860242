/* Sockets and who holds them, in the words of a sentence. */
#include <inttypes.h>
#include <string.h>

#include "why/endpoint.h"
#include "why/words.h"

const char *words_user(struct inquiry *inquiry, uint32_t uid)
{
	const struct question *question = &inquiry->diagnosis->question;
	const char *name = snapshot_user(inquiry->snapshot, uid);
	if (!name && uid == question->uid)
		name = question->user;
	if (!name && !uid)
		name = "root";
	return name ? name : diagnosis_text(inquiry->diagnosis, "uid %u", uid);
}

const char *words_local(struct inquiry *inquiry, const struct socket *socket)
{
	char text[ENDPOINT_TEXT];
	return diagnosis_text(inquiry->diagnosis, "%s",
			      endpoint_text(&socket->local, socket->family == FAMILY_IPV4,
					    socket->local_port, text));
}

/* No shell takes it for more than a word, and --netns for nothing else. */
static bool is_plain_name(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_.:@-";
	return name && name[0] != '-' && strspn(name, "0123456789") < strlen(name) &&
	       name[strspn(name, plain)] == '\0' && strcmp(name, "self") != 0 &&
	       strcmp(name, "all") != 0;
}

const char *words_netns(struct inquiry *inquiry, uint32_t index)
{
	const struct netns *netns = snapshot_netns(inquiry->snapshot, index);
	if (!netns || netns->is_self)
		return "";
	if (is_plain_name(netns->name))
		return diagnosis_text(inquiry->diagnosis, " --netns %s", netns->name);
	return diagnosis_text(inquiry->diagnosis, " --netns %" PRIu64, netns->inode);
}

const char *words_target(struct inquiry *inquiry, const struct socket *socket)
{
	const char *netns = words_netns(inquiry, socket->netns);
	if (ip_is_any(&socket->local))
		return diagnosis_text(inquiry->diagnosis, "%s/%u%s", proto_words[socket->proto],
				      socket->local_port, netns);
	return diagnosis_text(inquiry->diagnosis, "%s/%s%s", proto_words[socket->proto],
			      words_local(inquiry, socket), netns);
}

const struct process *words_process(const struct inquiry *inquiry, const struct socket *socket)
{
	const struct holder *holder = snapshot_holder(inquiry->snapshot, socket->holder);
	return holder ? snapshot_process(inquiry->snapshot, holder->process) : NULL;
}

static unsigned count_others(const struct snapshot *snapshot, const struct socket *socket)
{
	const struct holder *first = snapshot_holder(snapshot, socket->holder);
	unsigned n = 0;
	for (const struct holder *at = first; at; at = snapshot_holder(snapshot, at->next))
		n += at->process != first->process;
	return n;
}

static const char *words_unseen(struct inquiry *inquiry, const struct socket *socket)
{
	if (socket->flags & SOCKET_UID_KNOWN)
		return diagnosis_text(inquiry->diagnosis, "a process you may not inspect (uid %u)",
				      socket->uid);
	return "a process you may not inspect";
}

const char *words_holder(struct inquiry *inquiry, const struct socket *socket)
{
	const struct process *process = words_process(inquiry, socket);
	char title[256], others[32] = "";
	if (!process)
		return socket->held_by == HELD_KERNEL	? "the kernel itself"
		       : socket->held_by == HELD_NOBODY ? "no process any more"
							: words_unseen(inquiry, socket);
	unsigned n = count_others(inquiry->snapshot, socket);
	if (n)
		snprintf(others, sizeof(others), " and %u other%s", n, n == 1 ? "" : "s");
	return diagnosis_text(inquiry->diagnosis, "%s (pid %d%s%s%s)",
			      process_title(process, title, sizeof(title)), process->pid, others,
			      process->known & KNOWN_UID ? ", of " : "",
			      process->known & KNOWN_UID ? words_user(inquiry, process->uid) : "");
}

/* Which sockets of a snapshot stand in the way of a bind. */
#include <signal.h>
#include <string.h>

#include "base/numbers.h"
#include "why/standing.h"

#define PF_EXITING 0x4 /* include/linux/sched.h */

bool standing_is_connection(const struct socket *socket)
{
	return socket_has_peer(socket);
}

bool standing_in_the_way(struct inquiry *inquiry, const struct socket *socket, bool *ret_is_sure)
{
	const struct question *question = &inquiry->diagnosis->question;
	struct other_options options = {-1, socket->flags & SOCKET_REUSEPORT ? 1 : -1};
	if (socket->proto != question->proto || socket->local_port != question->port ||
	    socket->netns != question->netns || !question_overlaps(question, socket))
		return false;
	if (inquiry->own_inode && socket->inode == inquiry->own_inode)
		return false;
	enum conflict conflict = conflict_of(question, socket, &options);
	if (conflict == CONFLICT_MAYBE && !standing_is_connection(socket)) {
		conflict_read_options(inquiry->snapshot, socket, &options);
		conflict = conflict_of(question, socket, &options);
	}
	*ret_is_sure = conflict == CONFLICT_YES;
	return conflict != CONFLICT_NO;
}

const char *standing_reuseaddr_remedy(const struct inquiry *inquiry)
{
	const struct diagnosis *diagnosis = inquiry->diagnosis;
	const struct tried *tried = &diagnosis->reuseaddr;
	if (diagnosis->question.reuseaddr)
		return "SO_REUSEADDR does not help, since the old socket was bound without it";
	if (tried->is_tried && !tried->error)
		return "set SO_REUSEADDR before bind(): with it the kernel grants the port (tried)";
	if (tried->is_tried)
		return "SO_REUSEADDR does not help as things are (tried): it must have been set on "
		       "the old socket too, and nobody may listen there";
	return "SO_REUSEADDR helps if the old socket had it too";
}

/* Behind the name in brackets: state, ppid, pgrp, session, tty, tpgid, flags. proc_pid_stat(5) */
static uint64_t flags_of(const char *stat, char *ret_state)
{
	const char *at = strrchr(stat, ')');
	uint64_t flags = 0;
	*ret_state = '\0';
	if (!at || at[1] != ' ' || !at[2])
		return 0;
	at += 2;
	*ret_state = *at;
	for (unsigned i = 0; i < 6; i++) {
		at += strcspn(at, " ");
		at += *at == ' ';
	}
	number_scan(&at, at + strlen(at), 10, &flags);
	return flags;
}

static bool has_pending_kill(const char *status)
{
	static const char *const lines[] = {"\nSigPnd:\t", "\nShdPnd:\t"};
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const char *at = strstr(status, lines[i]);
		uint64_t signals = 0;
		if (!at)
			continue;
		at += strlen(lines[i]);
		if (number_scan(&at, at + strlen(at), 16, &signals) == 0 &&
		    signals & UINT64_C(1) << (SIGKILL - 1))
			return true;
	}
	return false;
}

bool standing_parse_dying(const char *stat, const char *status)
{
	char state;
	uint64_t flags = flags_of(stat, &state);
	return flags & PF_EXITING || state == 'X' || has_pending_kill(status);
}

bool standing_is_dying(struct host *host, int32_t pid)
{
	char stat[1024], status[8192];
	if (host_read(host, stat, sizeof(stat), "proc/%d/stat", pid) < 0 ||
	    host_read(host, status, sizeof(status), "proc/%d/status", pid) < 0)
		return false;
	return standing_parse_dying(stat, status);
}

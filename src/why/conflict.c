/* Whether two sockets may share a port, by their options. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "why/conflict.h"

static enum conflict by_reuseport(const struct question *question, const struct socket *socket,
				  const struct other_options *options)
{
	bool is_time_wait = socket->state == STATE_TIME_WAIT;
	if (!question->reuseport || options->reuseport == 0)
		return CONFLICT_YES;
	if (!is_time_wait && socket->flags & SOCKET_UID_KNOWN && socket->uid != question->uid)
		return CONFLICT_YES;
	return options->reuseport == 1 ? CONFLICT_NO : CONFLICT_MAYBE;
}

static enum conflict by_reuseaddr(const struct question *question, const struct socket *socket,
				  const struct other_options *options)
{
	if (!question->reuseaddr || options->reuseaddr == 0 || socket->state == STATE_LISTEN)
		return CONFLICT_YES;
	return options->reuseaddr == 1 ? CONFLICT_NO : CONFLICT_MAYBE;
}

enum conflict conflict_of(const struct question *question, const struct socket *socket,
			  const struct other_options *options)
{
	enum conflict port = by_reuseport(question, socket, options),
		      address = by_reuseaddr(question, socket, options);
	return port < address ? port : address;
}

static int option_of(int fd, int name)
{
	int value = 0;
	socklen_t n = sizeof(value);
	return getsockopt(fd, SOL_SOCKET, name, &value, &n) < 0 ? -1 : value != 0;
}

void conflict_read_options(const struct snapshot *snapshot, const struct socket *socket,
			   struct other_options *ret)
{
	const struct holder *holder = snapshot_holder(snapshot, socket->holder);
	const struct process *process = holder ? snapshot_process(snapshot, holder->process) : NULL;
	*ret = (struct other_options){-1, socket->flags & SOCKET_REUSEPORT ? 1 : -1};
	if (!process || holder->fd < 0)
		return;
	cleanup(closep) int pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	cleanup(closep) int copy =
		pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, holder->fd, 0);
	uint64_t cookie = 0;
	socklen_t n = sizeof(cookie);
	if (copy < 0 || getsockopt(copy, SOL_SOCKET, SO_COOKIE, &cookie, &n) < 0 ||
	    (socket->cookie && cookie != socket->cookie))
		return;
	ret->reuseaddr = option_of(copy, SO_REUSEADDR);
	ret->reuseport = option_of(copy, SO_REUSEPORT);
}

/* sd_notify(3) by its protocol: a datagram to the socket that the environment names. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/numbers.h"
#include "cmd/notify.h"

static int connect_to(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t n = strlen(name);
	if ((name[0] != '/' && name[0] != '@') || n >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, name, n);
	if (name[0] == '@') /* without a file: unix(7), abstract */
		address.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, length) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void notify_open(struct notify *notify)
{
	const char *name = getenv("NOTIFY_SOCKET"), *us = getenv("WATCHDOG_USEC"),
		   *pid = getenv("WATCHDOG_PID");
	uint64_t whose, interval;
	*notify = (struct notify){.fd = name ? connect_to(name) : -1};
	bool is_ours =
		!pid || (number_u64(pid, 1, INT32_MAX, &whose) == 0 && (pid_t)whose == getpid());
	if (notify->fd >= 0 && us && is_ours &&
	    number_u64(us, 1, UINT64_MAX / 1000, &interval) == 0)
		notify->watchdog_ns = interval * 1000 / 2; /* twice in the time that is given */
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void notify_close(struct notify *notify)
{
	if (notify->fd >= 0)
		close(notify->fd);
	notify->fd = -1;
}

void notify_tell(const struct notify *notify, const char *text)
{
	if (notify->fd >= 0)
		send(notify->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

int notify_watchdog(struct notify *notify, uint64_t now_ns)
{
	if (!notify->watchdog_ns)
		return -1;
	if (!notify->told_ns || now_ns - notify->told_ns >= notify->watchdog_ns) {
		notify_tell(notify, "WATCHDOG=1");
		notify->told_ns = now_ns;
	}
	uint64_t left = notify->told_ns + notify->watchdog_ns - now_ns;
	uint64_t ms = left / 1000000 + 1;
	return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

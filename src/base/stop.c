/* The wish to stop. */
#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/stop.h"

static struct stop the_stop = {.fd = -1};

static void on_signal(int number)
{
	int saved = errno;
	uint64_t one = 1;
	the_stop.wanted = number;
	if (the_stop.fd >= 0 && write(the_stop.fd, &one, sizeof(one)) < 0)
		errno = saved; /* the flag is set all the same */
	errno = saved;
}

void stop_by(int number)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

struct stop *stop_install(void)
{
	struct sigaction was;
	the_stop.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	stop_by(SIGINT);
	stop_by(SIGTERM);
	/* nohup(1) had it ignored, so that the end of a terminal ends nothing */
	if (sigaction(SIGHUP, NULL, &was) < 0 || was.sa_handler != SIG_IGN)
		stop_by(SIGHUP);
	return &the_stop;
}

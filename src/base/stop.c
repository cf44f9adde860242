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

struct stop *stop_install(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal};
	sigemptyset(&action.sa_mask);
	the_stop.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
	return &the_stop;
}

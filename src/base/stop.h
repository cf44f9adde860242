/* The wish to stop: all that a signal handler touches. Whatever waits or loops takes it. */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include <signal.h>
#include <stdbool.h>

struct stop {
	_Atomic sig_atomic_t wanted; /* the signal's number; 0 go on; threads ask for it too */
	int fd;			     /* eventfd, readable once wanted; -1 none */
};

/* Installs SIGINT, SIGTERM and SIGHUP handlers that set the one stop of this process; a SIGHUP that
 * is ignored, by nohup(1), stays so. */
struct stop *stop_install(void);

/* The same for another signal. */
void stop_by(int number);

static inline bool stop_wanted(const struct stop *stop)
{
	return stop && stop->wanted;
}

#endif

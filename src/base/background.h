/* A thread that works for one which people wait for. */
#ifndef BASE_BACKGROUND_H
#define BASE_BACKGROUND_H

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define BACKGROUND_NICER 4

/* This thread, and those that it starts from here on, let others of the program go first. */
static inline void background_thread(void)
{
	pid_t self = gettid();
	int was = getpriority(PRIO_PROCESS, (id_t)self);
	setpriority(PRIO_PROCESS, (id_t)self, was + BACKGROUND_NICER);
}

/* Begins a thread that no signal is delivered to: they are for who starts it. 0 or negative errno.
 */
static inline int background_start(pthread_t *ret, void *(*run)(void *), void *data)
{
	sigset_t all, was;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	int r = pthread_create(ret, NULL, run, data);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	return -r;
}

#endif

/* A thread that works for one which people wait for. */
#ifndef BASE_BACKGROUND_H
#define BASE_BACKGROUND_H

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

#endif

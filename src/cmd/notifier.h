/* Notifications on the desktop of who started us (org.freedesktop.Notifications), by a process of
 * its own that has that user's rights and no more. */
#ifndef CMD_NOTIFIER_H
#define CMD_NOTIFIER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct notifier {
	int fd; /* -1: none */
	pid_t child;
	uint64_t n_left_out; /* it was too slow for them */
};

/* Finds the session bus; under sudo that of the user who called it. 0 or negative errno with @err
 * told: there is none. */
int notifier_begin(struct notifier *ret, struct error *err);
/* Shown some time, or left out and counted. Foreign text is welcome in @body. */
void notifier_show(struct notifier *notifier, const char *title, const char *body);
/* Waits until what was handed over is shown, some seconds at most. */
void notifier_end(struct notifier *notifier);

#endif

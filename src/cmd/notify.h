/* What a service tells who started it: sd_notify(3), by its protocol, without the library. */
#ifndef CMD_NOTIFY_H
#define CMD_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct notify {
	int fd;		      /* connected to $NOTIFY_SOCKET; -1: nobody listens */
	uint64_t watchdog_ns; /* a sign of life is told so often; 0: nobody asks for one */
	uint64_t told_ns;     /* when the last was */
};

/* From the environment, which is cleared of it: what is started later is not the service. */
void notify_open(struct notify *notify);
void notify_close(struct notify *notify);

/* "READY=1", "STOPPING=1", "STATUS=..."; several with newlines between. Never waits. */
void notify_tell(const struct notify *notify, const char *text);

/* Tells that it lives where it is time at @now_ns (of CLOCK_MONOTONIC). In how many ms it is again;
 * -1: never. */
int notify_watchdog(struct notify *notify, uint64_t now_ns);

#endif

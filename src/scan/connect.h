/* A scan that needs no right: connect(2), thousands of times. */
#ifndef SCAN_CONNECT_H
#define SCAN_CONNECT_H

#include "scan/job.h"

/* Fills the job's answers; what is silent to the end is filtered, what was broken off stays
 * unknown. 0 or negative errno with @err told. */
int connect_scan(const struct job *job, struct error *err);

/* The two ways in which it is done; both leave unknown what they did not get to know. */

/* On own addresses: one call a door, ECONNREFUSED at once, socket and source port used again. Ends
 * early where doors are silent, which it is slow at. */
int connect_blocking(const struct job *job, unsigned n_threads);
/* Many at once, and each again while the measured loss asks for it. */
int connect_many(const struct job *job, unsigned n_threads);

/* What the errno of a connect says, the socket's error queue asked. False: nothing yet. */
bool connect_answer(const struct job *job, int fd, const struct scan_target *target, uint16_t port,
		    int error, struct answer *ret);
/* A TCP socket for the job's targets. A descriptor or negative errno. */
int connect_socket(const struct job *job, int flags);

#endif

/* Socket activation: a systemd holds a listening socket for the service that will answer
 * (systemd.socket(5)). */
#ifndef SOURCE_ACTIVATION_H
#define SOURCE_ACTIVATION_H

#include "model/snapshot.h"
#include "source/host.h"

/* Adds to snapshot->answers. 0 or -ENOMEM. */
int activation_answer(struct host *host, struct snapshot *snapshot, struct error *err);

/* What the text of a .socket unit says: its streams and datagrams to @each (port, and the address
 * or NULL for any), and the service, Accept= included, into @ret_service of 256 bytes ("" where it
 * is the unit's own name). Pure. */
int activation_parse(const char *text, size_t n,
		     int (*each)(void *data, enum proto proto, const char *address, size_t length,
				 uint16_t port),
		     void *data, char *ret_service, bool *ret_accepts);

#endif

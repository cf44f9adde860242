/* Names of users: /etc/passwd beneath the host, and only then the name service. */
#ifndef SOURCE_USERS_H
#define SOURCE_USERS_H

#include "model/snapshot.h"
#include "source/host.h"

/* Adds the users of all sockets and processes of @snapshot. @uses_nss: who is not in the file is
 * asked for, which may block (LDAP). 0 or -ENOMEM. */
int users_read(struct host *host, struct snapshot *snapshot, bool uses_nss, struct error *err);

/* Of a passwd(5) file's text: names for those of the snapshot's users that have none. */
void users_parse(const char *text, size_t n, struct snapshot *snapshot);

#endif

/* Whose command this is: the processes that it came through, and the connection. Nothing that would
 * cut off the branch on which the caller sits is done without --force. */
#ifndef ACT_SESSION_H
#define ACT_SESSION_H

#include "model/plan.h"
#include "source/host.h"

#define SESSION_ANCESTORS_MAX 64

struct session {
	int32_t pids[SESSION_ANCESTORS_MAX]; /* our own first, then its parents up to pid 1 */
	bool is_sshd[SESSION_ANCESTORS_MAX];
	uint32_t n;
	bool has_ssh; /* the ssh connection that it came through, as the server sees it */
	struct ip client, server;
	uint16_t client_port, server_port;
	char unit[256], container[256]; /* that we run in; "" none */
};

void session_read(const struct host *host, struct session *ret);

/* "CLIENT PORT SERVER PORT", as SSH_CONNECTION has it, into @ret. False: it is none. Pure. */
bool session_parse_ssh(const char *text, struct session *ret);

/* Why the session would suffer from closing the step, or NULL. *@ret_force: --force would do it all
 * the same. Pure. */
const char *session_objection(const struct session *session, const struct step *step,
			      bool *ret_force);

#endif

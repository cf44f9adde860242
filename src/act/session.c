/* The processes and the connection that the command came through. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/session.h"
#include "base/numbers.h"
#include "source/cgroup.h"
#include "source/process.h"

#define ENVIRON_MAX (256 << 10)

bool session_parse_ssh(const char *text, struct session *ret)
{
	char words[4][64] = {""};
	bool is_v4;
	if (sscanf(text, "%63s %63s %63s %63s", words[0], words[1], words[2], words[3]) != 4)
		return false;
	char *scope = strchr(words[0], '%');
	if (scope)
		*scope = '\0';
	scope = strchr(words[2], '%');
	if (scope)
		*scope = '\0';
	struct session parsed = *ret;
	if (ip_parse(words[0], strlen(words[0]), &parsed.client, &is_v4) < 0 ||
	    ip_parse(words[2], strlen(words[2]), &parsed.server, &is_v4) < 0 ||
	    number_u16(words[1], &parsed.client_port) < 0 ||
	    number_u16(words[3], &parsed.server_port) < 0)
		return false;
	*ret = parsed;
	ret->has_ssh = true;
	return true;
}

/* sudo and su take SSH_CONNECTION from the environment; one of those above them has it still. */
static void find_ssh(const struct host *host, struct session *session)
{
	static const char name[] = "SSH_CONNECTION=";
	const char *own = getenv("SSH_CONNECTION");
	if (own && session_parse_ssh(own, session))
		return;
	for (uint32_t i = 1; i < session->n && !session->has_ssh; i++) {
		cleanup(freep) char *text = NULL;
		ssize_t n = host_read_all(host, &text, ENVIRON_MAX, "proc/%d/environ",
					  session->pids[i]);
		for (const char *at = text, *end = n > 0 ? text + n : text; at < end;
		     at += strlen(at) + 1)
			if (strncmp(at, name, sizeof(name) - 1) == 0)
				session_parse_ssh(at + sizeof(name) - 1, session);
	}
}

static void find_place(const struct host *host, struct session *session)
{
	char text[8192];
	struct cgroup_place place;
	ssize_t n = host_read(host, text, sizeof(text), "proc/self/cgroup");
	if (n <= 0)
		return;
	cgroup_parse(text, (size_t)n, &place);
	snprintf(session->unit, sizeof(session->unit), "%s", place.unit);
	snprintf(session->container, sizeof(session->container), "%s", place.id);
}

void session_read(const struct host *host, struct session *ret)
{
	*ret = (struct session){.n = 0};
	int32_t pid = (int32_t)getpid();
	while (pid > 0 && ret->n < SESSION_ANCESTORS_MAX) {
		char text[1024];
		struct process_stat stat;
		ssize_t n = host_read(host, text, sizeof(text), "proc/%d/stat", pid);
		bool is_read = n > 0 && process_parse_stat(text, (size_t)n, &stat) == 0;
		/* "sshd", and "sshd-session" since OpenSSH 9.8 */
		ret->is_sshd[ret->n] =
			is_read && stat.n_name >= 4 && memcmp(stat.name, "sshd", 4) == 0;
		ret->pids[ret->n++] = pid;
		pid = is_read ? stat.ppid : 0;
	}
	find_ssh(host, ret);
	find_place(host, ret);
}

static bool is_the_connection(const struct session *session, const struct identity *target)
{
	return session->has_ssh && target->peer_port == session->client_port &&
	       target->local_port == session->server_port &&
	       ip_equal(&target->peer, &session->client);
}

/* Where in the line of our ancestors a holder stands; session->n: nowhere. */
static uint32_t find_ancestor(const struct session *session, const struct step *step)
{
	for (uint32_t i = 0; i < session->n; i++)
		for (uint32_t k = 0; k < step->n_holders; k++)
			if (step->holders[k].pid == session->pids[i])
				return i;
	return session->n;
}

static bool is_ancestor(const struct session *session, int32_t pid)
{
	for (uint32_t i = 0; i < session->n; i++)
		if (session->pids[i] == pid)
			return true;
	return false;
}

static bool is_our_unit(const struct session *session, const struct step *step)
{
	if (!session->unit[0] || !is_ancestor(session, step->manager))
		return false;
	for (uint8_t i = 0; i < step->n_units; i++)
		if (strcmp(step->units[i], session->unit) == 0)
			return true;
	return false;
}

const char *session_objection(const struct session *session, const struct step *step,
			      bool *ret_force)
{
	const struct identity *target = &step->target;
	uint32_t ancestor = find_ancestor(session, step);
	bool acts_on_holders = step->way == WAY_PROCESS || step->way == WAY_RELEASE;

	*ret_force = true;
	if (is_the_connection(session, target))
		return "it is the connection that this session came through";
	if (step_is_door(step) && target->proto == PROTO_TCP && session->has_ssh &&
	    target->local_port == session->server_port)
		return "this session came through it";
	if (!step_is_door(step) && ancestor < session->n && session->is_sshd[ancestor])
		return "it is a connection of the sshd that this session came through";
	if (step->way == WAY_UNIT && is_our_unit(session, step)) {
		*ret_force = false;
		return "doorward itself runs in that unit";
	}
	if (step->way == WAY_CONTAINER && step->container && session->container[0] &&
	    strcmp(step->container, session->container) == 0) {
		*ret_force = false;
		return "doorward itself runs in that container";
	}
	if (!acts_on_holders || ancestor >= session->n)
		return NULL;
	*ret_force = session->is_sshd[ancestor];
	if (session->is_sshd[ancestor])
		return "it is held by the sshd that this session came through";
	return ancestor ? "it is held by a parent of doorward" : "it is held by doorward itself";
}

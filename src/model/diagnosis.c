/* Why a port cannot be had: causes held against what the kernel says. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/diagnosis.h"

#define TEXT_MAX 768

const char *const attempt_words[ATTEMPT_MAX + 1] = {"socket", "bind", "listen", "connect", NULL};
const char *const sight_words[SIGHT_MAX + 1] = {"seen", "read", NULL};
const char *const agreement_words[AGREEMENT_MAX + 1] = {"untried", "yes", "unexplained", "unborne",
							NULL};

const char *const cause_words[CAUSE_MAX + 1] = {
	[CAUSE_DESCRIPTORS] = "descriptor-limit",
	[CAUSE_FAMILY_OFF] = "family-off",
	[CAUSE_LANDLOCK] = "landlock",
	[CAUSE_CGROUP] = "cgroup-program",
	[CAUSE_SECCOMP] = "seccomp",
	[CAUSE_MAPPED_V6ONLY] = "mapped-v6only",
	[CAUSE_NO_SCOPE] = "no-scope",
	[CAUSE_INTERFACE_DOWN] = "interface-down",
	[CAUSE_TENTATIVE] = "address-tentative",
	[CAUSE_NO_ADDRESS] = "address-absent",
	[CAUSE_PRIVILEGED] = "privileged-port",
	[CAUSE_BOUND_TWICE] = "bound-twice",
	[CAUSE_DYING] = "dying-process",
	[CAUSE_KERNEL] = "kernel-socket",
	[CAUSE_CONTAINER] = "container-port",
	[CAUSE_INHERITED] = "inherited",
	[CAUSE_REUSEPORT_UID] = "reuseport-uid",
	[CAUSE_REUSE_MISMATCH] = "reuse-mismatch",
	[CAUSE_DUAL_STACK] = "dual-stack",
	[CAUSE_LISTENER] = "listener",
	[CAUSE_DATAGRAM] = "datagram-socket",
	[CAUSE_BOUND] = "bound-inactive",
	[CAUSE_SECOND_LISTEN] = "second-listen",
	[CAUSE_OUTGOING] = "outgoing-connection",
	[CAUSE_ACCEPTED] = "accepted-connection",
	[CAUSE_TIME_WAIT] = "time-wait",
	[CAUSE_RANGE_FULL] = "range-full",
	[CAUSE_NAT] = "nat-rule",
	[CAUSE_BLOCK] = "block",
	[CAUSE_FIREWALL] = "firewall",
	[CAUSE_DROPPED] = "dropped",
	[CAUSE_NO_ROUTE] = "no-route",
	[CAUSE_NEIGHBOUR] = "neighbour",
	[CAUSE_BACKLOG] = "backlog-full",
	[CAUSE_LOOPBACK_ONLY] = "loopback-only",
	[CAUSE_OTHER_ADDRESS] = "other-address",
	[CAUSE_OTHER_NETNS] = "other-namespace",
	[CAUSE_NOTHING] = "nothing-listens",
	[CAUSE_REFUSED_THERE] = "refused-there",
	[CAUSE_SILENT] = "silent",
};

void diagnosis_init(struct diagnosis *diagnosis, const struct question *question)
{
	*diagnosis = (struct diagnosis){.question = *question};
	vector_init(&diagnosis->causes, sizeof(struct cause));
	vector_init(&diagnosis->sockets, sizeof(uint32_t));
	vector_init(&diagnosis->notes, sizeof(const char *));
	arena_init(&diagnosis->arena);
}

void diagnosis_done(struct diagnosis *diagnosis)
{
	vector_done(&diagnosis->causes);
	vector_done(&diagnosis->sockets);
	vector_done(&diagnosis->notes);
	arena_done(&diagnosis->arena);
}

struct cause *diagnosis_add(struct diagnosis *diagnosis, enum cause_kind what, int error)
{
	struct cause *added = vector_add(&diagnosis->causes);
	if (added)
		*added = (struct cause){.what = what,
					.error = error,
					.is_sure = true,
					.certainty = SIGHT_READ,
					.first_socket = diagnosis->sockets.n,
					.because = ""};
	return added;
}

int diagnosis_add_socket(struct diagnosis *diagnosis, struct cause *cause, uint32_t socket)
{
	uint32_t *added = vector_add(&diagnosis->sockets);
	if (!added)
		return -ENOMEM;
	*added = socket;
	cause->n_sockets++;
	return 0;
}

static const char *keep(struct diagnosis *diagnosis, const char *format, va_list arguments)
{
	char text[TEXT_MAX];
	int n = vsnprintf(text, sizeof(text), format, arguments);
	if (n < 0)
		return "";
	size_t length = (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
	const char *kept = arena_copy(&diagnosis->arena, text, length);
	return kept ? kept : "";
}

const char *diagnosis_text(struct diagnosis *diagnosis, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	const char *kept = keep(diagnosis, format, arguments);
	va_end(arguments);
	return kept;
}

int diagnosis_note(struct diagnosis *diagnosis, const char *format, ...)
{
	const char **added = vector_add(&diagnosis->notes);
	if (!added)
		return -ENOMEM;
	va_list arguments;
	va_start(arguments, format);
	*added = keep(diagnosis, format, arguments);
	va_end(arguments);
	return 0;
}

/* ---- agreement ---- */

/* A stable sort of few: what the kernel means first, what fails next, what only is so last. */
static unsigned rank(const struct diagnosis *diagnosis, const struct cause *cause)
{
	unsigned group = cause->certainty == SIGHT_SEEN && cause->error ? 0 : cause->error ? 1 : 2;
	return group * (CAUSE_MAX + 1) +
	       (diagnosis->question.attempt == ATTEMPT_CONNECT ? 0 : (unsigned)cause->what);
}

static void sort(struct diagnosis *diagnosis)
{
	struct cause *causes = diagnosis->causes.data;
	for (uint32_t i = 1; i < diagnosis->causes.n; i++) {
		struct cause moved = causes[i];
		uint32_t at = i;
		for (; at && rank(diagnosis, &causes[at - 1]) > rank(diagnosis, &moved); at--)
			causes[at] = causes[at - 1];
		causes[at] = moved;
	}
}

/* Those that only may stand in the way do not, where the kernel grants the question. */
static void drop_unsure(struct diagnosis *diagnosis)
{
	struct cause *causes = diagnosis->causes.data;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < diagnosis->causes.n; i++)
		if (causes[i].is_sure || !causes[i].error)
			causes[kept++] = causes[i];
	diagnosis->causes.n = kept;
}

void diagnosis_agree(struct diagnosis *diagnosis)
{
	const struct tried *answer = &diagnosis->answer;
	bool is_explained = false, has_sure = false;
	if (!answer->is_tried) {
		diagnosis->agreement = AGREEMENT_NONE;
		sort(diagnosis);
		return;
	}
	if (!answer->error)
		drop_unsure(diagnosis);
	for (uint32_t i = 0; i < diagnosis->causes.n; i++) {
		struct cause *cause = vector_at(&diagnosis->causes, i);
		if (answer->error && cause->error == answer->error) {
			cause->certainty = SIGHT_SEEN;
			is_explained = true;
		}
		has_sure |= cause->error && cause->is_sure;
	}
	if (answer->error)
		diagnosis->agreement = is_explained ? AGREEMENT_YES : AGREEMENT_UNEXPLAINED;
	else
		diagnosis->agreement = has_sure ? AGREEMENT_UNBORNE : AGREEMENT_YES;
	sort(diagnosis);
}

bool diagnosis_can(const struct diagnosis *diagnosis)
{
	if (diagnosis->answer.is_tried)
		return diagnosis->answer.error == 0;
	for (uint32_t i = 0; i < diagnosis->causes.n; i++)
		if (((const struct cause *)vector_at(&diagnosis->causes, i))->error)
			return false;
	return true;
}

const char *errno_name(int error)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {
		{EADDRINUSE, "EADDRINUSE"},
		{EADDRNOTAVAIL, "EADDRNOTAVAIL"},
		{EACCES, "EACCES"},
		{EPERM, "EPERM"},
		{EINVAL, "EINVAL"},
		{EMFILE, "EMFILE"},
		{ENFILE, "ENFILE"},
		{EAFNOSUPPORT, "EAFNOSUPPORT"},
		{EPROTONOSUPPORT, "EPROTONOSUPPORT"},
		{ENODEV, "ENODEV"},
		{ECONNREFUSED, "ECONNREFUSED"},
		{ETIMEDOUT, "ETIMEDOUT"},
		{ENETUNREACH, "ENETUNREACH"},
		{EHOSTUNREACH, "EHOSTUNREACH"},
		{ENETDOWN, "ENETDOWN"},
		{EHOSTDOWN, "EHOSTDOWN"},
		{ECONNRESET, "ECONNRESET"},
		{ECONNABORTED, "ECONNABORTED"},
		{EPIPE, "EPIPE"},
		{EINPROGRESS, "EINPROGRESS"},
		{EISCONN, "EISCONN"},
		{EOPNOTSUPP, "EOPNOTSUPP"},
		{ENOBUFS, "ENOBUFS"},
		{ENOMEM, "ENOMEM"},
		{EAGAIN, "EAGAIN"},
		{ENOTSOCK, "ENOTSOCK"},
		{EBADF, "EBADF"},
		{EFAULT, "EFAULT"},
		{EINTR, "EINTR"},
		{ENOSYS, "ENOSYS"},
		{ENOPROTOOPT, "ENOPROTOOPT"},
		{EDESTADDRREQ, "EDESTADDRREQ"},
		{ESRCH, "ESRCH"},
		{ENOENT, "ENOENT"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].number == error)
			return names[i].name;
	return NULL;
}

/* ---- overlap ---- */

/* IPv6's any, that is not IPv4's. */
static bool is_any_v6(const struct ip *ip, bool is_v4)
{
	return !is_v4 && !ip_is_mapped(ip) && ip_is_any(ip);
}

static bool takes_v4(const struct ip *ip, bool is_v4)
{
	return is_v4 || ip_is_mapped(ip);
}

static bool shares_interface(const struct question *question, const struct socket *socket)
{
	return !question->interface || !socket->interface ||
	       question->interface == socket->interface;
}

static bool addresses_overlap(const struct question *question, const struct socket *socket)
{
	bool mine_v4 = takes_v4(&question->address, question->is_v4),
	     theirs_v4 = socket_is_v4(socket);
	bool theirs_v6only = socket->flags & SOCKET_V6ONLY;
	if (mine_v4 == theirs_v4)
		return ip_equal(&question->address, &socket->local) ||
		       ip_is_any(&question->address) || ip_is_any(&socket->local);
	if (mine_v4)
		return is_any_v6(&socket->local, socket->family == FAMILY_IPV4) && !theirs_v6only;
	return is_any_v6(&question->address, question->is_v4) && !question->v6only;
}

bool question_overlaps(const struct question *question, const struct socket *socket)
{
	return shares_interface(question, socket) && addresses_overlap(question, socket);
}

bool question_overlaps_by_dual_stack(const struct question *question, const struct socket *socket)
{
	return question_overlaps(question, socket) &&
	       takes_v4(&question->address, question->is_v4) != socket_is_v4(socket);
}

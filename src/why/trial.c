/* The bind itself, tried. For another user or process in a child, which becomes as it is and ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/privilege.h"
#include "why/endpoint.h"
#include "why/trial.h"

#define KEPT_DESCRIPTORS 64 /* more than a child of ours has open */
#define CHILD_WAIT_MS 5000
#define PROBE_NEAR_MS 250
#define PROBE_FAR_MS 2000

static void set_option(int fd, int level, int name, int value)
{
	setsockopt(fd, level, name, &value, sizeof(value));
}

/* One bind, here and as we are. Negative errno of socket() or bind() with the call in *@ret_at, or
 * 0. */
static int bind_once(const struct question *question, enum attempt *ret_at)
{
	struct sockaddr_storage address;
	*ret_at = ATTEMPT_SOCKET;
	cleanup(closep) int fd = endpoint_socket(question, 0);
	if (fd < 0)
		return fd;
	*ret_at = ATTEMPT_BIND;
	if (question->reuseaddr)
		set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (question->reuseport)
		set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (!question->is_v4)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, question->v6only);
	if (question->interface)
		set_option(fd, SOL_SOCKET, SO_BINDTOIFINDEX, (int)question->interface);
	socklen_t n = endpoint_address(question, &address);
	return bind(fd, (struct sockaddr *)&address, n) < 0 ? -errno : 0;
}

/* The question as asked, and with each option alone. */
enum variant { AS_ASKED, PLAIN, REUSEADDR, REUSEPORT, VARIANTS };

struct results {
	int setup; /* negative errno: the child could not become the subject */
	char step[32];
	bool has_joined_cgroup;
	struct tried tried[VARIANTS];
	struct probe probe;
};

static struct tried try_one(const struct question *question)
{
	struct tried tried = {.is_tried = true};
	tried.error = -bind_once(question, &tried.at);
	return tried;
}

static void try_all(const struct question *question, struct results *ret)
{
	struct question plain = *question;
	plain.reuseaddr = plain.reuseport = false;
	struct question reuseaddr = plain, reuseport = plain;
	reuseaddr.reuseaddr = true;
	reuseport.reuseport = true;
	ret->tried[AS_ASKED] = try_one(question);
	ret->tried[PLAIN] = try_one(&plain);
	ret->tried[REUSEADDR] = try_one(&reuseaddr);
	ret->tried[REUSEPORT] = try_one(&reuseport);
}

struct inside {
	const struct inquiry *inquiry;
	struct results *results;
};

/* Within this host an answer comes at once. */
static int probe_time(const struct inquiry *inquiry)
{
	return why_destination(inquiry) == NONE ? PROBE_FAR_MS : PROBE_NEAR_MS;
}

static void try_connect(const struct inquiry *inquiry, struct results *ret)
{
	probe_run(&inquiry->diagnosis->question, inquiry->probe_port, probe_time(inquiry),
		  &ret->probe);
	ret->tried[AS_ASKED] =
		(struct tried){.is_tried = true, .at = ATTEMPT_CONNECT, .error = ret->probe.error};
}

static int run_inside(void *data)
{
	struct inside *inside = data;
	const struct question *question = &inside->inquiry->diagnosis->question;
	if (question->attempt == ATTEMPT_CONNECT)
		try_connect(inside->inquiry, inside->results);
	else
		try_all(question, inside->results);
	return 0;
}

/* ---- as another ---- */

static int fail(struct results *results, int error, const char *step)
{
	results->setup = error;
	snprintf(results->step, sizeof(results->step), "%s", step);
	return error;
}

/* Into its control group: programs of BPF hang there (systemd's SocketBindDeny=). */
static void join_cgroup(struct host *host, const struct subject *subject, struct results *results)
{
	if (!subject->cgroup[0])
		return;
	cleanup(closep) int fd = subject_open_cgroup(host, subject, O_WRONLY, "/cgroup.procs");
	results->has_joined_cgroup = fd >= 0 && write(fd, "0", 1) == 1;
}

/* As many descriptors are free as the process has. */
static void limit_descriptors(const struct subject *subject)
{
	if (!subject->pid || !subject->descriptor_limit ||
	    subject->descriptor_limit == UINT64_MAX ||
	    subject->descriptor_limit > subject->n_descriptors)
		return;
	struct rlimit limit = {3, 3};
	for (int fd = 3; fd < KEPT_DESCRIPTORS; fd++)
		if (fcntl(fd, F_GETFD) < 0) {
			limit.rlim_cur = limit.rlim_max = (rlim_t)fd;
			break;
		}
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int set_capabilities(uint64_t wanted)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};
	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (unsigned i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(wanted >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* Its uid, gid and capabilities; of the last as many as this program has kept. */
static int change_user(const struct subject *subject, bool is_inside, struct results *results)
{
	if (!subject->changes_user)
		return 0;
	uint32_t uid = is_inside ? subject->inner_uid : subject->uid,
		 gid = is_inside ? subject->inner_gid : subject->gid;
	bool is_same = geteuid() == uid && getegid() == gid;
	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	if (!is_same && privilege_has(CAP_SETGID) && setgroups(0, NULL) < 0)
		return fail(results, -errno, "give up its groups");
	if (!is_same && setresgid(gid, gid, gid) < 0)
		return fail(results, -errno, "become its group");
	if (!is_same && setresuid(uid, uid, uid) < 0)
		return fail(results, -errno, "become its user");
	int r = set_capabilities(subject->capabilities);
	return r < 0 ? fail(results, r, "take its capabilities") : 0;
}

static int become(const struct inquiry *inquiry, struct results *results)
{
	const struct subject *subject = &inquiry->subject;
	bool is_inside = false;
	if (subject->pid) {
		join_cgroup(inquiry->host, subject, results);
		int r = netns_enter(inquiry->host, subject->pid, &is_inside);
		if (r < 0)
			return fail(results, r, "enter its network namespace");
	}
	return change_user(subject, is_inside, results);
}

static void be_child(const struct inquiry *inquiry, int to)
{
	struct results results = {.setup = 0};
	struct inside inside = {inquiry, &results};
	int r = become(inquiry, &results);
	if (r >= 0) {
		limit_descriptors(&inquiry->subject);
		if (inquiry->subject.pid)
			run_inside(&inside);
		else
			r = netns_call(inquiry->place, run_inside, &inside);
	}
	if (r < 0 && !results.setup)
		fail(&results, r, "enter the network namespace");
	ssize_t written = write(to, &results, sizeof(results));
	_exit(written == sizeof(results) ? 0 : 1);
}

/* Reads the child's one message; a child that hangs is ended. */
static int await_child(pid_t child, int from, struct results *ret)
{
	struct pollfd wait = {.fd = from, .events = POLLIN};
	int r = poll(&wait, 1, CHILD_WAIT_MS);
	if (r <= 0)
		kill(child, SIGKILL);
	ssize_t n = r > 0 ? read(from, ret, sizeof(*ret)) : 0;
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return n == sizeof(*ret) ? 0 : -EIO;
}

static int run_child(const struct inquiry *inquiry, struct results *ret)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	cleanup(closep) int from = ends[0];
	pid_t child = fork();
	if (child == 0)
		be_child(inquiry, ends[1]);
	close(ends[1]);
	return child < 0 ? -errno : await_child(child, from, ret);
}

static void tell_lacks(const struct inquiry *inquiry, const struct results *results)
{
	const struct subject *subject = &inquiry->subject;
	struct diagnosis *diagnosis = inquiry->diagnosis;
	if (!subject->pid)
		return;
	if (subject->cgroup[0] && !results->has_joined_cgroup)
		diagnosis_note(diagnosis,
			       "The try was made outside of its control group %s, which could not "
			       "be joined.",
			       subject->cgroup);
	if (subject->has_seccomp)
		diagnosis_note(diagnosis, "The process has a seccomp filter of its own: the try "
					  "was made without it.");
}

void trial_run(struct inquiry *inquiry)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	struct results results = {.setup = 0};
	struct inside inside = {inquiry, &results};
	bool as_other = inquiry->subject.pid || inquiry->subject.changes_user;
	int r = as_other ? run_child(inquiry, &results)
			 : netns_call(inquiry->place, run_inside, &inside);
	if (r < 0 || results.setup < 0) {
		int code = r < 0 ? r : results.setup;
		diagnosis->untried = diagnosis_text(diagnosis, "could not %s: %s",
						    results.setup < 0 ? results.step : "try it",
						    error_reason(code));
		return;
	}
	diagnosis->answer = results.tried[AS_ASKED];
	diagnosis->plain = results.tried[PLAIN];
	diagnosis->reuseaddr = results.tried[REUSEADDR];
	diagnosis->reuseport = results.tried[REUSEPORT];
	inquiry->probe = results.probe;
	tell_lacks(inquiry, &results);
}

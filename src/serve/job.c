/* The maker of jobs, and what they have in common. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "model/value.h"
#include "serve/job.h"
#include "serve/state.h"

/* ---- a request with a socket ---- */

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static int send_with(int to, const struct request *request, int fd)
{
	union control control = {.bytes = ""};
	struct iovec part = {(void *)(uintptr_t)request, sizeof(*request)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS,
					  .cmsg_len = CMSG_LEN(sizeof(int))};
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(to, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(*request) ? 0 : -EPIPE;
}

/* The socket; -EPIPE: nobody asks any more; other negative errno. */
static int receive_with(int from, struct request *ret)
{
	int fd = -1;
	union control control = {.bytes = ""};
	struct iovec part = {ret, sizeof(*ret)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	ssize_t n;
	do
		n = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	const struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	if (n <= 0)
		return -EPIPE;
	if (n == (ssize_t)sizeof(*ret) && fd >= 0)
		return fd;
	closep(&fd);
	return -EBADMSG;
}

int job_ask(int maker, const struct request *request)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	int r = send_with(maker, request, ends[1]);
	close(ends[1]);
	if (r >= 0)
		return ends[0];
	close(ends[0]);
	return r;
}

/* ---- the maker ---- */

static int do_job(const struct job_settings *settings, const struct request *request, int fd)
{
	struct job job = {
		.settings = settings, .request = request, .looking = settings->looking, .fd = fd};
	signal(SIGCHLD, SIG_DFL); /* acting waits for what it starts */
	if (out_init(&job.out, -1) < 0)
		return 1;
	if (request->netns) {
		snprintf(job.netns, sizeof(job.netns), "%" PRIu64, request->netns);
		job.looking.scope = (struct netns_scope){.choice = NETNS_NAME, .name = job.netns};
	} else if (request->verb != VERB_STORY) {
		job.looking.scope = (struct netns_scope){.choice = NETNS_SELF};
	}
	if (request->verb == VERB_STORY)
		job_story(&job);
	else if (request->verb == VERB_PLAN && !settings->is_read_only)
		(request->deed.kind == ACT_CLOSE ? job_close : job_block)(&job);
	out_done(&job.out);
	return 0;
}

static int make_jobs(const struct job_settings *settings, int from)
{
	for (;;) {
		struct request request;
		int fd = receive_with(from, &request);
		if (fd == -EPIPE)
			return 0;
		if (fd < 0)
			continue;
		pid_t pid = request_is_valid(&request) ? fork() : -1;
		if (pid == 0) {
			close(from);
			_exit(do_job(settings, &request, fd));
		}
		close(fd); /* without a process its other end is read as the end */
	}
}

int job_start_maker(const struct job_settings *settings, const int *keep_not, int *ret_fd,
		    pid_t *ret_pid, struct error *err)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set(err, -errno, "make a socket");
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGCHLD, SIG_IGN); /* nobody waits for jobs */
		close(ends[0]);
		for (; *keep_not >= 0; keep_not++)
			close(*keep_not);
		_exit(make_jobs(settings, ends[1]));
	}
	int r = pid < 0 ? -errno : 0;
	close(ends[1]);
	if (r < 0) {
		close(ends[0]);
		return error_set(err, r, "start a process");
	}
	*ret_fd = ends[0];
	*ret_pid = pid;
	return 0;
}

/* ---- answers ---- */

static int send_all(int fd, const char *bytes, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t sent = send(fd, bytes + at, n - at, MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR)
			return -errno;
		at += sent > 0 ? (size_t)sent : 0;
	}
	return 0;
}

int job_reply(struct job *job, enum reply_kind kind, unsigned status)
{
	const struct reply reply = {.id = job->request->id,
				    .length = (uint32_t)job->out.n,
				    .status = (uint16_t)status,
				    .kind = (uint8_t)kind,
				    .is_last = true};
	int r = job->out.error;
	if (r >= 0)
		r = send_all(job->fd, (const char *)&reply, sizeof(reply));
	if (r >= 0)
		r = send_all(job->fd, job->out.data, job->out.n);
	job->out.n = 0;
	return r;
}

int job_reply_error(struct job *job, unsigned status, const struct error *err)
{
	job->out.n = 0;
	out_string(&job->out, "{\"error\":");
	reply_error_json(&job->out, err);
	out_string(&job->out, "}\n");
	return job_reply(job, REPLY_JSON, status);
}

void job_open_object(struct job *job)
{
	struct out *out = &job->out;
	while (out->n && (out->data[out->n - 1] == '\n' || out->data[out->n - 1] == '}')) {
		bool is_end = out->data[--out->n] == '}';
		if (is_end)
			return;
	}
}

void job_end_plan(struct job *job, const uint64_t *identities, uint32_t n, bool can_act,
		  const struct out *text)
{
	struct out *out = &job->out;
	out_format(out,
		   ",\"action\":\"%s\",\"plan\":\"%016" PRIx64 "\",\"can_act\":%s,\"identities\":[",
		   act_words[job->request->deed.kind], job->request->of,
		   can_act ? "true" : "false");
	for (uint32_t i = 0; i < n; i++)
		out_format(out, "%s\"%016" PRIx64 "\"", i ? "," : "", identities[i]);
	out_string(out, "],\"text\":");
	json_quote(out, text->data, text->n);
	out_string(out, "}\n");
}

/* ---- a plan that is confirmed ---- */

static int read_request(int fd, struct request *ret)
{
	struct pollfd wait = {fd, POLLIN, 0};
	for (size_t n = 0; n < sizeof(*ret);) {
		int ready = poll(&wait, 1, PLAN_LIFE_MS);
		if (ready < 0 && errno == EINTR)
			return -EPIPE; /* it is the end */
		if (ready <= 0)
			return -EPIPE;
		ssize_t got = recv(fd, (char *)ret + n, sizeof(*ret) - n, 0);
		if (got <= 0)
			return -EPIPE;
		n += (size_t)got;
	}
	return request_is_valid(ret) ? 0 : -EPIPE;
}

int job_await_act(struct job *job, const uint64_t *identities, uint32_t n, struct request *ret)
{
	int r = read_request(job->fd, ret);
	if (r < 0)
		return r;
	job->request = ret;
	bool is_same = ret->verb == VERB_ACT && ret->n_identities == n &&
		       memcmp(ret->identities, identities, n * sizeof(*identities)) == 0;
	if (is_same)
		return 0;
	job_reply_error(
		job, 409,
		&(struct error){.what = "that is not what the plan was made of: nothing was done",
				.hint = "make the plan again"});
	return -ESTALE;
}

/* A BPF iterator run once. */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/privilege.h"
#include "source/bpf/pass.h"

/* include/linux/proc_ns.h: the host's own pid namespace; in another one pids would be the host's */
#define PROC_PID_INIT_INO 0xEFFFFFFCu

/* One read of a bpf_seq returns at most 8 pages (kernel/bpf/bpf_iter.c), and there whole records
 * where a page has 4 KiB. With larger pages one may be cut by the end of our buffer. */
#define BUFFER_SIZE 65536

bool pass_possible(const struct host *host, struct facility *ret)
{
	struct stat status;
	const char *reason = "";
#ifndef HAVE_BPF
	ret->is_built_in = false;
	reason = "built without BPF";
#else
	ret->is_built_in = true;
	if (!host->is_live)
		reason = "the host is not this one";
	else if (!privilege_has(CAP_SYS_ADMIN) &&
		 !(privilege_has(CAP_BPF) && privilege_has(CAP_PERFMON)))
		reason = "needs the capabilities CAP_BPF and CAP_PERFMON";
	else if (stat("/proc/self/ns/pid", &status) < 0 || status.st_ino != PROC_PID_INIT_INO)
		reason = "not in the host's pid namespace";
#endif
	ret->works = !reason[0];
	strncpy(ret->reason, reason, sizeof(ret->reason) - 1);
	(void)host;
	(void)status;
	return ret->works;
}

void pass_loaded(int result, struct facility *ret)
{
	ret->works = result >= 0;
	if (!ret->works)
		snprintf(ret->reason, sizeof(ret->reason), "the kernel refuses the program: %s",
			 error_reason(result));
}

static int bpf_call(int command, union bpf_attr *attributes)
{
	int r = (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
	return r < 0 ? -errno : r;
}

static int read_all(int iterator, pass_take *take, void *data, const struct stop *stop)
{
	char buffer[BUFFER_SIZE];
	size_t have = 0;
	for (;;) {
		ssize_t n = read(iterator, buffer + have, sizeof(buffer) - have);
		if (n == 0)
			return have ? -EBADMSG : 0;
		/* EAGAIN: a million objects in a row without a record (bpf_iter.c) */
		if (n < 0 && (errno == EAGAIN || (errno == EINTR && !stop_wanted(stop))))
			continue;
		if (n < 0)
			return -errno;
		have += (size_t)n;
		ssize_t taken = take(data, buffer, have);
		if (taken < 0)
			return (int)taken;
		have -= (size_t)taken;
		if (have == sizeof(buffer))
			return -EBADMSG;
		memmove(buffer, buffer + taken, have);
	}
}

int pass_run(int program, pass_take *take, void *data, const struct stop *stop)
{
	union bpf_attr attributes = {
		.link_create = {.prog_fd = (uint32_t)program, .attach_type = BPF_TRACE_ITER}};
	cleanup(closep) int link = bpf_call(BPF_LINK_CREATE, &attributes);
	if (link < 0)
		return link;

	attributes = (union bpf_attr){.iter_create = {.link_fd = (uint32_t)link}};
	cleanup(closep) int iterator = bpf_call(BPF_ITER_CREATE, &attributes);
	return iterator < 0 ? iterator : read_all(iterator, take, data, stop);
}

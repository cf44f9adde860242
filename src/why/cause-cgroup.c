/* A control group whose BPF programs are asked for each bind: systemd's SocketBindDeny= and
 * IPAddressDeny=, container engines. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>

#include "why/cause.h"

#define PROGRAMS_MAX 64

static long bpf(enum bpf_cmd command, union bpf_attr *attributes)
{
	return syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

/* How many programs @type has here, those of the groups above included; the first one's number. */
static int query(int cgroup, enum bpf_attach_type type, uint32_t *ret_first)
{
	uint32_t ids[PROGRAMS_MAX] = {0};
	union bpf_attr attributes;
	memset(&attributes, 0, sizeof(attributes));
	attributes.query.target_fd = (uint32_t)cgroup;
	attributes.query.attach_type = type;
	attributes.query.query_flags = BPF_F_QUERY_EFFECTIVE;
	attributes.query.prog_ids = (uint64_t)(uintptr_t)ids;
	attributes.query.prog_cnt = PROGRAMS_MAX;
	if (bpf(BPF_PROG_QUERY, &attributes) < 0)
		return -errno;
	*ret_first = ids[0];
	return (int)attributes.query.prog_cnt;
}

/* "sd_bind4" at @to; "" where it may not be had. */
static void read_name(uint32_t id, char to[BPF_OBJ_NAME_LEN])
{
	union bpf_attr attributes;
	struct bpf_prog_info info = {0};
	to[0] = '\0';
	memset(&attributes, 0, sizeof(attributes));
	attributes.prog_id = id;
	cleanup(closep) int fd = (int)bpf(BPF_PROG_GET_FD_BY_ID, &attributes);
	if (fd < 0)
		return;
	memset(&attributes, 0, sizeof(attributes));
	attributes.info.bpf_fd = (uint32_t)fd;
	attributes.info.info_len = sizeof(info);
	attributes.info.info = (uint64_t)(uintptr_t)&info;
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes) < 0)
		return;
	memcpy(to, info.name, BPF_OBJ_NAME_LEN);
	to[BPF_OBJ_NAME_LEN - 1] = '\0';
}

/* The number of programs that are asked; 0 where there are none or that may not be known, which
 * *@ret_refused tells. */
static int count(struct inquiry *inquiry, uint32_t *ret_first, int *ret_refused)
{
	const struct question *question = &inquiry->diagnosis->question;
	static const enum bpf_attach_type types[][2] = {
		{BPF_CGROUP_INET4_BIND, BPF_CGROUP_INET4_POST_BIND},
		{BPF_CGROUP_INET6_BIND, BPF_CGROUP_INET6_POST_BIND},
	};
	static const enum bpf_attach_type connect_types[] = {BPF_CGROUP_INET4_CONNECT,
							     BPF_CGROUP_INET6_CONNECT};
	cleanup(closep) int cgroup =
		subject_open_cgroup(inquiry->host, &inquiry->subject, O_RDONLY | O_DIRECTORY, "");
	*ret_refused = cgroup < 0 ? cgroup : 0;
	if (cgroup < 0)
		return 0;
	int n = 0;
	bool is_connect = question->attempt == ATTEMPT_CONNECT;
	for (unsigned i = 0; n == 0 && i < (is_connect ? 1 : 2); i++) {
		enum bpf_attach_type type =
			is_connect ? connect_types[!question->is_v4] : types[!question->is_v4][i];
		int r = query(cgroup, type, ret_first);
		if (r < 0)
			*ret_refused = r;
		else
			n = r;
	}
	return n;
}

static int find(struct inquiry *inquiry)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	const char *group = inquiry->subject.cgroup,
		   *call = attempt_words[diagnosis->question.attempt];
	uint32_t first = 0;
	char name[BPF_OBJ_NAME_LEN] = "";
	if (diagnosis->answer.error != EPERM)
		return 0;
	int refused, n = count(inquiry, &first, &refused);
	bool has_filter = inquiry->subject.has_seccomp;
	struct cause *cause = diagnosis_add(
		diagnosis, n || (refused && !has_filter) ? CAUSE_CGROUP : CAUSE_SECCOMP, EPERM);
	if (!cause)
		return -ENOMEM;
	if (first)
		read_name(first, name);
	if (n)
		cause->because = diagnosis_text(diagnosis,
						"%d BPF program%s of the control group %s or one "
						"above %s asked for each %s "
						"and refuse%s this one%s%s.",
						n, n == 1 ? "" : "s", group, n == 1 ? "is" : "are",
						call, n == 1 ? "s" : "", name[0] ? ": " : "", name);
	else if (refused && has_filter)
		cause->because = diagnosis_text(
			diagnosis,
			"EPERM comes from the seccomp filter of the process, or from a BPF program "
			"of its control group, which may not be looked at (%s).",
			error_reason(refused));
	else if (refused)
		cause->because = diagnosis_text(
			diagnosis,
			"EPERM comes from a BPF program of the control group %s (which may not be "
			"looked at: %s) or from a seccomp filter.",
			group[0] ? group : "of the process", error_reason(refused));
	else
		cause->because = "EPERM comes from a seccomp filter of the process: its control "
				 "group has no BPF program for this.";
	cause->remedy =
		cause->what == CAUSE_SECCOMP
			? "allow the call where the filter is made (SystemCallFilter= of a unit, "
			  "`--security-opt seccomp=` of a container)"
			: "look at SocketBindDeny=, SocketBindAllow= and "
			  "RestrictNetworkInterfaces= of "
			  "the unit (`systemctl show UNIT`), or `bpftool cgroup tree`";
	return 0;
}

const struct cause_family cause_cgroup = {
	.name = "control groups", .attempts = AT_BIND | AT_CONNECT, .find = find};

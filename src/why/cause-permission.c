/* What the kernel or its security modules do not allow: privileged ports, Landlock. */
#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>

#include "why/cause.h"
#include "why/words.h"

#define LANDLOCK_VERSION_FLAG 1 /* LANDLOCK_CREATE_RULESET_VERSION */
#define LANDLOCK_NET 4		/* since that version of its ABI it restricts bind and connect */

static bool is_privileged(const struct question *question, const struct netns *netns)
{
	return question->port && netns && question->port < netns->unprivileged_start;
}

static int tell_privileged(struct inquiry *inquiry, const struct netns *netns)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	struct cause *cause = diagnosis_add(diagnosis, CAUSE_PRIVILEGED, EACCES);
	if (!cause)
		return -ENOMEM;
	cause->because = diagnosis_text(
		diagnosis,
		"Ports below %u need the capability CAP_NET_BIND_SERVICE, which %s does not have "
		"here.",
		netns->unprivileged_start,
		inquiry->subject.pid ? inquiry->subject.name
				     : words_user(inquiry, diagnosis->question.uid));
	cause->remedy = diagnosis_text(
		diagnosis,
		"run it as root, give the program the capability (`setcap "
		"cap_net_bind_service+ep FILE`; AmbientCapabilities= in a unit), or lower `sysctl "
		"net.ipv4.ip_unprivileged_port_start` to %u",
		diagnosis->question.port);
	return 0;
}

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_FLAG) >= LANDLOCK_NET;
}

/* Neither a Landlock domain nor a module's policy can be read: what is left when nothing else says
 * EACCES. */
static int tell_module(struct inquiry *inquiry)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	bool is_landlock = has_landlock();
	struct cause *cause = diagnosis_add(diagnosis, CAUSE_LANDLOCK, EACCES);
	if (!cause)
		return -ENOMEM;
	cause->because = diagnosis_text(
		diagnosis,
		"The %s forbids it: the port is not privileged for this caller, and nothing else "
		"of "
		"the kernel answers EACCES. %s",
		is_landlock ? "program's Landlock sandbox (or SELinux, AppArmor)"
			    : "security module (SELinux, AppArmor)",
		is_landlock ? "A sandbox is inherited by whatever is started in it." : "");
	cause->remedy = is_landlock ? "allow the port where the sandbox is set up "
				      "(LANDLOCK_ACCESS_NET_BIND_TCP), or run it outside"
				    : "look into the audit log for the denial (`ausearch -m avc`)";
	return 0;
}

static int find(struct inquiry *inquiry)
{
	const struct diagnosis *diagnosis = inquiry->diagnosis;
	const struct netns *netns = snapshot_netns(inquiry->snapshot, diagnosis->question.netns);
	if (is_privileged(&diagnosis->question, netns) &&
	    !subject_has(&inquiry->subject, CAP_NET_BIND_SERVICE))
		return tell_privileged(inquiry, netns);
	if (diagnosis->answer.error == EACCES)
		return tell_module(inquiry);
	return 0;
}

const struct cause_family cause_permission = {
	.name = "permissions", .attempts = AT_BIND, .find = find};

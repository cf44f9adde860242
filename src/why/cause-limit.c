/* Nothing is left: descriptors of the process, or numbers of the ephemeral range. */
#include <errno.h>
#include <inttypes.h>

#include "why/cause.h"

static int find_descriptors(struct inquiry *inquiry)
{
	const struct subject *subject = &inquiry->subject;
	struct diagnosis *diagnosis = inquiry->diagnosis;
	int error = diagnosis->answer.error;
	bool is_full = subject->pid && subject->descriptor_limit &&
		       subject->n_descriptors >= subject->descriptor_limit;
	if (error != EMFILE && error != ENFILE && !is_full)
		return 0;
	struct cause *cause =
		diagnosis_add(diagnosis, CAUSE_DESCRIPTORS, error == ENFILE ? ENFILE : EMFILE);
	if (!cause)
		return -ENOMEM;
	if (error == ENFILE) {
		cause->because = "The host has as many files open as it may (fs.file-max).";
		cause->remedy = "raise `sysctl fs.file-max`, or end what holds them";
		return 0;
	}
	cause->because =
		subject->descriptor_limit
			? diagnosis_text(diagnosis,
					 "The process has %" PRIu64
					 " descriptors open, and may have "
					 "%" PRIu64 ": socket() fails before anything is bound.",
					 subject->n_descriptors, subject->descriptor_limit)
			: "The process has as many descriptors open as it may: socket() fails "
			  "before anything is bound.";
	cause->remedy = "raise its limit (LimitNOFILE= of the unit, `ulimit -n`, `prlimit "
			"--nofile`), or find what it leaves open in /proc/PID/fd";
	return 0;
}

static uint32_t count_free(const struct netns *netns)
{
	uint32_t n = netns->ephemeral.last - netns->ephemeral.first + 1u;
	for (uint32_t i = 0; i < netns->n_reserved; i++) {
		uint16_t first = netns->reserved[i].first, last = netns->reserved[i].last;
		if (first < netns->ephemeral.first)
			first = netns->ephemeral.first;
		if (last > netns->ephemeral.last)
			last = netns->ephemeral.last;
		n -= first <= last ? last - first + 1u : 0;
	}
	return n;
}

/* Port 0: the kernel chooses from the range, and there is none left. */
static int find_range(struct inquiry *inquiry)
{
	struct diagnosis *diagnosis = inquiry->diagnosis;
	const struct netns *netns = snapshot_netns(inquiry->snapshot, diagnosis->question.netns);
	if (diagnosis->question.port || diagnosis->answer.error != EADDRINUSE || !netns)
		return 0;
	struct cause *cause = diagnosis_add(diagnosis, CAUSE_RANGE_FULL, EADDRINUSE);
	if (!cause)
		return -ENOMEM;
	cause->because = diagnosis_text(
		diagnosis,
		"Port 0 lets the kernel choose, and of its ephemeral range %u-%u (%u numbers "
		"without the reserved ones) none is left for this address.",
		netns->ephemeral.first, netns->ephemeral.last, count_free(netns));
	cause->remedy = "widen `sysctl net.ipv4.ip_local_port_range`, bind a number, or end what "
			"holds them: `doorward list --all`";
	return 0;
}

static int find(struct inquiry *inquiry)
{
	int r = find_descriptors(inquiry);
	return r < 0 ? r : find_range(inquiry);
}

const struct cause_family cause_limit = {.name = "limits", .attempts = AT_BIND, .find = find};

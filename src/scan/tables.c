/* One job, within what the tables of who scans have room for. */
#include <errno.h>
#include <linux/capability.h>

#include "base/attributes.h"
#include "base/privilege.h"
#include "scan/connect.h"
#include "scan/neighbours.h"
#include "scan/sctp.h"
#include "scan/syn.h"
#include "scan/tables.h"
#include "scan/udp.h"

bool tables_is_syn(const struct scan_request *request, const struct job *job)
{
	return job->proto == PROTO_TCP && request->method != METHOD_CONNECT &&
	       (request->method == METHOD_SYN || privilege_has(CAP_NET_RAW));
}

static int run_job(const struct scan_request *request, const struct job *job, struct error *err)
{
	job->progress->doing = proto_words[job->proto];
	if (job->proto == PROTO_UDP)
		return udp_scan(job, err);
	if (job->proto == PROTO_SCTP)
		return sctp_scan(job, err);
	return tables_is_syn(request, job) ? syn_scan(job, err) : connect_scan(job, err);
}

/* Frames go past the connection tracking: where all targets get them there is nothing to limit. */
static bool has_all_ways(const struct job *job, const struct neighbours *found, uint32_t first)
{
	for (uint32_t t = 0; t < job->n_targets; t++)
		if (!found->states || (found->states[first + t] != NEIGHBOUR_PRESENT &&
				       found->states[first + t] != NEIGHBOUR_ABSENT))
			return false;
	return true;
}

/* Some of the hosts, of which the first is the @first that was asked for. */
static int run_tracked(const struct scan_request *request, struct job *job,
		       const struct neighbours *found, uint32_t first, struct scan *scan,
		       struct error *err)
{
	struct tracking tracking;
	tracking_init(&tracking);
	bool is_narrow = tracking.fd >= 0 && job_n(job) > tracking.room / 2;
	bool has_frames = tables_is_syn(request, job) && has_all_ways(job, found, first);
	if (is_narrow && !has_frames)
		job->tracking = &tracking;
	/* else the kernel's own way is as good, and passes its rules */
	if (tables_is_syn(request, job) && found->ways &&
	    (is_narrow || found->n_on_link > NEIGHBOURS_KERNELS))
		job->ways = found->ways + first;
	int r = run_job(request, job, err);
	if (atomic_load(&tracking.has_waited))
		scan_note(scan,
			  "connection tracking had room for %llu more: the scan kept below half of "
			  "it, and waited for entries to expire",
			  (unsigned long long)tracking.room);
	job->tracking = NULL;
	job->ways = NULL;
	tracking_done(&tracking);
	return r;
}

static void say_absent(const struct job *job, const struct neighbours *found, struct scan *scan)
{
	char address[64];
	const char *what = job->targets[0].is_v4 ? "ARP" : "neighbour solicitations";
	if (found->n_absent == 1)
		for (uint32_t t = 0; t < job->n_targets; t++) {
			if (found->states[t] != NEIGHBOUR_ABSENT)
				continue;
			size_t n = ip_format(address, &job->targets[t].ip, job->targets[t].is_v4);
			scan_note(scan, "%.*s: the host does not answer %s", (int)n, address, what);
		}
	else if (found->n_absent)
		scan_note(scan, "%u addresses on the own link do not answer %s: nobody is there",
			  found->n_absent, what);
}

/* How many hosts at a time: each that is asked through the kernel takes an entry in its table. */
static uint32_t hosts_at_once(const struct scan_request *request, const struct job *job,
			      const struct neighbours *found, struct scan *scan)
{
	bool has_frames =
		found->states && tables_is_syn(request, job) && privilege_has(CAP_NET_RAW);
	if (found->n_on_link <= NEIGHBOURS_KERNELS || has_frames)
		return job->n_targets;
	uint32_t room = neighbours_room(job->targets[0].is_v4);
	uint32_t n = room / 2 ? room / 2 : 1;
	/* without an answer to our own question each of them may be there */
	uint32_t n_entries =
		found->n_present + found->n_absent ? found->n_present : found->n_on_link;
	if (n_entries <= n)
		return job->n_targets;
	scan_note(scan,
		  "the table of neighbours has room for %u more: %u hosts were asked at a time",
		  room, n);
	return n;
}

int tables_run(const struct scan_request *request, struct job *job, struct scan *scan,
	       struct error *err)
{
	const struct job all = *job;
	struct neighbours found;
	int r = neighbours_find(&all, &found, err);
	if (r >= 0 && found.states)
		say_absent(&all, &found, scan);
	uint32_t at_once = r < 0 ? all.n_targets : hosts_at_once(request, &all, &found, scan);
	for (uint32_t at = 0; r >= 0 && at < all.n_targets; at += at_once) {
		job->targets = all.targets + at;
		job->n_targets = all.n_targets - at < at_once ? all.n_targets - at : at_once;
		job->answers = all.answers + (size_t)at * all.n_ports;
		r = run_tracked(request, job, &found, at, scan, err);
	}
	*job = all;
	neighbours_done(&found);
	return r;
}

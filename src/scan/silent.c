/* Addresses on our own link that nobody has. */
#include "scan/silent.h"

#define LINES_MAX 65536

/* Only silence: an answer of any kind shows that somebody is there. */
static bool is_silent(const struct job *job, uint32_t target)
{
	const struct answer *answers = &job->answers[(size_t)target * job->n_ports];
	for (uint32_t p = 0; p < job->n_ports; p++)
		if (answers[p].reason != BECAUSE_TIME_OUT && answers[p].reason != BECAUSE_NO_ANSWER)
			return false;
	return true;
}

static void mark(const struct job *job, const struct ip *ip)
{
	for (uint32_t t = 0; t < job->n_targets; t++) {
		if (!ip_equal(&job->targets[t].ip, ip) || !is_silent(job, t))
			continue;
		for (uint32_t p = 0; p < job->n_ports; p++) {
			struct answer *answer = &job->answers[(size_t)t * job->n_ports + p];
			answer->state = DOOR_FILTERED;
			answer->reason = BECAUSE_HOST_SILENT;
		}
	}
}

void silent_mark(const struct job *job, FILE *file)
{
	char line[256], address[64];
	unsigned type, flags;
	struct ip ip;
	bool is_v4;
	for (unsigned n = 0; n < LINES_MAX && fgets(line, sizeof(line), file); n++)
		/* flags 0: asked for, and nobody has answered (ATF_COM is 2) */
		if (sscanf(line, "%63s 0x%x 0x%x", address, &type, &flags) == 3 && flags == 0 &&
		    ip_parse(address, strlen(address), &ip, &is_v4) >= 0)
			mark(job, &ip);
}

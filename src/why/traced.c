/* A probe that is traced through this host. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "why/endpoint.h"
#include "why/trial.h"

static void start_lists(struct traced *traced)
{
	vector_init(&traced->hits, sizeof(struct packet_hit));
	vector_init(&traced->drops, sizeof(struct packet_drop));
}

void traced_init(struct traced *traced)
{
	*traced = (struct traced){.has_hits = false};
	start_lists(traced);
}

void traced_done(struct traced *traced)
{
	vector_done(&traced->hits);
	vector_done(&traced->drops);
}

/* A number that is free for the probe's own end, by which its packets are known. */
struct choice {
	const struct question *question;
	uint16_t port;
};

static int choose_port(void *data)
{
	struct choice *choice = data;
	const struct question *question = choice->question;
	struct sockaddr_storage address;
	struct question own;
	struct ip any = question->is_v4 ? ip_from_v4((const uint8_t[4]){0})
					: ip_from_v6((const uint8_t[16]){0});
	cleanup(closep) int fd = endpoint_socket(question, 0);
	socklen_t n =
		endpoint_of(question, question->has_from ? &question->from : &any, 0, &address);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, n) < 0)
		return fd < 0 ? fd : -errno;
	n = sizeof(address);
	if (getsockname(fd, (struct sockaddr *)&address, &n) < 0 ||
	    !endpoint_parse(&address, n, &own))
		return -EINVAL;
	choice->port = own.port;
	return 0;
}

/* @rules_of: the namespace whose rules are traced; NULL: only what the kernel drops is looked at.
 */
static int probe_once(struct inquiry *inquiry, const struct found_netns *rules_of)
{
	struct traced *traced = &inquiry->traced;
	const struct question *question = &inquiry->diagnosis->question;
	struct choice choice = {.question = question};
	struct packet_trace *trace = NULL;
	struct drops *drops = NULL;
	if (netns_call(inquiry->place, choose_port, &choice) < 0)
		return 0;
	traced_done(traced);
	start_lists(traced);
	traced->has_hits =
		rules_of && packet_trace_start(rules_of, question->proto, choice.port, &trace) >= 0;
	traced->has_drops = drops_start(inquiry->host, question->proto, choice.port, &drops) >= 0;
	traced->netns = rules_of ? rules_of->inode : inquiry->place->inode;
	if (trace || drops) {
		inquiry->probe_port = choice.port;
		trial_run(inquiry);
	}
	int r = trace ? packet_trace_stop(trace, &traced->hits) : 0;
	int s = drops ? drops_stop(drops, inquiry->host, &traced->drops) : 0;
	return r < 0 ? r : s;
}

/* The namespace where a filter dropped it, when that is not the one that was traced; 0: none. */
static uint64_t filtered_elsewhere(const struct traced *traced)
{
	for (uint32_t i = 0; i < traced->drops.n; i++) {
		const struct packet_drop *drop = vector_at(&traced->drops, i);
		if (strcmp(drop->word, "NETFILTER_DROP") == 0 && drop->netns &&
		    drop->netns != traced->netns)
			return drop->netns;
	}
	return 0;
}

static int probe_there(struct inquiry *inquiry, uint64_t inode)
{
	struct netns_scope all = {.choice = NETNS_ALL};
	struct vector places;
	vector_init(&places, sizeof(struct found_netns));
	int r = netns_find(inquiry->host, &all, NULL, &places, NULL, NULL);
	const struct found_netns *there = NULL;
	for (uint32_t i = 0; r >= 0 && i < places.n; i++) {
		const struct found_netns *place = vector_at(&places, i);
		if (place->inode == inode)
			there = place;
	}
	r = there ? probe_once(inquiry, there) : 0;
	netns_list_done(&places);
	return r;
}

/* The packet came to where nobody listens, past all rules: no filter refused it. */
static bool has_passed(const struct inquiry *inquiry)
{
	bool has_ended = false;
	for (uint32_t i = 0; i < inquiry->traced.drops.n; i++) {
		const struct packet_drop *drop = vector_at(&inquiry->traced.drops, i);
		if (strcmp(drop->word, "NETFILTER_DROP") == 0)
			return false;
		has_ended |= strcmp(drop->word, "NO_SOCKET") == 0 &&
			     drop->from_port == inquiry->probe_port;
	}
	return has_ended;
}

int traced_probe(struct inquiry *inquiry)
{
	int r = 0;
	/* most often that is all, and to trace rules takes ten times as long */
	if (inquiry->diagnosis->answer.error == ECONNREFUSED) {
		r = probe_once(inquiry, NULL);
		inquiry->has_traced = r >= 0 && has_passed(inquiry);
		if (r < 0 || inquiry->has_traced)
			return r;
	}
	r = probe_once(inquiry, inquiry->place);
	uint64_t elsewhere = filtered_elsewhere(&inquiry->traced);
	if (r >= 0 && elsewhere)
		r = probe_there(inquiry, elsewhere);
	inquiry->has_traced = inquiry->traced.has_hits && inquiry->traced.has_drops;
	return r;
}

/* Packets of one port that the kernel drops, and why. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "source/bpf/drops.h"
#include "source/bpf/pass.h"
#include "source/drop-reason.h"

#ifdef HAVE_BPF
#include "bpf/drop.h"
#include "drops.skel.h"

struct drops {
	struct drops_bpf *program;
};

int drops_start(const struct host *host, enum proto proto, uint16_t port, struct drops **ret)
{
	struct facility facility = {.name = "drops"};
	struct bpf_drop_wanted wanted = {
		.port = port, .protocol = proto == PROTO_UDP ? IPPROTO_UDP : IPPROTO_TCP};
	if (!pass_possible(host, &facility))
		return -EPERM;
	struct drops *drops = calloc(1, sizeof(*drops));
	if (drops)
		drops->program = drops_bpf__open();
	if (!drops || !drops->program) {
		free(drops);
		return -ENOMEM;
	}
	memcpy((void *)(uintptr_t)&drops->program->rodata->wanted, &wanted, sizeof(wanted));
	int r = drops_bpf__load(drops->program);
	if (r >= 0)
		r = drops_bpf__attach(drops->program);
	if (r < 0) {
		drops_bpf__destroy(drops->program);
		free(drops);
		return r;
	}
	*ret = drops;
	return 0;
}

static int add(const struct bpf_drop *drop, const struct drop_reasons *reasons, struct vector *ret)
{
	struct packet_drop *added = vector_add(ret);
	if (!added)
		return -ENOMEM;
	*added = (struct packet_drop){.reason = drop->reason,
				      .netns = drop->netns,
				      .is_v4 = drop->family == AF_INET,
				      .to_port = drop->to_port,
				      .from_port = drop->from_port};
	memcpy(added->to.bytes, drop->to, sizeof(added->to.bytes));
	drop_reason_word(reasons, drop->reason, added->word);
	return 0;
}

int drops_stop(struct drops *drops, const struct host *host, struct vector *ret)
{
	struct bpf_drop all[BPF_DROPS_MAX];
	struct drop_reasons reasons = {0};
	drops_bpf__detach(drops->program);
	/* or it would be closed once more, whose number it may be by then */
	drops->program->links.dropped_fd = 0;
	uint32_t n = drops->program->bss->n_drops;
	n = n < BPF_DROPS_MAX ? n : BPF_DROPS_MAX;
	memcpy(all, drops->program->bss->drops, sizeof(all));
	if (n)
		drop_reasons_open(host, &reasons);
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < n; i++)
		r = add(&all[i], &reasons, ret);
	if (n)
		drop_reasons_close(&reasons);
	drops_bpf__destroy(drops->program);
	free(drops);
	return r;
}
#else
int drops_start(const struct host *host unused_argument, enum proto proto unused_argument,
		uint16_t port unused_argument, struct drops **ret unused_argument)
{
	return -ENOTSUP;
}

int drops_stop(struct drops *drops unused_argument, const struct host *host unused_argument,
	       struct vector *ret unused_argument)
{
	return 0;
}
#endif

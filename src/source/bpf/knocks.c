/* Who tries doors that are closed or filtered. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "source/bpf/knocks.h"
#include "source/bpf/pass.h"

#ifdef HAVE_BPF
#include "bpf/knock.h"
#include "knocks.skel.h"

#define BATCH 512

struct knocks {
	struct knocks_bpf *program;
	uint64_t n_seen, n_lost; /* as they were told last */
	struct bpf_knock keys[BATCH];
	struct bpf_knocks values[BATCH];
};

int knocks_start(const struct host *host, struct knocks **ret, struct error *err)
{
	struct facility facility = {.name = "knocks"};
	if (!pass_possible(host, &facility)) {
		error_text(err, -EPERM, "packets that are dropped cannot be watched: %s",
			   facility.reason);
		return -EPERM;
	}
	struct knocks *knocks = calloc(1, sizeof(*knocks));
	if (knocks)
		knocks->program = knocks_bpf__open();
	if (!knocks || !knocks->program) {
		free(knocks);
		return error_set(err, -ENOMEM, "watch packets that are dropped");
	}
	int r = knocks_bpf__load(knocks->program);
	if (r >= 0)
		r = knocks_bpf__attach(knocks->program);
	if (r < 0) {
		knocks_free(knocks);
		pass_loaded(r, &facility);
		return error_text(err, r, "packets that are dropped cannot be watched: %s",
				  facility.reason);
	}
	*ret = knocks;
	return 0;
}

void knocks_free(struct knocks *knocks)
{
	if (!knocks)
		return;
	knocks_bpf__destroy(knocks->program);
	free(knocks);
}

static struct knock knock_of(const struct bpf_knock *key, const struct bpf_knocks *value)
{
	struct knock knock = {.count = value->count,
			      .last_ns = value->last_ns,
			      .netns = key->netns,
			      .reason = key->reason,
			      .to_port = key->to_port,
			      .from_port = (uint16_t)value->from_port,
			      .proto = key->protocol == IPPROTO_UDP ? PROTO_UDP : PROTO_TCP,
			      .is_v4 = key->family == AF_INET};
	memcpy(knock.to.bytes, key->to, sizeof(knock.to.bytes));
	memcpy(knock.from.bytes, key->from, sizeof(knock.from.bytes));
	return knock;
}

/* One batch, taken out of the kernel's map. How many; *@ret_more: there are more. */
static int take_batch(struct knocks *knocks, uint64_t *place, bool is_first, bool *ret_more)
{
	union bpf_attr attributes = {0};
	uint64_t next = 0;
	attributes.batch.map_fd = (uint32_t)knocks->program->maps.knocks.map_fd;
	attributes.batch.in_batch = is_first ? 0 : (uintptr_t)place;
	attributes.batch.out_batch = (uintptr_t)&next;
	attributes.batch.keys = (uintptr_t)knocks->keys;
	attributes.batch.values = (uintptr_t)knocks->values;
	attributes.batch.count = BATCH;
	int r = skel_sys_bpf(BPF_MAP_LOOKUP_AND_DELETE_BATCH, &attributes, sizeof(attributes));
	int error = r < 0 ? errno : 0;
	*place = next;
	*ret_more = r >= 0;
	if (r < 0 && error != ENOENT) /* ENOENT: it was the last */
		return -error;
	return (int)attributes.batch.count;
}

int knocks_read(struct knocks *knocks, int (*take)(void *data, const struct knock *knock),
		void *data, uint64_t *ret_lost)
{
	uint64_t n_seen = __atomic_load_n(&knocks->program->bss->n_knocks, __ATOMIC_ACQUIRE),
		 n_lost = __atomic_load_n(&knocks->program->bss->n_lost, __ATOMIC_RELAXED);
	*ret_lost = n_lost - knocks->n_lost;
	knocks->n_lost = n_lost;
	if (n_seen == knocks->n_seen)
		return 0;
	knocks->n_seen = n_seen;
	uint64_t place = 0;
	bool more = true;
	for (unsigned round = 0; more && round <= BPF_KNOCKS_MAX / BATCH; round++) {
		int n = take_batch(knocks, &place, round == 0, &more);
		if (n < 0)
			return n;
		for (int i = 0; i < n; i++) {
			struct knock knock = knock_of(&knocks->keys[i], &knocks->values[i]);
			int r = take(data, &knock);
			if (r < 0)
				return r;
		}
	}
	return 0;
}
#else
int knocks_start(const struct host *host, struct knocks **ret, struct error *err)
{
	struct facility facility = {.name = "knocks"};
	(void)ret;
	pass_possible(host, &facility);
	return error_text(err, -ENOTSUP, "packets that are dropped cannot be watched: %s",
			  facility.reason);
}

void knocks_free(struct knocks *knocks unused_argument)
{
}

int knocks_read(struct knocks *knocks unused_argument,
		int (*take)(void *data, const struct knock *knock) unused_argument,
		void *data unused_argument, uint64_t *ret_lost)
{
	*ret_lost = 0;
	return 0;
}
#endif

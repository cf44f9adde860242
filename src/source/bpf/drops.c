/* Packets of one port that the kernel drops, and why. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "source/bpf/drops.h"
#include "source/bpf/pass.h"
#include "source/btf-enum.h"

#define BTF_MAX (64 << 20)

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

/* The kernel's own types, 5 MB: mapped where it can be (Linux 6.16), since a read gives a page at a
 * time. */
struct types {
	char *mapped, *read;
	size_t n;
};

static void types_open(const struct host *host, struct types *ret)
{
	static const char path[] = "sys/kernel/btf/vmlinux";
	struct stat status;
	*ret = (struct types){.mapped = MAP_FAILED};
	cleanup(closep) int fd = host_openat(host, O_RDONLY, path);
	if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0 && status.st_size < BTF_MAX) {
		ret->n = (size_t)status.st_size;
		ret->mapped = mmap(NULL, ret->n, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	if (ret->mapped != MAP_FAILED)
		return;
	ssize_t n = host_read_all(host, &ret->read, BTF_MAX, path);
	ret->n = n > 0 ? (size_t)n : 0;
}

static void types_close(struct types *types)
{
	if (types->mapped != MAP_FAILED)
		munmap(types->mapped, types->n);
	free(types->read);
}

static int add(const struct bpf_drop *drop, const struct types *types, struct vector *ret)
{
	static const char prefix[] = "SKB_DROP_REASON_";
	struct packet_drop *added = vector_add(ret);
	if (!added)
		return -ENOMEM;
	*added = (struct packet_drop){.reason = drop->reason,
				      .netns = drop->netns,
				      .is_v4 = drop->family == AF_INET,
				      .to_port = drop->to_port,
				      .from_port = drop->from_port};
	memcpy(added->to.bytes, drop->to, sizeof(added->to.bytes));
	char word[64];
	const char *bytes = types->mapped != MAP_FAILED ? types->mapped : types->read;
	if (bytes &&
	    btf_enum_word(bytes, types->n, "skb_drop_reason", drop->reason, word, sizeof(word))) {
		bool has_prefix = strncmp(word, prefix, sizeof(prefix) - 1) == 0;
		snprintf(added->word, sizeof(added->word), "%s",
			 word + (has_prefix ? sizeof(prefix) - 1 : 0));
	}
	return 0;
}

int drops_stop(struct drops *drops, const struct host *host, struct vector *ret)
{
	struct bpf_drop all[BPF_DROPS_MAX];
	struct types types = {.mapped = MAP_FAILED};
	drops_bpf__detach(drops->program);
	/* or it would be closed once more, whose number it may be by then */
	drops->program->links.dropped_fd = 0;
	uint32_t n = drops->program->bss->n_drops;
	n = n < BPF_DROPS_MAX ? n : BPF_DROPS_MAX;
	memcpy(all, drops->program->bss->drops, sizeof(all));
	if (n)
		types_open(host, &types);
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < n; i++)
		r = add(&all[i], &types, ret);
	types_close(&types);
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

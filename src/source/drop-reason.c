/* The words of why the kernel drops a packet. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "source/btf-enum.h"
#include "source/drop-reason.h"

#define BTF_MAX (64 << 20)

/* The kernel's own types, 5 MB: mapped where it can be (Linux 6.16), since a read gives a page at a
 * time. */
void drop_reasons_open(const struct host *host, struct drop_reasons *ret)
{
	static const char path[] = "sys/kernel/btf/vmlinux";
	struct stat status;
	*ret = (struct drop_reasons){.mapped = MAP_FAILED};
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

void drop_reasons_close(struct drop_reasons *reasons)
{
	if (reasons->mapped && reasons->mapped != MAP_FAILED)
		munmap(reasons->mapped, reasons->n);
	free(reasons->read);
	*reasons = (struct drop_reasons){.mapped = MAP_FAILED};
}

void drop_reason_word(const struct drop_reasons *reasons, uint32_t reason, char *to)
{
	static const char prefix[] = "SKB_DROP_REASON_";
	char word[DROP_REASON_MAX + sizeof(prefix)];
	const char *bytes = reasons->mapped != MAP_FAILED ? reasons->mapped : reasons->read;
	to[0] = '\0';
	if (!bytes ||
	    !btf_enum_word(bytes, reasons->n, "skb_drop_reason", reason, word, sizeof(word)))
		return;
	bool has_prefix = strncmp(word, prefix, sizeof(prefix) - 1) == 0;
	snprintf(to, DROP_REASON_MAX, "%s", word + (has_prefix ? sizeof(prefix) - 1 : 0));
}

/* The words of why the kernel drops a packet, from the running kernel's own types. */
#ifndef SOURCE_DROP_REASON_H
#define SOURCE_DROP_REASON_H

#include "source/host.h"

#define DROP_REASON_MAX 48

struct drop_reasons {
	char *mapped, *read;
	size_t n;
};

/* Where they cannot be read no number has a word. */
void drop_reasons_open(const struct host *host, struct drop_reasons *ret);
void drop_reasons_close(struct drop_reasons *reasons);
/* "NETFILTER_DROP" at @to with NUL, at most DROP_REASON_MAX bytes; "" where it has none. */
void drop_reason_word(const struct drop_reasons *reasons, uint32_t reason, char *to);

#endif

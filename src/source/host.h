/* The host that is looked at: a directory beneath which /proc, /sys, /run and /etc are opened. A
 * test lays out its own, without root. */
#ifndef SOURCE_HOST_H
#define SOURCE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/stop.h"

struct host {
	int root;		 /* directory: "/" or a test's */
	bool is_live;		 /* root is "/": netlink, setns and BPF speak of the same host */
	int proc;		 /* the directory proc beneath it */
	uint64_t boot_time_ns;	 /* Unix time of the boot */
	long ticks;		 /* sysconf(_SC_CLK_TCK) */
	const struct stop *stop; /* may be NULL */
};

/* @directory NULL: "/". 0 or negative errno with @err told. */
int host_open(const char *directory, struct host *ret, struct error *err);
void host_close(struct host *host);

/* Opens @format beneath the host's root, O_CLOEXEC. A descriptor or negative errno. */
int host_openat(const struct host *host, int flags, const char *format, ...) printf_like(3, 4);

/* A whole file (at most @size - 1 bytes) with NUL behind it. Bytes read or negative errno. */
ssize_t host_read(const struct host *host, char *buffer, size_t size, const char *format, ...)
	printf_like(4, 5);
/* The same with a malloc'ed buffer, at most @limit bytes. */
ssize_t host_read_all(const struct host *host, char **ret, size_t limit, const char *format, ...)
	printf_like(4, 5);
ssize_t host_readlink(const struct host *host, char *buffer, size_t size, const char *format, ...)
	printf_like(4, 5);

#endif

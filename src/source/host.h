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

/* Which programs of source/bpf/ stay loaded from one reading to the next. */
enum kept_which { KEPT_FILES, KEPT_TASKS, KEPT_MAX };
#define KEPT_WANTED_MAX 64

struct kept_program {
	void *program; /* NULL: none */
	void (*destroy)(void *program);
	uint8_t wanted[KEPT_WANTED_MAX]; /* what it was loaded for */
};

struct host {
	int root;		 /* directory: "/" or a test's */
	bool is_live;		 /* root is "/": netlink, setns and BPF speak of the same host */
	int proc;		 /* the directory proc beneath it */
	uint64_t boot_time_ns;	 /* Unix time of the boot */
	long ticks;		 /* sysconf(_SC_CLK_TCK) */
	const struct stop *stop; /* may be NULL */
	bool keeps_programs;	 /* who looks again and again loads them once */
	struct kept_program kept[KEPT_MAX];
};

/* @directory NULL: "/". 0 or negative errno with @err told. */
int host_open(const char *directory, struct host *ret, struct error *err);
void host_close(struct host *host);

/* The program that was loaded for the same @wanted of @n bytes, the caller's now; NULL: there is
 * none. */
void *host_take_program(struct host *host, enum kept_which which, const void *wanted, size_t n);
/* Kept for the next time, or destroyed where nothing is kept. @program may be NULL. */
void host_give_program(struct host *host, enum kept_which which, void *program, const void *wanted,
		       size_t n, void (*destroy)(void *program));

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

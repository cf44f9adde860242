/* Named points at which a test makes the program fail or wait; nothing unless built with
 * -Dfaults=true. DOORWARD_FAULT says which: "allocate:17" is the 17th allocation, "write:1" the
 * first write of output, "inject:3" the third system call that another process is made to do,
 * "allocate:17+" that and all after it, "wait:collected" stops there until SIGCONT. With
 * DOORWARD_FAULT_TOLD a line is added to that file at the end: how often each point was passed.
 * Included by every file through the build, after base/banned.h. */
#ifndef BASE_FAULTS_H
#define BASE_FAULTS_H

#include <stdbool.h>

#ifdef HAVE_FAULTS

#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>

enum fault_point { FAULT_ALLOCATE, FAULT_WRITE, FAULT_INJECT, FAULT_POINT_MAX };

void faults_start(void);

/* This time it is to fail. */
bool fault_is_due(enum fault_point point);

/* Stops here where that was asked for. */
void fault_wait(const char *name);

void *fault_malloc(size_t size);
void *fault_calloc(size_t n, size_t size);
void *fault_realloc(void *old, size_t size);
void *fault_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *fault_mremap(void *at, size_t old, size_t size, int flags);

#define malloc(size) fault_malloc(size)
#define calloc(n, size) fault_calloc(n, size)
#define realloc(old, size) fault_realloc(old, size)
#define mmap(at, size, protection, flags, fd, offset) \
	fault_mmap(at, size, protection, flags, fd, offset)
#define mremap(at, old, size, flags) fault_mremap(at, old, size, flags)

#else

enum fault_point { FAULT_ALLOCATE, FAULT_WRITE, FAULT_INJECT, FAULT_POINT_MAX };

static inline void faults_start(void)
{
}

static inline bool fault_is_due(enum fault_point point)
{
	(void)point;
	return false;
}

static inline void fault_wait(const char *name)
{
	(void)name;
}

#endif
#endif

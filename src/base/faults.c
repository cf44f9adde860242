/* Named points that fail when a test says so. */
#include "base/faults.h"

#ifdef HAVE_FAULTS

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#undef malloc
#undef calloc
#undef realloc
#undef mmap
#undef mremap

static const char *const words[FAULT_POINT_MAX] = {"allocate", "write", "inject"};

static struct {
	atomic_ulong passed[FAULT_POINT_MAX];
	unsigned long first[FAULT_POINT_MAX]; /* the one that fails; 0: none */
	bool is_lasting;
	const char *wait, *told;
} faults;

static void tell(void)
{
	FILE *file = fopen(faults.told, "a");
	if (!file)
		return;
	for (unsigned i = 0; i < FAULT_POINT_MAX; i++)
		fprintf(file, "%s %lu\n", words[i], faults.passed[i]);
	fclose(file);
}

void faults_start(void)
{
	const char *asked = getenv("DOORWARD_FAULT");
	const char *colon = asked ? strchr(asked, ':') : NULL;
	faults.told = getenv("DOORWARD_FAULT_TOLD");
	if (faults.told)
		atexit(tell);
	json_set_alloc_funcs(fault_malloc, free);
	if (!colon)
		return;
	if (strncmp(asked, "wait", (size_t)(colon - asked)) == 0)
		faults.wait = colon + 1;
	for (unsigned i = 0; i < FAULT_POINT_MAX; i++)
		if (strncmp(asked, words[i], (size_t)(colon - asked)) == 0)
			faults.first[i] = strtoul(colon + 1, NULL, 10);
	faults.is_lasting = strchr(colon, '+') != NULL;
}

bool fault_is_due(enum fault_point point)
{
	unsigned long passed = atomic_fetch_add(&faults.passed[point], 1) + 1,
		      first = faults.first[point];
	return first && (passed == first || (passed > first && faults.is_lasting));
}

void fault_wait(const char *name)
{
	if (faults.wait && strcmp(faults.wait, name) == 0)
		raise(SIGSTOP);
}

static bool is_refused(void)
{
	bool is_due = fault_is_due(FAULT_ALLOCATE);
	if (is_due)
		errno = ENOMEM;
	return is_due;
}

void *fault_malloc(size_t size)
{
	return is_refused() ? NULL : malloc(size);
}

void *fault_calloc(size_t n, size_t size)
{
	return is_refused() ? NULL : calloc(n, size);
}

void *fault_realloc(void *old, size_t size)
{
	return is_refused() ? NULL : realloc(old, size);
}

void *fault_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return is_refused() ? MAP_FAILED : mmap(at, size, protection, flags, fd, offset);
}

void *fault_mremap(void *at, size_t old, size_t size, int flags)
{
	return is_refused() ? MAP_FAILED : mremap(at, old, size, flags);
}

#endif

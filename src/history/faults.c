/* With -Dfaults=true SQLite's allocations and writes pass the points of base/faults.h, so that each
 * can be made to fail. Else nothing. */
#include "history/store.h"

#ifdef HAVE_FAULTS

#include <errno.h>
#include <malloc.h>
#include <stddef.h>

static void *take(int size)
{
	return malloc((size_t)size);
}

static void *change(void *old, int size)
{
	return realloc(old, (size_t)size);
}

static int size_of(void *at)
{
	return at ? (int)malloc_usable_size(at) : 0;
}

static int round_up(int size)
{
	return (size + 7) & ~7;
}

static int begin(void *data)
{
	(void)data;
	return SQLITE_OK;
}

static void end(void *data)
{
	(void)data;
}

static ssize_t write_at(int fd, const void *bytes, size_t n, off_t at)
{
	if (fault_is_due(FAULT_WRITE)) {
		errno = ENOSPC;
		return -1;
	}
	return pwrite(fd, bytes, n, at);
}

void store_faults(void)
{
	static const sqlite3_mem_methods methods = {.xMalloc = take,
						    .xFree = free,
						    .xRealloc = change,
						    .xSize = size_of,
						    .xRoundup = round_up,
						    .xInit = begin,
						    .xShutdown = end};
	sqlite3_config(SQLITE_CONFIG_MALLOC, &methods); /* refused, once it is initialised */
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	if (!vfs)
		return;
	vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)write_at);
	vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)write_at);
}

#else

void store_faults(void)
{
}

#endif

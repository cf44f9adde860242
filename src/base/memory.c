/* Large pieces of memory. */
#include <stdlib.h>
#include <sys/mman.h>

#include "base/memory.h"

/* The kernel is told before any of it is touched: where one small page is, no large one comes. */
void *memory_map(void *old, size_t old_bytes, size_t bytes)
{
	void *data = old_bytes ? mremap(old, old_bytes, bytes, MREMAP_MAYMOVE)
			       : mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return NULL;
	madvise(data, bytes, MADV_HUGEPAGE);
	return data;
}

void memory_unmap(void *data, size_t bytes)
{
	munmap(data, bytes);
}

void *memory_zeroed(size_t bytes)
{
	return bytes < MEMORY_LARGE_FROM ? calloc(bytes ? bytes : 1, 1)
					 : memory_map(NULL, 0, memory_whole(bytes));
}

void memory_free(void *data, size_t bytes)
{
	if (bytes < MEMORY_LARGE_FROM)
		free(data);
	else if (data)
		memory_unmap(data, memory_whole(bytes));
}

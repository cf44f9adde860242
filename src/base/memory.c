/* Large pieces of memory. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"

/* The kernel is told before any of it is touched: where one small page is, no large one comes. */
static void *map(void *old, size_t old_bytes, size_t bytes)
{
	void *data = old_bytes ? mremap(old, old_bytes, bytes, MREMAP_MAYMOVE)
			       : mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return NULL;
	madvise(data, bytes, MADV_HUGEPAGE);
	return data;
}

static void *resize_mapped(void *data, size_t old_size, size_t used, size_t bytes)
{
	if (old_size >= MEMORY_LARGE_FROM)
		return map(data, memory_whole(old_size), bytes);
	void *larger = map(NULL, 0, bytes);
	if (larger && used)
		memcpy(larger, data, used);
	if (larger)
		free(data);
	return larger;
}

void *memory_resize(void *data, size_t *size, size_t used, size_t wanted)
{
	bool is_large = wanted >= MEMORY_LARGE_FROM;
	size_t bytes = is_large ? memory_whole(wanted) : wanted;
	void *made = is_large ? resize_mapped(data, *size, used, bytes) : realloc(data, bytes);
	if (made)
		*size = bytes;
	return made;
}

void *memory_zeroed(size_t bytes)
{
	return bytes < MEMORY_LARGE_FROM ? calloc(bytes ? bytes : 1, 1)
					 : map(NULL, 0, memory_whole(bytes));
}

void memory_free(void *data, size_t bytes)
{
	if (bytes < MEMORY_LARGE_FROM)
		free(data);
	else if (data)
		munmap(data, memory_whole(bytes));
}

/* The host that is looked at, beneath a directory. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/numbers.h"
#include "source/host.h"

static uint64_t read_boot_time(const struct host *host)
{
	char text[4096];
	ssize_t n = host_read(host, text, sizeof(text), "proc/stat");
	const char *line = n > 0 ? strstr(text, "\nbtime ") : NULL;
	uint64_t seconds;
	if (line) {
		line += strlen("\nbtime ");
		if (number_scan(&line, text + n, 10, &seconds) == 0)
			return seconds * 1000000000u;
	}
	return 0;
}

/* The boot in Unix time: now less the time since, finer than /proc/stat's whole seconds. */
static uint64_t boot_time(const struct host *host)
{
	struct timespec now, since;
	if (!host->is_live)
		return read_boot_time(host);
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &since);
	return ((uint64_t)now.tv_sec - (uint64_t)since.tv_sec) * 1000000000u +
	       (uint64_t)now.tv_nsec - (uint64_t)since.tv_nsec;
}

int host_open(const char *directory, struct host *ret, struct error *err)
{
	*ret = (struct host){
		.root = -1, .proc = -1, .is_live = !directory, .ticks = sysconf(_SC_CLK_TCK)};
	ret->root = open(directory ? directory : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (ret->root >= 0)
		ret->proc = openat(ret->root, "proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (ret->proc < 0) {
		int r = -errno;
		host_close(ret);
		return error_set(err, r, "open %s/proc", directory ? directory : "");
	}
	ret->boot_time_ns = boot_time(ret);
	return 0;
}

static void drop_program(struct kept_program *kept)
{
	if (kept->program)
		kept->destroy(kept->program);
	kept->program = NULL;
}

void *host_take_program(struct host *host, enum kept_which which, const void *wanted, size_t n)
{
	struct kept_program *kept = &host->kept[which];
	if (!kept->program || n > sizeof(kept->wanted) || memcmp(kept->wanted, wanted, n) != 0)
		return NULL;
	return TAKE_POINTER(kept->program);
}

void host_give_program(struct host *host, enum kept_which which, void *program, const void *wanted,
		       size_t n, void (*destroy)(void *program))
{
	struct kept_program *kept = &host->kept[which];
	if (!program)
		return;
	if (!host->keeps_programs || n > sizeof(kept->wanted)) {
		destroy(program);
		return;
	}
	drop_program(kept);
	*kept = (struct kept_program){.program = program, .destroy = destroy};
	memcpy(kept->wanted, wanted, n);
}

void host_close(struct host *host)
{
	for (unsigned i = 0; i < KEPT_MAX; i++)
		drop_program(&host->kept[i]);
	closep(&host->root);
	closep(&host->proc);
	host->root = host->proc = -1;
}

/* Most paths are in proc: one step less for the kernel. */
static int open_path(const struct host *host, int flags, const char *path)
{
	bool is_proc = strncmp(path, "proc/", 5) == 0;
	int fd = openat(is_proc ? host->proc : host->root, is_proc ? path + 5 : path,
			flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int host_openat(const struct host *host, int flags, const char *format, ...)
{
	char path[4096];
	va_list arguments;
	va_start(arguments, format);
	int n = vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	return n < 0 || (size_t)n >= sizeof(path) ? -ENAMETOOLONG : open_path(host, flags, path);
}

static ssize_t read_whole(int fd, char *buffer, size_t size)
{
	size_t n = 0;
	while (n < size - 1) {
		ssize_t r = read(fd, buffer + n, size - 1 - n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0 && !n)
			return -errno;
		if (r <= 0)
			break;
		n += (size_t)r;
	}
	buffer[n] = '\0';
	return (ssize_t)n;
}

ssize_t host_read(const struct host *host, char *buffer, size_t size, const char *format, ...)
{
	char path[4096];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	buffer[0] = '\0';
	cleanup(closep) int fd = open_path(host, O_RDONLY, path);
	return fd < 0 ? fd : read_whole(fd, buffer, size);
}

ssize_t host_read_all(const struct host *host, char **ret, size_t limit, const char *format, ...)
{
	char path[4096];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	cleanup(closep) int fd = open_path(host, O_RDONLY, path);
	if (fd < 0)
		return fd;

	cleanup(freep) char *data = NULL;
	size_t n = 0, size = 16384;
	for (;;) {
		char *larger = realloc(data, size);
		if (!larger)
			return -ENOMEM;
		data = larger;
		ssize_t r = read_whole(fd, data + n, size - n);
		if (r < 0)
			return r;
		n += (size_t)r;
		if (n < size - 1)
			break;
		if (size >= limit)
			return -EFBIG;
		size *= 2;
	}
	*ret = TAKE_POINTER(data);
	return (ssize_t)n;
}

ssize_t host_readlink(const struct host *host, char *buffer, size_t size, const char *format, ...)
{
	char path[4096];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	bool is_proc = strncmp(path, "proc/", 5) == 0;
	ssize_t n = readlinkat(is_proc ? host->proc : host->root, is_proc ? path + 5 : path, buffer,
			       size - 1);
	if (n < 0)
		return -errno;
	buffer[n] = '\0';
	return n;
}

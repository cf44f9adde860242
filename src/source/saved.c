/* A snapshot from a file. Which form it has is told by its first bytes. */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/stat.h>

#include "source/saved-restore.h"
#include "source/saved.h"

#define FILE_MAX ((size_t)2 << 30)

/* The first message of a dump: a socket, or the end mark of one that found none. */
static bool is_dump(const char *bytes, size_t n)
{
	struct nlmsghdr header;
	if (n < sizeof(header))
		return false;
	memcpy(&header, bytes, sizeof(header));
	return header.nlmsg_len >= NLMSG_HDRLEN && header.nlmsg_len <= UINT16_MAX &&
	       (header.nlmsg_type == SOCK_DIAG_BY_FAMILY || header.nlmsg_type == NLMSG_DONE ||
		header.nlmsg_type == NLMSG_ERROR);
}

int saved_parse(const char *bytes, size_t n, const char *name, struct snapshot **ret,
		struct error *err)
{
	struct restore restore;
	size_t blanks = 0;
	while (blanks < n && strchr(" \t\r\n", bytes[blanks]) && bytes[blanks])
		blanks++;
	int r = restore_init(&restore, name);
	if (r < 0)
		r = error_set(err, r, "read %.60s", name);
	else if (blanks == n)
		r = error_text(err, -EINVAL, "%.60s: the file is empty", name);
	else if (bytes[blanks] == '{')
		r = restore_json(&restore, bytes, n, err);
	else if (is_dump(bytes, n))
		r = restore_dumps(&restore, bytes, n, err);
	else
		r = error_text(err, -EINVAL, "%.60s: neither JSON of doorward nor a dump of ss -D",
			       name);
	if (r >= 0 && restore_finish(&restore, ret) < 0)
		r = error_set(err, -ENOMEM, "read %.60s", name);
	restore_done(&restore);
	return r;
}

static int read_file(int fd, size_t size, char **ret, size_t *ret_n)
{
	cleanup(freep) char *data = NULL;
	size_t n = 0;
	for (;;) {
		char *larger = realloc(data, size);
		if (!larger)
			return -ENOMEM;
		data = larger;
		ssize_t r = read(fd, data + n, size - n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (!r)
			break;
		n += (size_t)r;
		if (n == size && size > FILE_MAX)
			return -EFBIG;
		if (n == size)
			size *= 2;
	}
	*ret = TAKE_POINTER(data);
	*ret_n = n;
	return 0;
}

int saved_read(const char *path, struct snapshot **ret, struct error *err)
{
	bool is_input = strcmp(path, "-") == 0;
	cleanup(closep) int fd = is_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
					  : open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	if (fd < 0 || fstat(fd, &status) < 0)
		return error_set(err, -errno, "open %.100s", path);

	cleanup(freep) char *bytes = NULL;
	size_t n = 0;
	bool is_file = S_ISREG(status.st_mode) && status.st_size < (off_t)FILE_MAX;
	int r = read_file(fd, is_file ? (size_t)status.st_size + 1 : 1 << 16, &bytes, &n);
	if (r < 0)
		return error_set(err, r, "read %.100s", path);
	return saved_parse(bytes, n, path, ret, err);
}

/* The file of a person's choices. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "top/choice.h"

#define FILE_MAX 16384
#define NAME_MAX_BYTES 4096

/* The directory for @to, with what it stands in; false: there is none. */
static bool find_directory(char *to, size_t size)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n = -1;
	if (config && config[0] == '/')
		n = snprintf(to, size, "%s", config);
	else if (home && home[0] == '/')
		n = snprintf(to, size, "%s/.config", home);
	return n > 0 && (size_t)n < size;
}

int choices_load(const char *const *names, struct choice *choices, unsigned n, struct error *err)
{
	char directory[NAME_MAX_BYTES], path[NAME_MAX_BYTES + 32];
	if (!find_directory(directory, sizeof(directory)))
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/doorward/screen", directory);
	cleanup(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) /* another's home is none of ours */
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES
			       ? -ENOENT
			       : error_set(err, -errno, "open %.100s", path);
	char text[FILE_MAX];
	ssize_t got = read(fd, text, sizeof(text) - 1);
	if (got < 0)
		return error_set(err, -errno, "read %.100s", path);
	text[got] = '\0';
	unsigned wrong;
	choices_parse(text, names, choices, n, &wrong);
	if (wrong)
		return error_text(err, -EINVAL, "%.100s:%u is not understood, and passed over",
				  path, wrong);
	return 0;
}

/* Ours, or not there yet. */
static bool is_own(const char *path)
{
	struct stat is;
	return stat(path, &is) == 0 ? is.st_uid == geteuid() : errno == ENOENT;
}

static int write_file(const char *path, const struct out *text)
{
	cleanup(closep) int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	ssize_t done = write(fd, text->data, text->n);
	return done == (ssize_t)text->n ? 0 : done < 0 ? -errno : -ENOSPC;
}

int choices_save(const char *const *names, const struct choice *choices, unsigned n,
		 struct error *err)
{
	char directory[NAME_MAX_BYTES], path[NAME_MAX_BYTES + 32], new[NAME_MAX_BYTES + 40];
	cleanup(out_done) struct out text = {.fd = -1};
	if (!find_directory(directory, sizeof(directory)) || !is_own(directory))
		return error_text(err, -EPERM, "there is no directory of yours to keep it in");
	snprintf(path, sizeof(path), "%s/doorward", directory);
	mkdir(directory, 0700);
	mkdir(path, 0700);
	if (!is_own(path))
		return error_text(err, -EPERM, "%.100s is another's", path);
	if (out_init(&text, -1) < 0)
		return error_set(err, -ENOMEM, "keep the columns");
	choices_write(&text, names, choices, n);
	snprintf(path, sizeof(path), "%s/doorward/screen", directory);
	snprintf(new, sizeof(new), "%s.new", path);
	int r = write_file(new, &text);
	if (r >= 0 && rename(new, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(new);
	return r < 0 ? error_set(err, r, "write %.100s", path) : 0;
}

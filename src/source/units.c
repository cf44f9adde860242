/* Unit files of a systemd. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/vector.h"
#include "source/units.h"

#define TEXT_MAX (256 << 10)
#define NAME_SIZE 256
#define PATH_SIZE 512
#define DIRECTORIES_MAX 16

/* The first that has a name counts. "~" is the user's home, "%" its runtime directory. */
static const char *const of_system[] = {
	"/etc/systemd/system.control", "/run/systemd/system.control",
	"/run/systemd/transient",      "/run/systemd/generator.early",
	"/etc/systemd/system",	       "/etc/systemd/system.attached",
	"/run/systemd/system",	       "/run/systemd/system.attached",
	"/run/systemd/generator",      "/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system",     "/lib/systemd/system",
	"/run/systemd/generator.late", NULL,
};

static const char *const of_user[] = {
	"~/.config/systemd/user.control",
	"%/systemd/user.control",
	"%/systemd/transient",
	"%/systemd/generator.early",
	"~/.config/systemd/user",
	"/etc/systemd/user",
	"%/systemd/user",
	"/run/systemd/user",
	"%/systemd/generator",
	"~/.local/share/systemd/user",
	"/usr/local/lib/systemd/user",
	"/usr/local/share/systemd/user",
	"/usr/lib/systemd/user",
	"/usr/share/systemd/user",
	"%/systemd/generator.late",
	NULL,
};

/* A unit's file or one of its drop-ins, and which directory it came from. */
struct unit_file {
	char unit[NAME_SIZE], part[NAME_SIZE]; /* part: of a drop-in; "" is the unit's own */
	uint8_t directory;
	bool is_masked;
};

struct search {
	int root; /* of the systemd: links in it are followed as it would */
	const char *kind;
	uint8_t n_directories;
	char directories[DIRECTORIES_MAX][PATH_SIZE];
	struct vector files; /* struct unit_file */
};

/* An absolute link leads to a place beneath the same root; a kernel before 5.6 cannot be told. */
static int open_beneath(int root, const char *path, int flags)
{
	struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_IN_ROOT};
	path += strspn(path, "/");
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(root, path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The value of a variable in the environment that the process was given, or "". */
static void read_variable(struct host *host, int32_t pid, const char *name, char to[PATH_SIZE])
{
	cleanup(freep) char *text = NULL;
	size_t length = strlen(name);
	ssize_t n = host_read_all(host, &text, TEXT_MAX, "proc/%d/environ", pid);
	to[0] = '\0';
	for (const char *at = text, *end = text + n; n > 0 && at < end; at += strlen(at) + 1)
		if (strncmp(at, name, length) == 0 && at[length] == '=')
			snprintf(to, PATH_SIZE, "%s", at + length + 1);
}

static void find_directories(struct search *search, struct host *host, int32_t pid, bool is_user)
{
	char home[PATH_SIZE] = "", runtime[PATH_SIZE] = "";
	if (is_user) {
		read_variable(host, pid, "HOME", home);
		read_variable(host, pid, "XDG_RUNTIME_DIR", runtime);
	}
	for (const char *const *path = is_user ? of_user : of_system; *path; path++) {
		const char *before = **path == '~' ? home : **path == '%' ? runtime : "";
		bool is_relative = **path != '/';
		if (is_relative && !before[0])
			continue;
		snprintf(search->directories[search->n_directories++], PATH_SIZE, "%s%s", before,
			 *path + is_relative);
	}
}

static bool ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), length = strlen(end);
	return n > length && strcmp(text + n - length, end) == 0;
}

static bool is_known(const struct search *search, const char *unit, const char *part)
{
	for (uint32_t i = 0; i < search->files.n; i++) {
		const struct unit_file *file = vector_at(&search->files, i);
		if (strcmp(file->unit, unit) == 0 && strcmp(file->part, part) == 0)
			return true;
	}
	return false;
}

static int add_file(struct search *search, uint8_t directory, const char *unit, const char *part,
		    bool is_masked)
{
	if (strlen(unit) >= NAME_SIZE || strlen(part) >= NAME_SIZE || is_known(search, unit, part))
		return 0;
	struct unit_file *file = vector_add(&search->files);
	if (!file)
		return -ENOMEM;
	*file = (struct unit_file){.directory = directory, .is_masked = is_masked};
	snprintf(file->unit, sizeof(file->unit), "%s", unit);
	snprintf(file->part, sizeof(file->part), "%s", part);
	return 0;
}

/* A link to another name is an alias: the unit is read under its own. */
enum link_kind { LINK_NONE, LINK_MASK, LINK_ALIAS };

static enum link_kind read_link(int directory, const char *name)
{
	char to[PATH_SIZE];
	ssize_t n = readlinkat(directory, name, to, sizeof(to) - 1);
	if (n < 0)
		return LINK_NONE;
	to[n] = '\0';
	if (strcmp(to, "/dev/null") == 0)
		return LINK_MASK;
	const char *slash = strrchr(to, '/');
	return strcmp(slash ? slash + 1 : to, name) == 0 ? LINK_NONE : LINK_ALIAS;
}

static int add_drop_ins(struct search *search, uint8_t index, const char *folder)
{
	char path[PATH_SIZE + NAME_SIZE + 2], unit[NAME_SIZE];
	snprintf(path, sizeof(path), "%s/%s", search->directories[index], folder);
	snprintf(unit, sizeof(unit), "%.*s", (int)(strlen(folder) - 2), folder);
	int fd = open_beneath(search->root, path, O_RDONLY | O_DIRECTORY), r = 0;
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (!directory) {
		closep(&fd);
		return 0;
	}
	for (struct dirent *entry; r >= 0 && (entry = readdir(directory));)
		if (ends_in(entry->d_name, ".conf"))
			r = add_file(search, index, unit, entry->d_name,
				     read_link(fd, entry->d_name) == LINK_MASK);
	closedir(directory);
	return r;
}

static int read_directory(struct search *search, uint8_t index)
{
	char folder_end[NAME_SIZE];
	snprintf(folder_end, sizeof(folder_end), "%s.d", search->kind);
	int fd = open_beneath(search->root, search->directories[index], O_RDONLY | O_DIRECTORY),
	    r = 0;
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (!directory) {
		closep(&fd);
		return 0;
	}
	for (struct dirent *entry; r >= 0 && (entry = readdir(directory));) {
		if (ends_in(entry->d_name, folder_end)) {
			r = add_drop_ins(search, index, entry->d_name);
		} else if (ends_in(entry->d_name, search->kind)) {
			enum link_kind kind = read_link(fd, entry->d_name);
			if (kind != LINK_ALIAS)
				r = add_file(search, index, entry->d_name, "", kind == LINK_MASK);
		}
	}
	closedir(directory);
	return r;
}

static int give_text(const struct search *search, const struct unit_file *file,
		     const struct unit_reader *reader)
{
	char path[PATH_SIZE + 2 * NAME_SIZE + 8];
	snprintf(path, sizeof(path), "%s/%s%s%s", search->directories[file->directory], file->unit,
		 file->part[0] ? ".d/" : "", file->part);
	cleanup(closep) int fd = open_beneath(search->root, path, O_RDONLY);
	cleanup(freep) char *text = malloc(TEXT_MAX);
	if (!text)
		return -ENOMEM;
	size_t n = 0;
	for (ssize_t r; fd >= 0 && n < TEXT_MAX && (r = read(fd, text + n, TEXT_MAX - n)) > 0;)
		n += (size_t)r;
	return reader->text(reader->data, text, n);
}

/* By unit; its own file first, then its drop-ins by their names. */
static int compare_files(const void *a, const void *b)
{
	const struct unit_file *one = a, *other = b;
	int r = strcmp(one->unit, other->unit);
	return r ? r : strcmp(one->part, other->part);
}

static int give_units(const struct search *search, const struct unit_reader *reader)
{
	for (uint32_t i = 0; i < search->files.n;) {
		const struct unit_file *unit = vector_at(&search->files, i), *file = unit;
		bool is_there = !unit->part[0] && !unit->is_masked;
		int r = is_there ? reader->start(reader->data, unit->unit) : 0;
		for (; i < search->files.n && r >= 0; i++) {
			file = vector_at(&search->files, i);
			if (strcmp(file->unit, unit->unit) != 0)
				break;
			if (is_there && !file->is_masked)
				r = give_text(search, file, reader);
		}
		if (r >= 0 && is_there)
			r = reader->end(reader->data, unit->unit);
		if (r < 0)
			return r;
	}
	return 0;
}

int units_read(struct host *host, int32_t pid, bool is_user, const char *kind,
	       const struct unit_reader *reader)
{
	cleanup(closep) int root = host_openat(host, O_PATH | O_DIRECTORY, "proc/%d/root", pid);
	if (root < 0)
		return 0; /* it may not be looked at */
	cleanup(freep) struct search *search = calloc(1, sizeof(*search));
	if (!search)
		return -ENOMEM;
	search->root = root;
	search->kind = kind;
	vector_init(&search->files, sizeof(struct unit_file));
	find_directories(search, host, pid, is_user);
	int r = 0;
	for (uint8_t i = 0; r >= 0 && i < search->n_directories; i++)
		r = read_directory(search, i);
	if (r >= 0 && search->files.n) {
		qsort(search->files.data, search->files.n, sizeof(struct unit_file), compare_files);
		r = give_units(search, reader);
	}
	vector_done(&search->files);
	return r;
}

bool units_is_active(struct host *host, int32_t pid, const char *name)
{
	char link[64];
	return host_readlink(host, link, sizeof(link),
			     "proc/%d/root/run/systemd/units/invocation:%s", pid, name) > 0;
}

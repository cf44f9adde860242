/* The fail2ban of a host: jail.conf, the .conf of jail.d, jail.local, the .local of jail.d. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/numbers.h"
#include "source/fail2ban.h"

#define FILE_MAX 65536
#define FILES_MAX 64
#define FOLDER "etc/fail2ban/"

/* Without the blanks at both ends. */
static const char *trim(const char *text, size_t *n)
{
	while (*n && isspace((unsigned char)*text)) {
		text++;
		(*n)--;
	}
	while (*n && isspace((unsigned char)text[*n - 1]))
		(*n)--;
	return text;
}

static bool is_word(const char *text, size_t n, const char *word)
{
	return n == strlen(word) && strncasecmp(text, word, n) == 0;
}

static bool is_true(const char *text, size_t n)
{
	return is_word(text, n, "true") || is_word(text, n, "yes") || is_word(text, n, "on") ||
	       is_word(text, n, "1");
}

/* NULL: there is no room, or it is no jail's name. */
static struct fail2ban_jail *jail_of(struct fail2ban *all, const char *name, size_t n)
{
	if (n == 0 || n >= FAIL2BAN_NAME_MAX)
		return NULL;
	for (uint32_t i = 0; i < all->jails.n; i++) {
		struct fail2ban_jail *jail = vector_at(&all->jails, i);
		if (strlen(jail->name) == n && memcmp(jail->name, name, n) == 0)
			return jail;
	}
	struct fail2ban_jail *added =
		all->jails.n < FAIL2BAN_JAILS_MAX ? vector_add(&all->jails) : NULL;
	if (added) {
		*added = (struct fail2ban_jail){.state = JAIL_DEFAULT};
		memcpy(added->name, name, n);
	}
	return added;
}

static void take_key(struct fail2ban *all, struct fail2ban_jail *jail, bool is_default,
		     const char *line, size_t n)
{
	const char *equals = memchr(line, '=', n);
	if (!equals)
		return;
	size_t n_key = (size_t)(equals - line), n_value = n - n_key - 1;
	const char *key = trim(line, &n_key), *value = trim(equals + 1, &n_value);
	if (is_word(key, n_key, "enabled") && is_default)
		all->enables = is_true(value, n_value);
	else if (is_word(key, n_key, "enabled") && jail)
		jail->state = is_true(value, n_value) ? JAIL_ON : JAIL_OFF;
	else if (is_word(key, n_key, "ignoreself") && is_default)
		all->ignores_self = is_true(value, n_value);
}

void fail2ban_parse(const char *text, struct fail2ban *ret)
{
	struct fail2ban_jail *jail = NULL;
	bool is_default = false;
	while (*text) {
		size_t length = strcspn(text, "\n"), n = length;
		const char *line = text;
		text += length + (text[length] == '\n');
		bool goes_on = n && isspace((unsigned char)*line); /* of the value before */
		line = trim(line, &n);
		if (!n || goes_on || *line == '#' || *line == ';')
			continue;
		const char *close = *line == '[' ? memchr(line, ']', n) : NULL;
		if (!close) {
			take_key(ret, jail, is_default, line, n);
			continue;
		}
		size_t n_name = (size_t)(close - line) - 1;
		is_default = n_name == 7 && memcmp(line + 1, "DEFAULT", 7) == 0;
		bool is_no_jail = is_default || is_word(line + 1, n_name, "INCLUDES");
		jail = is_no_jail ? NULL : jail_of(ret, line + 1, n_name);
	}
}

static void read_file(struct host *host, const char *path, struct fail2ban *ret)
{
	cleanup(freep) char *text = malloc(FILE_MAX);
	if (text && host_read(host, text, FILE_MAX, "%s", path) > 0)
		fail2ban_parse(text, ret);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Those of jail.d/ that end so, by name. */
static void read_folder(struct host *host, const char *ending, struct fail2ban *ret)
{
	char names[FILES_MAX][128], path[192];
	unsigned n = 0;
	int fd = host_openat(host, O_RDONLY | O_DIRECTORY, FOLDER "jail.d");
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	if (!folder) {
		closep(&fd);
		return;
	}
	for (struct dirent *entry; n < FILES_MAX && (entry = readdir(folder));) {
		size_t length = strlen(entry->d_name), end = strlen(ending);
		if (length > end && length < sizeof(names[0]) &&
		    strcmp(entry->d_name + length - end, ending) == 0)
			memcpy(names[n++], entry->d_name, length + 1);
	}
	closedir(folder);
	qsort(names, n, sizeof(names[0]), by_name);
	for (unsigned i = 0; i < n; i++) {
		snprintf(path, sizeof(path), FOLDER "jail.d/%s", names[i]);
		read_file(host, path, ret);
	}
}

/* Its socket is there; and where it has left its number, so is the process. */
static bool is_running(struct host *host)
{
	char text[32];
	cleanup(closep) int fd =
		openat(host->root, "run/fail2ban/fail2ban.sock", O_PATH | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (host_read(host, text, sizeof(text), "run/fail2ban/fail2ban.pid") <= 0)
		return true;
	const char *at = text;
	uint64_t pid;
	if (number_scan(&at, text + strlen(text), 10, &pid) < 0)
		return true;
	cleanup(closep) int process =
		host_openat(host, O_PATH, "proc/%llu", (unsigned long long)pid);
	return process >= 0;
}

void fail2ban_read(struct host *host, struct fail2ban *ret)
{
	*ret = (struct fail2ban){.ignores_self = true};
	vector_init(&ret->jails, sizeof(struct fail2ban_jail));
	ret->is_running = is_running(host);
	if (!ret->is_running)
		return;
	read_file(host, FOLDER "jail.conf", ret);
	read_folder(host, ".conf", ret);
	read_file(host, FOLDER "jail.local", ret);
	read_folder(host, ".local", ret);
}

void fail2ban_done(struct fail2ban *fail2ban)
{
	vector_done(&fail2ban->jails);
}

bool fail2ban_is_enabled(const struct fail2ban *fail2ban, const struct fail2ban_jail *jail)
{
	return jail->state == JAIL_ON || (jail->state == JAIL_DEFAULT && fail2ban->enables);
}

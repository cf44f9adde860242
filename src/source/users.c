/* Names of users. */
#include <errno.h>
#include <pwd.h>
#include <string.h>

#include "base/numbers.h"
#include "source/users.h"

#define PASSWD_MAX (16 << 20)

static struct user *find(const struct snapshot *snapshot, uint32_t uid)
{
	for (uint32_t i = snapshot->users.n; i-- > 0;) {
		struct user *user = vector_at(&snapshot->users, i);
		if (user->uid == uid)
			return user;
	}
	return NULL;
}

static int want(struct snapshot *snapshot, uint32_t uid, uint32_t *last)
{
	if ((snapshot->users.n && *last == uid) || find(snapshot, uid)) {
		*last = uid;
		return 0;
	}
	struct user *added = vector_add(&snapshot->users);
	if (!added)
		return -ENOMEM;
	*added = (struct user){.uid = uid};
	*last = uid;
	return 0;
}

/* name:password:uid:... */
static void read_line(struct snapshot *snapshot, const char *line, const char *end)
{
	const char *name_end = memchr(line, ':', (size_t)(end - line));
	const char *at = name_end ? memchr(name_end + 1, ':', (size_t)(end - name_end - 1)) : NULL;
	uint64_t uid;
	if (!at || number_scan(&(const char *){at + 1}, end, 10, &uid) < 0 || uid > UINT32_MAX)
		return;
	struct user *user = find(snapshot, (uint32_t)uid);
	if (user && !user->name)
		user->name = arena_intern(&snapshot->arena, line, (size_t)(name_end - line));
}

void users_parse(const char *text, size_t n, struct snapshot *snapshot)
{
	for (const char *line = text; line < text + n;) {
		const char *end = memchr(line, '\n', (size_t)(text + n - line));
		end = end ? end : text + n;
		read_line(snapshot, line, end);
		line = end + 1;
	}
}

static void ask_name_service(struct snapshot *snapshot, struct user *user)
{
	struct passwd entry, *found = NULL;
	char buffer[4096];
	if (getpwuid_r(user->uid, &entry, buffer, sizeof(buffer), &found) == 0 && found)
		user->name = arena_intern_string(&snapshot->arena, found->pw_name);
}

int users_read(struct host *host, struct snapshot *snapshot, bool uses_nss, struct error *err)
{
	/* some may be known to be wanted already */
	uint32_t last =
		snapshot->users.n ? ((struct user *)vector_at(&snapshot->users, 0))->uid : 0;
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < snapshot->sockets.n; i++)
		r = want(snapshot, snapshot_socket(snapshot, i)->uid, &last);
	for (uint32_t i = 0; r >= 0 && i < snapshot->processes.n; i++)
		r = want(snapshot, snapshot_process(snapshot, i)->uid, &last);
	if (r < 0)
		return error_set(err, r, "read the users");

	cleanup(freep) char *text = NULL;
	ssize_t n = host_read_all(host, &text, PASSWD_MAX, "etc/passwd");
	if (n > 0)
		users_parse(text, (size_t)n, snapshot);
	for (uint32_t i = 0; uses_nss && host->is_live && i < snapshot->users.n; i++) {
		struct user *user = vector_at(&snapshot->users, i);
		if (!user->name)
			ask_name_service(snapshot, user);
	}
	return 0;
}

/* Where a record lies, and whose it is: the folder's owner writes it, whoever starts the recording;
 * the folder's group may read it. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/recording.h"

#define OWNER "doorward" /* packaging/doorward.sysusers.conf */

/* Files that are made in it get its group (the set-group-ID bit). */
static int make_folder(const char *path, struct error *err)
{
	if (mkdir(path, 0750) < 0) {
		int r = errno == EEXIST ? 0 : error_set(err, -errno, "make the folder %s", path);
		if (r == -EACCES || r == -EPERM)
			error_hint(err,
				   "run it with sudo, or name a file of your own: --db history.db");
		return r;
	}
	if (geteuid() != 0)
		return 0;
	char text[2][4096];
	struct passwd entry, *user = NULL;
	struct group named, *group = NULL;
	if (getpwnam_r(OWNER, &entry, text[0], sizeof(text[0]), &user) != 0)
		user = NULL;
	if (getgrnam_r(OWNER, &named, text[1], sizeof(text[1]), &group) != 0)
		group = NULL;
	if (chown(path, user ? user->pw_uid : 0, group ? group->gr_gid : 0) < 0 ||
	    chmod(path, 02750) < 0)
		return error_set(err, -errno, "give the folder %s to " OWNER, path);
	return 0;
}

/* Root writes as the folder's owner, so that the service finds its own files later; the
 * capabilities stay until privilege_keep. */
static int become(uid_t uid, gid_t gid, struct error *err)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return error_set(err, -errno, "become the owner of the folder");
	return 0;
}

int recording_prepare(const char *path, struct error *err)
{
	char copy[4096];
	struct stat folder;
	if (strlen(path) >= sizeof(copy) || !path[0])
		return error_text(err, -EINVAL, "--db: it takes the file of a record");
	snprintf(copy, sizeof(copy), "%s", path);
	const char *name = dirname(copy);
	int r = strcmp(path, HISTORY_PATH) == 0 ? make_folder(name, err) : 0;
	if (r < 0)
		return r;
	if (stat(name, &folder) < 0)
		return error_set(err, -errno, "record into %s", name);
	bool is_anothers = folder.st_uid != 0 && !(folder.st_mode & S_ISVTX);
	return geteuid() == 0 && is_anothers ? become(folder.st_uid, folder.st_gid, err) : 0;
}

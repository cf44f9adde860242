/* Where `serve` listens, and its token. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/numbers.h"
#include "base/privilege.h"
#include "cmd/serving.h"

#define BACKLOG 64

int serving_parse(const char *text, char *address, size_t size, uint16_t *ret_port,
		  struct error *err)
{
	const char *colon = strrchr(text, ':'), *bracket = strchr(text, ']');
	bool has_port = colon && (bracket ? colon == bracket + 1 : strchr(text, ':') == colon);
	size_t n = has_port ? (size_t)(colon - text) : strlen(text);
	const char *begin = text;
	if (bracket && text[0] == '[') {
		begin++;
		n = (size_t)(bracket - begin);
	}
	if (!n || n >= size || (has_port && number_u16(colon + 1, ret_port) < 0))
		return error_text(err, -EINVAL, "%.80s: it takes ADDRESS:PORT", text);
	memcpy(address, begin, n);
	address[n] = '\0';
	return 0;
}

bool serving_is_host(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_";
	size_t n = strlen(name);
	if (name[0] == '[') /* an address of IPv6, as it stands in one of the web */
		return n > 3 && strspn(name + 1, "0123456789abcdefABCDEF:.") == n - 2 &&
		       name[n - 1] == ']';
	return n > 0 && n <= 253 && strspn(name, letters) == n;
}

static uint16_t port_of(const struct sockaddr_storage *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	memcpy(&v4, address, sizeof(v4));
	memcpy(&v6, address, sizeof(v6));
	return ntohs(address->ss_family == AF_INET ? v4.sin_port : v6.sin6_port);
}

bool serving_is_loopback(int fd)
{
	struct sockaddr_storage got = {0};
	socklen_t n = sizeof(got);
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	if (getsockname(fd, (struct sockaddr *)&got, &n) < 0)
		return true; /* the stricter */
	memcpy(&v4, &got, sizeof(v4));
	memcpy(&v6, &got, sizeof(v6));
	if (got.ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) ||
		       (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) && v6.sin6_addr.s6_addr[12] == 127);
	return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
}

static int listen_at(int fd, const struct sockaddr *address, socklen_t n, const char *what,
		     const char *option, struct error *err)
{
	if (bind(fd, address, n) == 0 && listen(fd, BACKLOG) == 0)
		return 0;
	int r = -errno;
	error_set(err, r, "listen at %.100s", what);
	struct sockaddr_storage kept = {0};
	memcpy(&kept, address, n < sizeof(kept) ? n : sizeof(kept));
	if (r == -EADDRINUSE && address->sa_family == AF_UNIX)
		error_hint(err, "another has it, or a file is there: take another path");
	else if (r == -EADDRINUSE)
		error_hint(err, "`doorward why %u` says who has it; another one: %s",
			   port_of(&kept), option);
	else if (r == -EACCES && address->sa_family != AF_UNIX)
		error_hint(err, "a small number needs root: take another, or none");
	return r;
}

static void freep_addrinfo(struct addrinfo **list)
{
	if (*list)
		freeaddrinfo(*list);
}

int serving_listen(const char *address, uint16_t *port, const char *option, struct error *err)
{
	char service[8];
	cleanup(freep_addrinfo) struct addrinfo *found = NULL;
	const struct addrinfo wanted = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
					.ai_socktype = SOCK_STREAM};
	snprintf(service, sizeof(service), "%u", *port);
	if (getaddrinfo(address, service, &wanted, &found) != 0)
		return error_text(err, -EINVAL,
				  "%s %.60s: it takes an address in numbers, as 127.0.0.1 or [::1]",
				  option, address);
	cleanup(closep) int fd =
		socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;
	if (fd < 0)
		return error_set(err, -errno, "open a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	char what[80];
	const char *colon = strchr(address, ':');
	snprintf(what, sizeof(what), colon ? "[%.60s]:%u" : "%.60s:%u", address, *port);
	int r = listen_at(fd, found->ai_addr, found->ai_addrlen, *port ? what : address, option,
			  err);
	struct sockaddr_storage got = {0};
	socklen_t n = sizeof(got);
	if (r >= 0 && getsockname(fd, (struct sockaddr *)&got, &n) < 0)
		r = error_set(err, -errno, "ask where it listens");
	if (r < 0)
		return r;
	*port = port_of(&got);
	return TAKE_FD(fd);
}

/* What an earlier one left behind, and nothing else. */
static void remove_stale(const struct sockaddr_un *address)
{
	struct stat there;
	cleanup(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (lstat(address->sun_path, &there) == 0 && S_ISSOCK(there.st_mode) && fd >= 0 &&
	    connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
	    errno == ECONNREFUSED)
		unlink(address->sun_path);
}

/* In a folder of his, another could have put something else in the place of what was bound. */
static int give(const char *path, uid_t uid)
{
	struct stat there;
	cleanup(closep) int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &there) < 0)
		return -errno;
	bool is_ours = S_ISSOCK(there.st_mode) && there.st_uid == geteuid() && there.st_nlink == 1;
	int r = is_ours ? fchownat(fd, "", uid, (gid_t)-1, AT_EMPTY_PATH) : -EEXIST;
	return r == -1 ? -errno : r;
}

int serving_listen_at(const char *path, uid_t uid, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (!path[0] || strlen(path) >= sizeof(address.sun_path))
		return error_text(err, -EINVAL, "--socket: a path of 1 to %zu bytes",
				  sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	cleanup(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(err, -errno, "open a socket");
	remove_stale(&address);
	mode_t was = umask(0177);
	int r = listen_at(fd, (struct sockaddr *)&address, sizeof(address), path, "--socket", err);
	umask(was);
	int given = r >= 0 && uid != geteuid() ? give(path, uid) : 0;
	if (given < 0) {
		r = error_set(err, given, "give %.100s to user %u", address.sun_path, uid);
		unlink(path);
	}
	return r < 0 ? r : TAKE_FD(fd);
}

int serving_token(char to[65])
{
	uint8_t bytes[32];
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(to + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

/* The home of @uid, where that is not ours; "" where it is. 0 or negative errno with @err told. */
static int find_user(uid_t uid, struct passwd *entry, char *text, size_t size, struct error *err)
{
	struct passwd *user = NULL;
	*entry = (struct passwd){.pw_name = ""};
	if (uid == geteuid())
		return 0;
	if (getpwuid_r(uid, entry, text, size, &user) != 0 || !user)
		return error_text(err, -ENOENT, "user %u has no browser: there is no such user",
				  uid);
	return 0;
}

static int write_file(const char *address, const struct passwd *user, char *path, size_t size,
		      struct error *err)
{
	struct stat there;
	const char *own = getenv("XDG_RUNTIME_DIR");
	char directory[64];
	snprintf(directory, sizeof(directory), "/run/user/%u", user->pw_uid);
	if (user->pw_name[0])
		own = stat(directory, &there) == 0 ? directory : NULL;
	snprintf(path, size, "%s/doorward-XXXXXX.html", own && own[0] == '/' ? own : "/tmp");
	cleanup(closep) int fd = mkostemps(path, 5, O_CLOEXEC); /* mode 0600 */
	if (fd < 0) {
		path[0] = '\0';
		return error_set(err, -errno, "make a file for the browser");
	}
	if (user->pw_name[0] && fchown(fd, user->pw_uid, user->pw_gid) < 0)
		return error_set(err, -errno, "give the browser its file");
	int n = dprintf(fd, "<!doctype html><meta http-equiv=\"refresh\" content=\"0;url=%s\">\n",
			address);
	return n < 0 ? error_set(err, -errno, "write a file for the browser") : 0;
}

/* A browser is that of who may come, and never root's for another. */
static int become(const struct passwd *user)
{
	char text[64];
	if (!user->pw_name[0])
		return 0;
	if (initgroups(user->pw_name, user->pw_gid) < 0 ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0)
		return -errno;
	snprintf(text, sizeof(text), "/run/user/%u", user->pw_uid);
	setenv("XDG_RUNTIME_DIR", text, 1);
	setenv("HOME", user->pw_dir, 1);
	setenv("USER", user->pw_name, 1);
	setenv("LOGNAME", user->pw_name, 1);
	return 0;
}

/* Only what went wrong comes back. */
static void be_browser(const struct passwd *user, const char *path, int report)
{
	int r = become(user), nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
	privilege_drop();
	if (r >= 0) {
		dup2(nowhere, 1);
		dup2(nowhere, 2);
		execlp("xdg-open", "xdg-open", path, (char *)NULL);
		r = -errno;
	}
	if (write(report, &r, sizeof(r)) < 0)
		_exit(1);
}

int serving_open(const char *address, uid_t uid, char *path, size_t size, struct error *err)
{
	struct passwd user;
	char text[4096];
	int ends[2], failed = 0, r = find_user(uid, &user, text, sizeof(text), err);
	if (r >= 0)
		r = write_file(address, &user, path, size, err);
	if (r < 0)
		return r;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set(err, -errno, "make a pipe");
	cleanup(closep) int report = ends[0];
	pid_t pid = fork();
	if (pid == 0) {
		if (fork() == 0)
			be_browser(&user, path, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0)
		return error_set(err, -errno, "start the browser");
	waitpid(pid, NULL, 0);
	ssize_t n = read(report, &failed, sizeof(failed)); /* its end: xdg-open has begun */
	return n == (ssize_t)sizeof(failed) ? error_set(err, failed, "start xdg-open") : 0;
}

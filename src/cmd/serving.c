/* Where `serve` listens, and its token. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
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
		return error_text(err, -EINVAL, "%.80s is no address of this host", address);
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

int serving_listen_at(const char *path, struct error *err)
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

static int write_file(const char *address, char *path, size_t size, struct error *err)
{
	const char *directory = getenv("XDG_RUNTIME_DIR");
	snprintf(path, size, "%s/doorward-XXXXXX.html",
		 directory && directory[0] == '/' ? directory : "/tmp");
	cleanup(closep) int fd = mkostemps(path, 5, O_CLOEXEC); /* mode 0600 */
	if (fd < 0) {
		path[0] = '\0';
		return error_set(err, -errno, "make a file for the browser");
	}
	int n = dprintf(fd, "<!doctype html><meta http-equiv=\"refresh\" content=\"0;url=%s\">\n",
			address);
	return n < 0 ? error_set(err, -errno, "write a file for the browser") : 0;
}

int serving_open(const char *address, char *path, size_t size, struct error *err)
{
	int status, r = write_file(address, path, size, err);
	if (r < 0)
		return r;
	pid_t pid = fork();
	if (pid < 0)
		return error_set(err, -errno, "start the browser");
	if (pid == 0) {
		privilege_drop();
		if (fork() == 0) {
			int nowhere = open("/dev/null", O_RDWR);
			dup2(nowhere, 1);
			dup2(nowhere, 2);
			execlp("xdg-open", "xdg-open", path, (char *)NULL);
		}
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return 0;
}

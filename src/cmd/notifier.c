/* Notifications on the desktop. */
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/module.h"
#include "base/numbers.h"
#include "base/privilege.h"
#include "base/text.h"
#include "bus/bus.h"
#include "cmd/notifier.h"

#define TITLE_MAX 128
#define BODY_MAX 1024

struct message {
	char title[TITLE_MAX], body[BODY_MAX];
};

/* Under sudo the desktop is that of who called it, and so is the right to speak there. */
static int become_caller(void)
{
	const char *uid_text = getenv("SUDO_UID"), *gid_text = getenv("SUDO_GID");
	uint32_t uid, gid;
	char text[64];
	if (geteuid() != 0 || !uid_text || !gid_text ||
	    number_u32(uid_text, 1, UINT32_MAX - 1, &uid) < 0 ||
	    number_u32(gid_text, 0, UINT32_MAX - 1, &gid) < 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	if (!getenv("XDG_RUNTIME_DIR")) {
		snprintf(text, sizeof(text), "/run/user/%u", uid);
		setenv("XDG_RUNTIME_DIR", text, 1);
	}
	return 0;
}

/* Bodies may be read as markup. */
static void escape(const char *text, char *to, size_t size)
{
	size_t n = 0;
	for (; *text && n + 6 < size; text++) {
		const char *word = *text == '&'	  ? "&amp;"
				   : *text == '<' ? "&lt;"
				   : *text == '>' ? "&gt;"
						  : NULL;
		if (word)
			n += (size_t)snprintf(to + n, size - n, "%s", word);
		else
			to[n++] = *text;
	}
	to[n] = '\0';
}

static void be_notifier(int fd)
{
	struct error err = {0};
	struct bus *bus = NULL;
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	const struct bus_functions *functions = NULL;
	int r = become_caller();
	if (r < 0)
		error_set(&err, r, "become the user of the desktop");
	else
		functions = module_get("bus", BUS_VERSION, &err);
	privilege_drop();
	if (functions && functions->open_session(&bus, &err) >= 0)
		err.code = 0;
	if (send(fd, &err, sizeof(err), MSG_NOSIGNAL) < 0 || !bus)
		_exit(0);
	struct message message;
	while (recv(fd, &message, sizeof(message), 0) == sizeof(message)) {
		char body[BODY_MAX * 2];
		message.title[TITLE_MAX - 1] = message.body[BODY_MAX - 1] = '\0';
		escape(message.body, body, sizeof(body));
		functions->notify(bus, message.title, body);
	}
	functions->close(bus);
	_exit(0);
}

int notifier_begin(struct notifier *ret, struct error *err)
{
	int ends[2];
	struct error told = {0};
	*ret = (struct notifier){.fd = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set(err, -errno, "show notifications");
	ret->child = fork();
	if (ret->child == 0) {
		close(ends[0]);
		be_notifier(ends[1]);
	}
	close(ends[1]);
	ret->fd = ends[0];
	ssize_t n = ret->child > 0 ? recv(ret->fd, &told, sizeof(told), 0) : -1;
	if (n == sizeof(told) && !told.code)
		return 0;
	if (n != sizeof(told))
		error_text(&told, -EIO, "the process that shows notifications ended");
	told.what[sizeof(told.what) - 1] = told.hint[sizeof(told.hint) - 1] = '\0';
	notifier_end(ret);
	if (err)
		*err = told;
	return told.code;
}

void notifier_show(struct notifier *notifier, const char *title, const char *body)
{
	struct message message = {.title = ""};
	snprintf(message.title, sizeof(message.title), "%s", title);
	struct out memory = {.data = message.body, .capacity = sizeof(message.body) - 1, .fd = -1};
	cleanup(out_done) struct out text = {.fd = -1};
	if (out_init(&text, -1) < 0)
		return;
	text_show_cut(&text, body, strlen(body), BODY_MAX / 4, false);
	out_bytes(&memory, text.data, text.n < BODY_MAX - 1 ? text.n : BODY_MAX - 1);
	if (send(notifier->fd, &message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		notifier->n_left_out++;
}

void notifier_end(struct notifier *notifier)
{
	if (notifier->fd >= 0)
		close(notifier->fd);
	notifier->fd = -1;
	if (notifier->child > 0)
		while (waitpid(notifier->child, NULL, 0) < 0 && errno == EINTR)
			;
	notifier->child = 0;
}

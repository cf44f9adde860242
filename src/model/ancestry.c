/* Who started a process, in words. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/attributes.h"
#include "model/ancestry.h"

/* By comm, which the kernel cuts at 15 bytes; a star at the end stands for any rest. */
static const struct {
	const char *name, *word;
} starters[] = {
	{"sshd", N_("an ssh session")},
	{"sshd-session", N_("an ssh session")},
	{"dropbear", N_("an ssh session")},
	{"mosh-server", N_("a mosh session")},
	{"tmux*", N_("tmux")},
	{"screen", N_("screen")},
	{"SCREEN", N_("screen")},
	{"zellij", N_("zellij")},
	{"cron", N_("cron")},
	{"crond", N_("cron")},
	{"anacron", N_("anacron")},
	{"atd", N_("at")},
	{"supervisord", N_("supervisor")},
	{"runsv", N_("runit")},
	{"runsvdir", N_("runit")},
	{"s6-supervise", N_("s6")},
	{"s6-svscan", N_("s6")},
	{"circusd", N_("circus")},
	{"monit", N_("monit")},
	{"PM2*", N_("pm2")},
	{"inetd", N_("inetd")},
	{"xinetd", N_("xinetd")},
	{"containerd-shim*", N_("a container engine")},
	{"containerd", N_("a container engine")},
	{"conmon", N_("a container engine")},
	{"dockerd", N_("a container engine")},
	{"crio", N_("a container engine")},
	{"rootlesskit", N_("a container engine")},
	{"bash", N_("a shell")},
	{"sh", N_("a shell")},
	{"dash", N_("a shell")},
	{"zsh", N_("a shell")},
	{"fish", N_("a shell")},
	{"ksh*", N_("a shell")},
	{"tcsh", N_("a shell")},
	{"busybox", N_("a shell")},
	{"sudo", N_("sudo")},
	{"su", N_("su")},
	{"doas", N_("doas")},
	{"login", N_("a login")},
	{"gdm-session-wor", N_("a desktop session")},
	{"gnome-session-b", N_("a desktop session")},
	{"sddm-helper", N_("a desktop session")},
	{"gnome-terminal-", N_("a terminal window")},
	{"konsole", N_("a terminal window")},
	{"xterm", N_("a terminal window")},
	{"alacritty", N_("a terminal window")},
	{"kitty", N_("a terminal window")},
	{"make", N_("make")},
	{"systemd", N_("systemd")},
	{"init", N_("init")},
};

static bool name_is(const char *name, const char *pattern)
{
	size_t n = strlen(pattern);
	if (n && pattern[n - 1] == '*')
		return strncmp(name, pattern, n - 1) == 0;
	return strcmp(name, pattern) == 0;
}

const char *ancestor_word(const struct process *process)
{
	if (process->name)
		for (size_t i = 0; i < ARRAY_SIZE(starters); i++)
			if (name_is(process->name, starters[i].name))
				return starters[i].word;
	return process->pid == 1 ? "init" : NULL;
}

const char *unit_in_words(const char *unit, char *to, unsigned size)
{
	const char *dot = strrchr(unit, '.');
	if (!dot)
		return NULL;
	if (strncmp(unit, "session-", 8) == 0 && strcmp(dot, ".scope") == 0)
		snprintf(to, size, "login session %.*s", (int)(dot - unit - 8), unit + 8);
	else if (strncmp(unit, "user@", 5) == 0 && strcmp(dot, ".service") == 0)
		snprintf(to, size, "the services of user %.*s", (int)(dot - unit - 5), unit + 5);
	else if (strncmp(unit, "run-", 4) == 0)
		snprintf(to, size, "started by systemd-run");
	else
		return NULL;
	return to;
}

/* sshd writes "sshd: alice@pts/0", "sshd: alice [priv]" or "sshd: alice@notty" over its arguments
 * in a session, and "sshd: /usr/sbin/sshd -D [listener] ..." or nothing where it waits for one. */
static bool ssh_words(const char *cmdline, char *to, size_t size)
{
	static const char before[] = "sshd: ", own[] = "sshd-session: ";
	size_t skip = strncmp(cmdline, before, sizeof(before) - 1) == 0 ? sizeof(before) - 1
		      : strncmp(cmdline, own, sizeof(own) - 1) == 0	? sizeof(own) - 1
									: 0;
	if (!skip || strstr(cmdline, "[listener]"))
		return false;
	const char *user = cmdline + skip;
	int n_user = (int)strcspn(user, "@ ");
	const char *tty = user[n_user] == '@' ? user + n_user + 1 : "";
	int n_tty = (int)strcspn(tty, " ");
	bool has_tty = n_tty && strncmp(tty, "notty", 5) != 0;
	snprintf(to, size, "an ssh session of %.*s%s%.*s", n_user, user, has_tty ? " on " : "",
		 has_tty ? n_tty : 0, tty);
	return n_user > 0;
}

bool ancestor_is_session(const struct process *process)
{
	char words[128];
	const char *word = ancestor_word(process);
	if (!word || strcmp(word, "an ssh session") != 0)
		return false;
	return strncmp(process->name, "sshd", 4) != 0 || !process->cmdline ||
	       ssh_words(process->cmdline, words, sizeof(words));
}

bool ancestor_words(const struct process *process, char *to, size_t size)
{
	const char *word = process->is ? process->is : ancestor_word(process);
	bool is_ssh = process->name && process->cmdline && strncmp(process->name, "sshd", 4) == 0;
	if (!word)
		return false;
	if (!process->is && process->cmdline && strcmp(word, "systemd") == 0 &&
	    strstr(process->cmdline, " --user"))
		word = "a user's systemd";
	if (!is_ssh || process->is || !ssh_words(process->cmdline, to, size))
		snprintf(to, size, "%s", is_ssh && !process->is ? "the ssh server" : word);
	size_t n = strlen(to);
	if (process->from && !process->is)
		snprintf(to + n, size - n, " from %s", process->from);
	return true;
}

const struct process *process_parent(const struct snapshot *snapshot, const struct process *process)
{
	return snapshot_process(snapshot, process->parent);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* interpreter: a holder that runs somebody's script, module or jar. The interpreter is the real
 * one; only for a jar it is this program under the name java, since a Java is seldom at hand and
 * only its command line counts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sockets.h"
#include "stage.h"

static const struct option options[] = {
	{"kind", "KIND", "script", "script, options, module, inline, perl, java"},
	{0},
};

/* Each program is given the listener as descriptor 3, and keeps it. */
#define PYTHON_BODY "import signal, socket\ns = socket.socket(fileno=3)\nsignal.pause()\n"
#define PERL_BODY "open(my $s, '+<&=', 3) or die; sleep 1000000 while 1;\n"

struct kind {
	const char *word, *runs;       /* runs: what a person calls it */
	const char *file, *body;       /* written into the scene's folder */
	const char *program, *argv[8]; /* "FILE" stands for the file's path */
};

static const struct kind kinds[] = {
	{"script", "app.py", "app.py", PYTHON_BODY, "/usr/bin/python3", {"python3", "FILE"}},
	{"options",
	 "app.py",
	 "app.py",
	 PYTHON_BODY,
	 "/usr/bin/python3",
	 {"python3", "-u", "-W", "ignore", "FILE", "--port", "80"}},
	{"module",
	 "shopdoor",
	 "shopdoor.py",
	 PYTHON_BODY,
	 "/usr/bin/python3",
	 {"python3", "-m", "shopdoor", "80"}},
	{"inline", NULL, NULL, NULL, "/usr/bin/python3", {"python3", "-c", PYTHON_BODY}},
	{"perl", "app.pl", "app.pl", PERL_BODY, "/usr/bin/perl", {"perl", "FILE"}},
	{"java",
	 "shop.jar",
	 NULL,
	 NULL,
	 NULL,
	 {"java", "-Xmx64m", "-Dport=80", "-jar", "/srv/shop.jar", "--profile", "live"}},
};

struct play {
	const struct kind *kind;
	const char *folder;
	char program[300], file[300];
	int listener;
};

static void remove_tree(const char *folder)
{
	run_program((const char *const[]){"rm", "-r", "--", folder, NULL});
}

static void write_file(const char *path, const char *body)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(body, file) < 0 || fclose(file) != 0)
		fail("write %s", path);
}

static void put_program(const char *path)
{
	char own[64];

	snprintf(own, sizeof(own), "/proc/%d/exe", (int)getpid()); /* to cp, self is cp */
	run_program((const char *const[]){"cp", "--", own, path, NULL});
}

/* Forked; becomes the interpreter. */
static void play(struct stage *stage, void *arg, void *report)
{
	const struct play *play = arg;
	const char *argv[9] = {0};

	(void)report;
	for (size_t i = 0; play->kind->argv[i]; i++)
		argv[i] =
			strcmp(play->kind->argv[i], "FILE") == 0 ? play->file : play->kind->argv[i];
	if (chdir(play->folder) < 0)
		fail("go to %s", play->folder);
	setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
	child_ready(stage, NULL, 0);
	dup3(dup(play->listener), 3,
	     0); /* twice: it may be 3 already, and then keeps its close-on-exec */
	closefrom(4);
	execv(play->program, (char **)argv);
	_exit(3);
}

static void await_program(pid_t pid, const char *program)
{
	char path[64], now[4096], wanted[4096];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	if (!realpath(program, wanted))
		fail("find %s", program);
	for (int i = 0; i < 5000; i++) {
		ssize_t n = readlink(path, now, sizeof(now) - 1);
		now[n < 0 ? 0 : n] = '\0';
		if (strcmp(now, wanted) == 0)
			return;
		pause_shortly();
	}
	errno = ETIMEDOUT;
	fail("wait for %s", program);
}

static const struct kind *kind_find(const struct stage *stage)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (stage_is(stage, "kind", kinds[i].word))
			return &kinds[i];
	errno = EINVAL;
	fail("--kind %s", stage_word(stage, "kind"));
}

static void prepare(struct stage *stage, struct play *play, char *folder)
{
	if (!mkdtemp(folder) || chmod(folder, 0755) < 0)
		fail("make a folder in /tmp");
	stage_undo(stage, remove_tree, folder);
	play->folder = folder;
	snprintf(play->program, sizeof(play->program), "%s",
		 play->kind->program ? play->kind->program : "");
	if (!play->kind->program) {
		snprintf(play->program, sizeof(play->program), "%s/java", folder);
		put_program(play->program);
	}
	errno = ENOSYS;
	if (access(play->program, X_OK) < 0)
		fail("%s", play->program);
	if (play->kind->file) {
		snprintf(play->file, sizeof(play->file), "%s/%s", folder, play->kind->file);
		write_file(play->file, play->kind->body);
	}
}

static void run(struct stage *stage)
{
	struct made made;
	char folder[] = "/tmp/scene-XXXXXX";
	struct play it = {.kind = kind_find(stage), .listener = socket_listen("127.0.0.1", 0, 16)};

	prepare(stage, &it, folder);
	made_look(&made, "listener", it.listener);
	json_uint(&stage->keys, "port", socket_port(it.listener));
	made.pid = child_start(stage, play, &it, NULL, 0);
	made.fd = 3;
	await_program(made.pid, it.program);
	close(it.listener);
	stage_held(stage, &made);
	json_uint(&stage->keys, "pid", (uint64_t)made.pid);
	json_uint(&stage->keys, "inode", made.inode);
	json_string(&stage->keys, "runs", it.kind->runs);
	json_string(&stage->keys, "folder", folder);
}

const struct scene scene_interpreter = {
	.name = "interpreter",
	.summary = "a holder that runs a script, a module, a jar",
	.options = options,
	.run = run,
};

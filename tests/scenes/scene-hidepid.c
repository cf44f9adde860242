/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run-hidepid -- COMMAND: runs it where /proc hides the processes of others (proc(5), hidepid=2),
 * as an ordinary user. There is no line of JSON: what is printed is the command's. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include "stage.h"

static const struct option options[] = {
	{"as", "UID", "65534", "who runs it"},
	{"hidepid", "1|2|invisible|ptraceable", "2", "how much is hidden"},
	{0},
};

static void run(struct stage *stage)
{
	char hide[64];
	sigset_t none;

	errno = EINVAL;
	if (!stage->rest || !stage->rest[0])
		fail("a command is missing after --");
	snprintf(hide, sizeof(hide), "hidepid=%s", stage_word(stage, "hidepid"));
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, hide) < 0)
		fail("mount /proc with %s", hide);
	become(stage_number(stage, "as"));
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(stage->rest[0], stage->rest);
	fail("start %s", stage->rest[0]);
}

const struct scene scene_run_hidepid = {
	.name = "run-hidepid",
	.summary = "-- COMMAND: runs it as an ordinary user under a /proc that hides others",
	.options = options,
	.run = run,
};

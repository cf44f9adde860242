/* A command that is started and waits to be let go. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "why/launch.h"

static void be_command(char **arguments, int output, int go, int failed)
{
	char byte;
	if (output >= 0)
		dup2(output, STDOUT_FILENO);
	if (read(go, &byte, 1) != 1)
		_exit(127); /* never let go */
	execvp(arguments[0], arguments);
	int error = errno;
	ssize_t n = write(failed, &error, sizeof(error));
	_exit(n < 0 || error == ENOENT ? 127 : 126);
}

int launch_prepare(char **arguments, int output, struct launch *ret, struct error *err)
{
	int go[2], failed[2];
	*ret = (struct launch){.go = -1, .failed = -1};
	if (pipe2(go, O_CLOEXEC) < 0)
		return error_set(err, -errno, "start %.60s", arguments[0]);
	if (pipe2(failed, O_CLOEXEC | O_NONBLOCK) < 0) {
		int r = -errno;
		close(go[0]);
		close(go[1]);
		return error_set(err, r, "start %.60s", arguments[0]);
	}
	ret->child = fork();
	if (ret->child == 0) {
		close(go[1]);
		be_command(arguments, output, go[0], failed[1]);
	}
	int r = -errno;
	close(go[0]);
	close(failed[1]);
	ret->go = go[1];
	ret->failed = failed[0];
	if (ret->child > 0)
		return 0;
	ret->child = 0;
	return error_set(err, r, "start %.60s", arguments[0]);
}

void launch_go(struct launch *launch)
{
	ssize_t n = write(launch->go, "", 1);
	(void)n; /* one that has ended meanwhile is told of by wait */
	close(launch->go);
	launch->go = -1;
}

int launch_error(const struct launch *launch)
{
	int error = 0;
	return read(launch->failed, &error, sizeof(error)) == sizeof(error) ? error : 0;
}

void launch_done(struct launch *launch)
{
	bool waits = launch->child > 0 && launch->go >= 0;
	closep(&launch->go); /* its read ends, and so does it */
	closep(&launch->failed);
	if (waits)
		while (waitpid(launch->child, NULL, 0) < 0 && errno == EINTR)
			;
	*launch = (struct launch){.go = -1, .failed = -1};
}

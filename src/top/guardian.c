/* Who puts the terminal back. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "top/guardian.h"

/* What ncurses would have sent, for who died before he could: no other screen, the cursor, no
 * mouse, no brackets around pastes, no colour, the usual characters. Terminals pass over what they
 * do not know. */
static const char put_back[] = "\033[?1049l\033[?25h\033[?1000l\033[?1002l\033[?1003l\033[?1006l"
			       "\033[?2004l\033[?1l\033>\033[0m\033(B\r\n";

#define ENDS_WITHIN 3 /* seconds, asked to: else it waits for a terminal that takes nothing */

static const int passed_on[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT};

static void block(struct guardian *guardian, sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
		sigaddset(set, passed_on[i]);
	sigprocmask(SIG_BLOCK, set, &guardian->mask);
}

int guardian_fork(struct guardian *guardian, struct error *err)
{
	sigset_t set;
	int ends[2];
	*guardian = (struct guardian){.alive = -1};
	guardian->has_terminal = tcgetattr(STDIN_FILENO, &guardian->terminal) == 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set(err, -errno, "guard the terminal");
	block(guardian, &set);
	guardian->child = fork();
	if (guardian->child < 0) {
		int r = -errno;
		close(ends[0]);
		close(ends[1]);
		return error_set(err, r, "guard the terminal");
	}
	if (guardian->child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGCONT); /* stopped, it would not see that it is alone */
		close(ends[1]);
		guardian->alive = ends[0];
		sigprocmask(SIG_SETMASK, &guardian->mask, NULL);
	} else {
		close(ends[0]); /* the other end stays open as long as this process lives */
	}
	return 0;
}

static void restore(const struct guardian *guardian)
{
	if (!guardian->has_terminal)
		return;
	signal(SIGTTOU, SIG_IGN); /* it is put back from the background too */
	tcsetattr(STDIN_FILENO, TCSANOW, &guardian->terminal);
	/* where the terminal takes nothing, what waits for it makes room */
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
	if (poll(&out, 1, 0) == 0)
		tcflush(STDOUT_FILENO, TCOFLUSH);
	tcflush(STDIN_FILENO, TCIFLUSH);
	if (poll(&out, 1, 0) == 1 && write(STDOUT_FILENO, put_back, sizeof(put_back) - 1) < 0)
		return; /* it is gone, then there is nothing to put back */
}

/* Whoever started this has the terminal now. A script that waits for it stops with it, as by ^Z of
 * the terminal. Where nobody is there to go on with it (by `ssh -t HOST doorward top`), the kernel
 * lets SIGTSTP stop nobody, and it goes on at once. SIGCONT takes back what the child would. */
static void stop_with(pid_t child)
{
	sigset_t stop, was;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, &was);
	kill(0, SIGTSTP);
	sigprocmask(SIG_SETMASK, &was, NULL);
	kill(child, SIGCONT);
}

/* True: the child has ended. */
static bool look(const struct guardian *guardian, int *status)
{
	while (waitpid(guardian->child, status, WNOHANG | WUNTRACED) == guardian->child) {
		if (!WIFSTOPPED(*status))
			return true;
		stop_with(guardian->child);
	}
	return false;
}

int guardian_wait(struct guardian *guardian, struct error *err)
{
	sigset_t set;
	int status = 0;
	block(guardian, &set);
	bool is_asked_to_end = false;
	while (!look(guardian, &status)) {
		const struct timespec patience = {.tv_sec = ENDS_WITHIN};
		int number = is_asked_to_end ? sigtimedwait(&set, NULL, &patience)
					     : sigwaitinfo(&set, NULL);
		if (number < 0 && errno == EAGAIN)
			kill(guardian->child, SIGKILL);
		else if (number > 0 && number != SIGCHLD)
			kill(guardian->child, number);
		is_asked_to_end |= number == SIGTERM || number == SIGINT || number == SIGHUP;
	}
	struct termios left;
	if (WIFEXITED(status)) {
		if (guardian->has_terminal && tcgetattr(STDIN_FILENO, &left) == 0 &&
		    left.c_lflag != guardian->terminal.c_lflag)
			restore(guardian); /* it left in a hurry */
		return WEXITSTATUS(status);
	}
	restore(guardian);
	return error_text(err, -EINTR, "the screen was ended by signal %d (%s)", WTERMSIG(status),
			  strsignal(WTERMSIG(status)));
}

/* Strangers' bytes are read in a process of its own, which has no capability, and whose only way to
 * this one is a pipe of records of one size. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/module.h"
#include "base/privilege.h"
#include "scan/identify/loop.h"

struct record {
	uint64_t i; /* SIZE_MAX: the end, with its code in @code */
	int32_t code;
	struct identified what;
};

struct pipe_sink {
	struct identify_sink sink;
	int fd;
};

static int write_record(int fd, const struct record *record)
{
	const char *at = (const char *)record;
	size_t left = sizeof(*record);
	while (left > 0) {
		ssize_t n = write(fd, at, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EPIPE;
		at += n;
		left -= (size_t)n;
	}
	return 0;
}

static int send_identified(struct identify_sink *sink, size_t i, const struct identified *what)
{
	struct record record = {.i = i, .what = *what};
	return write_record(((struct pipe_sink *)sink)->fd, &record);
}

/* The process apart: never returns. */
static _Noreturn void read_apart(int fd, pid_t parent, const struct identify_target *targets,
				 size_t n, const struct identify_options *options,
				 const struct tls_functions *tls, struct stop *stop)
{
	struct pipe_sink sink = {.sink.identified = send_identified, .fd = fd};
	struct record end = {.i = SIZE_MAX};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	end.code = getppid() == parent ? privilege_drop() : -ESRCH;
	if (end.code == 0)
		end.code = identify_here(targets, n, options, tls, &sink.sink, stop, NULL);
	write_record(fd, &end);
	_exit(0);
}

/* One record: 1, 0 at the end of the pipe. Waits. */
static int read_record(int fd, struct record *record)
{
	size_t have = 0;
	while (have < sizeof(*record)) {
		ssize_t n = read(fd, (char *)record + have, sizeof(*record) - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		have += (size_t)n;
	}
	return 1;
}

/* Whoever is broken in there says what it likes: texts have their ends, numbers their ranges. */
static void make_sound(struct identified *what)
{
	what->outcome = what->outcome < IDENTIFY_MAX ? what->outcome : IDENTIFY_UNNAMED;
	what->findings &= (1u << FINDING_MAX) - 1;
	what->service[sizeof(what->service) - 1] = '\0';
	what->product[sizeof(what->product) - 1] = '\0';
	what->version[sizeof(what->version) - 1] = '\0';
	what->protocol_version[sizeof(what->protocol_version) - 1] = '\0';
	what->tls.version[sizeof(what->tls.version) - 1] = '\0';
	what->tls.cipher[sizeof(what->tls.cipher) - 1] = '\0';
	if (what->tls.n_names > IDENTIFIED_NAMES_MAX)
		what->tls.n_names = IDENTIFIED_NAMES_MAX;
	for (unsigned i = 0; i < IDENTIFIED_NAMES_MAX; i++)
		what->tls.names[i][sizeof(what->tls.names[i]) - 1] = '\0';
}

struct gathering {
	struct identify_sink *sink;
	uint8_t *told; /* one for each target */
	size_t n;
	int code; /* what the process apart ended with; 1: it did not say */
};

static int gather(int fd, struct gathering *gathering)
{
	struct record record;
	int r = 0;
	while (r == 0 && read_record(fd, &record) > 0) {
		if (record.i == SIZE_MAX) {
			gathering->code = record.code;
			break;
		}
		if (record.i >= gathering->n || gathering->told[record.i])
			continue;
		make_sound(&record.what);
		gathering->told[record.i] = 1;
		r = gathering->sink->identified(gathering->sink, record.i, &record.what);
	}
	return r;
}

/* Each is told, also when the process apart died of what it read. */
static int tell_rest(struct gathering *gathering, const struct stop *stop)
{
	const struct identified unknown = {.outcome = stop_wanted(stop) ? IDENTIFY_STOPPED
									: IDENTIFY_UNNAMED};
	int r = 0;
	for (size_t i = 0; i < gathering->n && r == 0; i++)
		if (!gathering->told[i])
			r = gathering->sink->identified(gathering->sink, i, &unknown);
	return r;
}

static int end_apart(pid_t child, int fd)
{
	int status = 0;
	close(fd);
	kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

int identify_ports(const struct identify_target *targets, size_t n,
		   const struct identify_options *options, struct identify_sink *sink,
		   struct stop *stop, struct error *err)
{
	struct error absent = {0};
	const struct tls_functions *tls = module_get("tls", TLS_VERSION, &absent);
	cleanup(freep) uint8_t *told = calloc(n ? n : 1, 1);
	struct gathering gathering = {.sink = sink, .told = told, .n = n, .code = 1};
	pid_t parent = getpid();
	int fds[2];
	if (!told || pipe2(fds, O_CLOEXEC) < 0)
		return error_set(err, told ? -errno : -ENOMEM, "identify services");
	pid_t child = fork();
	if (child == 0) {
		close(fds[0]);
		read_apart(fds[1], parent, targets, n, options, tls, stop);
	}
	int r = child < 0 ? -errno : 0;
	close(fds[1]);
	if (r < 0) {
		close(fds[0]);
		return error_set(err, r, "identify services");
	}
	r = gather(fds[0], &gathering);
	end_apart(child, fds[0]);
	if (r == 0 && gathering.code < 0)
		return error_set(err, gathering.code, "identify services");
	return r != 0 ? r : tell_rest(&gathering, stop);
}

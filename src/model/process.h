/* A process, and the holding of a socket by one. Facts of the process stand here once, however many
 * sockets it has. Strings belong to the snapshot's arena; NULL is unknown. */
#ifndef MODEL_PROCESS_H
#define MODEL_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/ip.h"

/* One descriptor of one process that is the socket; a chain for each socket. */
struct holder {
	uint32_t process; /* index into snapshot->processes */
	int32_t fd;	  /* -1: only through a ring of io_uring */
	uint32_t next;	  /* or NONE */
};

enum engine {
	ENGINE_NONE,
	ENGINE_DOCKER,
	ENGINE_PODMAN,
	ENGINE_CONTAINERD,
	ENGINE_CRIO,
	ENGINE_LXC,
	ENGINE_NSPAWN,
	ENGINE_ROOTLESSKIT,
	ENGINE_MAX,
};
extern const char *const engine_words[ENGINE_MAX + 1]; /* "docker", "podman", "containerd", "cri-o",
							  "lxc", "systemd-nspawn" */

struct container {
	const char *id, *name; /* name NULL: unknown */
	uint8_t engine;
};

enum process_known {
	KNOWN_STAT = 1 << 0, /* ppid, start_time, name */
	KNOWN_EXE = 1 << 1,
	KNOWN_CMDLINE = 1 << 2,
	KNOWN_CWD = 1 << 3,
	KNOWN_UID = 1 << 4,
	KNOWN_CGROUP = 1 << 5,
	KNOWN_GONE = 1 << 6, /* it ended under way; what is known is from before */
	KNOWN_THREADED = 1 << 7,
};

struct process {
	int32_t pid, ppid;    /* in our pid namespace; ppid 0: none */
	uint64_t start_ticks; /* field 22 of stat, since boot: identity together with pid */
	double start_time;    /* Unix seconds */
	uint32_t uid;
	uint32_t known;	     /* enum process_known */
	const char *name;    /* comm, bytes as they are */
	const char *exe;     /* path, without " (deleted)" */
	const char *cmdline; /* arguments joined by a space; bytes as they are */
	const char *cwd;
	const char *unit; /* "nginx.service", "session-2.scope" */
	const char
		*runs; /* an interpreter's script, module or jar: "app.py"; NULL when it is none */
	const char *from;   /* an ssh session's: the address that it came from; NULL: not asked */
	const char *is;	    /* as a saved file says what it is (ancestor_words); NULL */
	uint32_t container; /* index into snapshot->containers, or NONE */
	uint32_t parent;    /* index of the parent in snapshot->processes, or NONE: only with
			       NEED_PARENTS */
	uint32_t netns;	    /* index, or NONE */
	bool exe_deleted;
};

/* "python3 app.py" for an interpreter, else the name; written at @to with NUL. */
const char *process_title(const struct process *process, char *to, unsigned size);

#endif

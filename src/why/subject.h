/* Whose attempt it is: what the kernel asks of a process that binds. */
#ifndef WHY_SUBJECT_H
#define WHY_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "source/netns.h"

struct subject {
	int32_t pid; /* 0: this program, as it is or as another user */
	uint32_t uid, gid;
	uint32_t inner_uid, inner_gid; /* the same as its own user namespace has them */
	uint64_t capabilities;	       /* effective */
	bool is_known;		       /* its status could be read */
	bool has_seccomp;
	bool changes_user;			  /* another uid than ours, or a process */
	uint64_t n_descriptors, descriptor_limit; /* limit 0: unknown */
	char cgroup[512];			  /* its path in version 2; "" unknown */
	char name[32];				  /* of the process */
	char user[64];				  /* its name; "" not asked */
};

/* This program. */
void subject_self(struct host *host, struct subject *ret);
/* A user by number or name, without capabilities unless it is root. 0; -EINVAL with @err told. */
int subject_user(struct host *host, const char *user, struct subject *ret, struct error *err);
/* Process @pid. 0; negative errno with @err told. */
int subject_process(struct host *host, int32_t pid, struct subject *ret, struct error *err);

/* A file of its control group ("" the directory) in version 2, wherever that is mounted. A
 * descriptor or negative errno. */
int subject_open_cgroup(struct host *host, const struct subject *subject, int flags,
			const char *file);

/* Of the text of /proc/PID/status. Pure. */
void subject_parse_status(const char *text, struct subject *ret);
/* The soft limit of open files in /proc/PID/limits; UINT64_MAX unlimited, 0 none. Pure. */
uint64_t subject_parse_limit(const char *text);
/* The path of "0::/path" in /proc/PID/cgroup. Pure. */
void subject_parse_cgroup(const char *text, char *to, size_t size);

/* What @id is inside, by the text of /proc/PID/uid_map; @id itself where it is not mapped. Pure. */
uint32_t subject_map_id(const char *map, uint32_t id);

static inline bool subject_has(const struct subject *subject, int capability)
{
	return subject->capabilities >> capability & 1;
}

#endif

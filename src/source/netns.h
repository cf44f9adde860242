/* The network namespaces of a host, however they are held, and the way into them: setns only here.
 */
#ifndef SOURCE_NETNS_H
#define SOURCE_NETNS_H

#include "base/vector.h"
#include "model/query.h"
#include "source/source.h"

struct found_netns {
	uint64_t inode;
	int fd;	     /* -1: our own, which needs no entering */
	int32_t pid; /* some process in it, or 0 */
	bool is_self, is_initial;
	char name[64]; /* of /run/netns, or "" */
};

/* A process or thread, and the namespaces that it is in. */
struct task_place {
	int32_t pid;
	uint32_t netns;	 /* inode */
	uint64_t mounts; /* whatever is equal for those in the same one */
};

/* What @scope names, our own first. What may not be entered is told to @sink (may be NULL).
 * @places (struct task_place): all that processes are in, where that is known; NULL or empty: /proc
 * is walked. @ret: struct
 * found_netns. 0, -EINVAL (no such name or process: a wrong word) or negative errno with @err told.
 */
int netns_find(struct host *host, const struct netns_scope *scope, const struct vector *places,
	       struct vector *ret, struct sink *sink, struct error *err);
/* The inode of our own; 0: it cannot be told. */
uint64_t netns_own_inode(void);

void netns_list_done(struct vector *list);

/* The namespace of socket @fd of @pid (SIOCGSKNS), for one that nothing else shows. */
int netns_of_socket(const struct host *host, int32_t pid, int32_t fd, struct found_netns *ret);

/* The namespace that descriptor @fd of @pid is, for one that only a descriptor holds. */
int netns_of_descriptor(const struct host *host, int32_t pid, int32_t fd, struct found_netns *ret);

/* For good, for a child that only tries something and ends: into the network namespace of @pid, and
 * into its user namespace first where that is another (*@ret_other_user). 0 or negative errno. */
int netns_enter(const struct host *host, int32_t pid, bool *ret_other_user);

/* A netlink socket that belongs to the namespace. A descriptor or negative errno. */
int netns_socket(const struct found_netns *netns, int protocol);

/* A new one that nothing else holds: it ends with its descriptor. 0 or negative errno. */
int netns_new(struct found_netns *ret);

/* One call inside the namespace. What it returned, or negative errno where the way in or back is
 * closed. */
int netns_call(const struct found_netns *netns, int (*call)(void *), void *data);

/* The namespaces that one line of mountinfo shows: the inode of an nsfs mount `net:[...]`, its
 * mount point at
 * *@ret_point (of *@ret_length bytes). False: none. Pure. */
bool netns_parse_mount(const char *line, size_t n, uint64_t *ret_inode, const char **ret_point,
		       size_t *ret_length);

#endif

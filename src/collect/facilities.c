/* Which facilities work on this host, and why not. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/module.h"
#include "base/privilege.h"
#include "collect/collect.h"
#include "model/query.h"
#include "source/bpf/events.h"
#include "source/bpf/files.h"
#include "source/bpf/tasks.h"
#include "source/bpf/unheld.h"
#include "source/netns.h"
#include "source/sock-diag.h"

static int ignore_socket(struct sink *sink, const struct found_socket *found)
{
	(void)sink;
	(void)found;
	return 0;
}

static int add(struct vector *ret, const struct facility *facility)
{
	struct facility *added = vector_add(ret);
	if (!added)
		return -ENOMEM;
	*added = *facility;
	return 0;
}

static int add_sock_diag(struct host *host, enum proto proto, const char *name, struct vector *ret)
{
	struct facility facility = {
		.name = name, .gives = "the kernel's list of these sockets", .is_built_in = true};
	struct sink sink = {.socket = ignore_socket};
	struct query query = {.bounds = BOUNDS_ALL};
	struct error err = {0};
	uint32_t absent = 0;
	query.bounds.protos = 1u << proto;
	query.bounds.states = STATES_OPEN;
	cleanup(closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int r = fd < 0 ? -errno : sock_diag_read(host, fd, &query, &sink, &absent, &err);
	facility.works = r >= 0 && !absent;
	if (r < 0)
		snprintf(facility.reason, sizeof(facility.reason), "%s", error_reason(r));
	else if (absent)
		snprintf(facility.reason, sizeof(facility.reason), "%s",
			 proto == PROTO_SCTP
				 ? "this kernel has no SCTP"
				 : "this kernel cannot list them so: /proc/net is read");
	return add(ret, &facility);
}

static int add_right(const char *name, const char *gives, int capability, const char *needs,
		     struct vector *ret)
{
	struct facility facility = {.name = name,
				    .gives = gives,
				    .is_built_in = true,
				    .works = privilege_has(capability)};
	snprintf(facility.reason, sizeof(facility.reason), "needs the capability %s", needs);
	return add(ret, &facility);
}

/* Each program is loaded: one may be refused where another is not. */
static int add_bpf(struct host *host, struct vector *ret)
{
	static bool (*const tries[])(const struct host *, struct facility *) = {
		files_try, tasks_try, unheld_try_tcp, unheld_try_udp, events_try};
	int r = 0;
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(tries); i++) {
		struct facility facility;
		tries[i](host, &facility);
		r = add(ret, &facility);
	}
	return r;
}

/* What needs a module and nothing else. */
static int add_module(struct vector *ret, const char *module, const char *name, const char *gives)
{
	struct facility facility = {.name = name, .gives = gives};
	const char *absent = module_absent(module);
	facility.is_built_in = true; /* what calls it is: it is only not there */
	facility.works = !absent;
	if (absent)
		snprintf(facility.reason, sizeof(facility.reason), "the module %s is %s", module,
			 absent);
	return add(ret, &facility);
}

static int add_packet_filter(struct vector *ret)
{
	struct facility facility = {.name = "packet filter",
				    .gives = "block, unblock, blocks",
				    .is_built_in = true,
				    .works = privilege_has(CAP_NET_ADMIN)};
	const char *absent = module_absent("nft");
	if (absent)
		facility.works = false;
	snprintf(facility.reason, sizeof(facility.reason), "%s%s",
		 absent ? "the module nft is " : "needs the capability CAP_NET_ADMIN",
		 absent ? absent : "");
	return add(ret, &facility);
}

int collect_facilities(struct host *host, struct vector *ret, struct error *err)
{
	static const char *const names[PROTO_MAX] = {"sock_diag tcp", "sock_diag udp",
						     "sock_diag udplite", "sock_diag raw",
						     "sock_diag sctp"};
	int r = add_bpf(host, ret);
	for (enum proto proto = 0; r >= 0 && proto < PROTO_MAX; proto++)
		r = add_sock_diag(host, proto, names[proto], ret);
	if (r >= 0)
		r = add_right("processes", "descriptors of other users' processes", CAP_SYS_PTRACE,
			      "CAP_SYS_PTRACE", ret);
	if (r >= 0)
		r = add_right("namespaces", "sockets of other network namespaces", CAP_SYS_ADMIN,
			      "CAP_SYS_ADMIN", ret);
	if (r >= 0)
		r = add_packet_filter(ret);
	if (r >= 0)
		r = add_module(ret, "screen", "screen", "top");
	if (r >= 0)
		r = add_module(ret, "web", "page", "serve");
	return r < 0 ? error_set(err, r, "probe the facilities") : 0;
}

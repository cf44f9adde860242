/* Interfaces, addresses and port ranges of a network namespace. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/numbers.h"
#include "source/interfaces.h"

#define RESERVED_MAX 4096
#define TRIES 3

struct lists {
	struct arena *arena;
	struct vector interfaces, addresses;
};

static int on_link(const struct nlmsghdr *message, void *data)
{
	struct lists *lists = data;
	struct ifinfomsg link;
	if (mnl_nlmsg_get_payload_len(message) < sizeof(link))
		return MNL_CB_OK;
	memcpy(&link, mnl_nlmsg_get_payload(message), sizeof(link));
	struct interface *added = vector_add(&lists->interfaces);
	if (!added)
		return MNL_CB_ERROR;
	*added = (struct interface){.index = (uint32_t)link.ifi_index,
				    .is_up = link.ifi_flags & IFF_UP,
				    .is_loopback = link.ifi_flags & IFF_LOOPBACK};
	const struct nlattr *attribute;
	mnl_attr_for_each(attribute, message, sizeof(link))
	{
		if (mnl_attr_get_type(attribute) == IFLA_IFNAME)
			added->name = arena_intern(lists->arena, mnl_attr_get_payload(attribute),
						   mnl_attr_get_payload_len(attribute));
	}
	return MNL_CB_OK;
}

static int on_address(const struct nlmsghdr *message, void *data)
{
	struct lists *lists = data;
	struct ifaddrmsg address;
	if (mnl_nlmsg_get_payload_len(message) < sizeof(address))
		return MNL_CB_OK;
	memcpy(&address, mnl_nlmsg_get_payload(message), sizeof(address));
	bool is_v4 = address.ifa_family == AF_INET;
	if (!is_v4 && address.ifa_family != AF_INET6)
		return MNL_CB_OK;

	/* IFA_LOCAL is the own address where there is a peer (rtnetlink(7)) */
	const struct nlattr *attribute, *own = NULL;
	uint32_t flags = address.ifa_flags;
	mnl_attr_for_each(attribute, message, sizeof(address))
	{
		uint16_t type = mnl_attr_get_type(attribute);
		if (type == IFA_FLAGS && mnl_attr_get_payload_len(attribute) >= sizeof(flags))
			flags = mnl_attr_get_u32(attribute);
		if (type == IFA_LOCAL || (type == IFA_ADDRESS && !own))
			own = attribute;
	}
	if (!own || mnl_attr_get_payload_len(own) < (is_v4 ? 4 : 16))
		return MNL_CB_OK;
	struct interface_address *added = vector_add(&lists->addresses);
	if (!added)
		return MNL_CB_ERROR;
	const uint8_t *bytes = mnl_attr_get_payload(own);
	*added = (struct interface_address){.ip = is_v4 ? ip_from_v4(bytes) : ip_from_v6(bytes),
					    .interface = address.ifa_index,
					    .prefix = address.ifa_prefixlen,
					    .is_v4 = is_v4,
					    .is_tentative =
						    flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED) &&
						    !(flags & IFA_F_OPTIMISTIC)};
	return MNL_CB_OK;
}

static int ask(int fd, uint16_t type, uint32_t sequence)
{
	char buffer[256] __attribute__((aligned(8)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = sequence;
	struct ifinfomsg *link;
	struct ifaddrmsg *address;
	if (type == RTM_GETLINK) {
		link = mnl_nlmsg_put_extra_header(request, sizeof(*link));
		link->ifi_family = AF_UNSPEC;
		/* 700 bytes less an interface */
		mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	} else {
		address = mnl_nlmsg_put_extra_header(request, sizeof(*address));
		address->ifa_family = AF_UNSPEC;
	}
	return send(fd, request, request->nlmsg_len, 0) < 0 ? -errno : 0;
}

static int dump(int fd, uint16_t type, uint32_t sequence, mnl_cb_t callback, struct lists *lists)
{
	char buffer[32768] __attribute__((aligned(8)));
	int r = ask(fd, type, sequence);
	if (r < 0)
		return r;
	r = MNL_CB_OK;
	while (r > MNL_CB_STOP) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		r = mnl_cb_run(buffer, (size_t)n, sequence, 0, callback, lists);
	}
	return r < 0 ? -errno : 0;
}

/* The whole list of one kind; asked again, on a socket of its own, where it changed under way. */
static int read_list(const struct found_netns *netns, uint16_t type, mnl_cb_t callback,
		     struct vector *list, struct lists *lists)
{
	int r = -EINTR;
	for (uint32_t i = 0; i < TRIES && r == -EINTR; i++) {
		cleanup(closep) int fd = netns_socket(netns, NETLINK_ROUTE);
		if (fd < 0)
			return fd;
		list->n = 0;
		r = dump(fd, type, i + 1, callback, lists);
	}
	return r;
}

static int read_lists(const struct found_netns *netns, struct lists *lists)
{
	int r = read_list(netns, RTM_GETLINK, on_link, &lists->interfaces, lists);
	return r < 0 ? r : read_list(netns, RTM_GETADDR, on_address, &lists->addresses, lists);
}

int interfaces_parse_reserved(const char *text, struct arena *arena, const struct port_range **ret,
			      uint32_t *ret_n)
{
	const char *at = text, *end = text + strlen(text);
	uint32_t n = 0, room = 1;
	for (const char *c = text; *c; c++)
		room += *c == ',';
	if (room > RESERVED_MAX)
		room = RESERVED_MAX;
	struct port_range *ranges = arena_alloc(arena, room * sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	while (at < end && n < room) {
		uint64_t first, last;
		if (number_scan(&at, end, 10, &first) < 0)
			break;
		last = first;
		if (at < end && *at == '-') {
			at++;
			if (number_scan(&at, end, 10, &last) < 0)
				break;
		}
		if (first <= last && last <= UINT16_MAX)
			ranges[n++] = (struct port_range){.first = (uint16_t)first,
							  .last = (uint16_t)last};
		at += at < end;
	}
	*ret = ranges;
	*ret_n = n;
	return 0;
}

struct settings {
	struct host *host;
	struct arena *arena;
	struct netns *ret;
};

/* /proc/sys/net shows the namespace of the thread that opens it. */
static int read_settings(void *data)
{
	struct settings *settings = data;
	char text[65536];
	uint64_t first, last;
	if (host_read(settings->host, text, sizeof(text), "proc/sys/net/ipv4/ip_local_port_range") >
	    0) {
		const char *at = text, *end = text + strlen(text);
		int r = number_scan(&at, end, 10, &first);
		at += strspn(at, " \t");
		if (r == 0 && number_scan(&at, end, 10, &last) == 0 && last <= UINT16_MAX &&
		    first <= last)
			settings->ret->ephemeral =
				(struct port_range){(uint16_t)first, (uint16_t)last};
	}
	if (host_read(settings->host, text, sizeof(text),
		      "proc/sys/net/ipv4/ip_unprivileged_port_start") > 0) {
		const char *at = text;
		if (number_scan(&at, text + strlen(text), 10, &first) == 0 && first <= UINT16_MAX)
			settings->ret->unprivileged_start = (uint16_t)first;
	}
	if (host_read(settings->host, text, sizeof(text),
		      "proc/sys/net/ipv4/ip_local_reserved_ports") > 0)
		return interfaces_parse_reserved(text, settings->arena, &settings->ret->reserved,
						 &settings->ret->n_reserved);
	return 0;
}

static const void *keep(struct arena *arena, struct vector *vector)
{
	void *kept = arena_alloc(arena, (size_t)vector->n * vector->size + 1);
	if (kept && vector->n)
		memcpy(kept, vector->data, (size_t)vector->n * vector->size);
	return kept;
}

int interfaces_read(struct host *host, const struct found_netns *netns, struct arena *arena,
		    struct netns *ret, struct error *err)
{
	struct lists lists = {.arena = arena};
	vector_init(&lists.interfaces, sizeof(struct interface));
	vector_init(&lists.addresses, sizeof(struct interface_address));
	int r = read_lists(netns, &lists);
	if (r >= 0) {
		ret->interfaces = keep(arena, &lists.interfaces);
		ret->addresses = keep(arena, &lists.addresses);
		ret->n_interfaces = ret->interfaces ? lists.interfaces.n : 0;
		ret->n_addresses = ret->addresses ? lists.addresses.n : 0;
		struct settings settings = {host, arena, ret};
		r = netns_call(netns, read_settings, &settings);
	}
	vector_done(&lists.interfaces);
	vector_done(&lists.addresses);
	return r < 0 ? error_set(err, r, "read the addresses of a network namespace") : 0;
}

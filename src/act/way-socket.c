/* Ends connections with SOCK_DESTROY (sock_diag(7)), in any state, TIME_WAIT and orphans included.
 * Of what listens or is bound it only stops the serving: its program learns of an error, and the
 * port stays its own (net/ipv4/tcp.c, tcp_abort; net/ipv4/udp.c, udp_abort). */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "act/presence.h"

#define GONE_MS 1000 /* a destroyed socket goes once its owner lets go of its lock */

static void plan(struct plan *plan, const struct close_options *options, struct step *step)
{
	const struct identity *target = &step->target;
	bool is_tcp = target->proto == PROTO_TCP;
	if (!is_tcp && target->proto != PROTO_RAW) {
		step_refuse(
			step, -ENOTSUP,
			"SOCK_DESTROY would only tell the program of one error, and it would go "
			"on serving",
			"--by process or --by release frees the port");
		return;
	}
	if (step_is_door(step) && !options->is_forced) {
		step_refuse(step, -EPERM,
			    "its program would spin on an error, and the port stay bound",
			    "--by process or --by release frees the port; --force does it "
			    "nevertheless");
		return;
	}
	char name[160];
	identity_text(target, name, sizeof(name));
	step->object = plan_text(plan, "%s", name);
	if (step_is_door(step))
		step_follows(step, "its program will see an error for ever, may spin on it, and "
				   "keeps the port as long as it lives");
	else if (target->state == STATE_TIME_WAIT)
		step_follows(step, "what is still under way of that connection may be taken for a "
				   "new one's");
	else
		step_follows(step, "both ends see a reset; what was sent and not yet read is lost");
}

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
};

static void write_request(const struct identity *target, struct request *ret)
{
	static const int numbers[PROTO_MAX] = {[PROTO_TCP] = IPPROTO_TCP,
					       [PROTO_UDP] = IPPROTO_UDP,
					       [PROTO_UDPLITE] = 136,
					       [PROTO_RAW] = IPPROTO_RAW};
	bool is_v4 = target->family == FAMILY_IPV4;
	size_t from = is_v4 ? 12 : 0, n = 16 - from;
	*ret = (struct request){
		.header = {.nlmsg_len = sizeof(*ret),
			   .nlmsg_type = SOCK_DESTROY,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.body = {.sdiag_family = is_v4 ? AF_INET : AF_INET6,
			 .sdiag_protocol = (uint8_t)numbers[target->proto],
			 .idiag_states = UINT32_MAX},
	};
	struct inet_diag_sockid *id = &ret->body.id;
	id->idiag_sport = htons(target->local_port);
	id->idiag_dport = htons(target->peer_port);
	memcpy(id->idiag_src, target->local.bytes + from, n);
	memcpy(id->idiag_dst, target->peer.bytes + from, n);
	id->idiag_if = target->interface;
	id->idiag_cookie[0] = target->cookie ? (uint32_t)target->cookie : INET_DIAG_NOCOOKIE;
	id->idiag_cookie[1] =
		target->cookie ? (uint32_t)(target->cookie >> 32) : INET_DIAG_NOCOOKIE;
}

/* The kernel's answer: 0 or negative errno. */
static int read_answer(int fd)
{
	char bytes[512];
	struct nlmsghdr header;
	struct nlmsgerr answer;
	ssize_t n;
	do
		n = recv(fd, bytes, sizeof(bytes), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((size_t)n < NLMSG_HDRLEN + sizeof(answer.error))
		return -EBADMSG;
	memcpy(&header, bytes, sizeof(header));
	if (header.nlmsg_type != NLMSG_ERROR)
		return -EBADMSG;
	memcpy(&answer.error, bytes + NLMSG_HDRLEN, sizeof(answer.error));
	return answer.error > 0 ? -EBADMSG : answer.error;
}

static int destroy(int fd, const struct identity *target)
{
	struct request request;
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	write_request(target, &request);
	if (sendto(fd, &request, sizeof(request), 0, (const struct sockaddr *)&kernel,
		   sizeof(kernel)) < 0)
		return -errno;
	return read_answer(fd);
}

static void take_answer(struct step *step, int r)
{
	step->is_done = r >= 0 || r == -ENOENT; /* it went by itself */
	if (step->is_done)
		return;
	if (r == -EPERM || r == -EACCES)
		step_refuse(step, r, "not permitted: it needs CAP_NET_ADMIN", "run it with sudo");
	else if (r == -EOPNOTSUPP)
		step_refuse(step, r, "this kernel was built without CONFIG_INET_DIAG_DESTROY",
			    "--by process ends it with its program");
	else
		step_refuse(step, r, error_reason(r), NULL);
}

static int perform(struct acting *acting, struct step *const *steps, uint32_t n, struct error *err)
{
	(void)err;
	const struct found_netns *last = NULL;
	int fd = -ENOENT;
	for (uint32_t i = 0; i < n && !stop_wanted(acting->stop); i++) {
		const struct found_netns *place = presence_place(acting, &steps[i]->target);
		if (place && place != last) {
			closep(&fd);
			fd = netns_socket(place, NETLINK_SOCK_DIAG);
			last = place;
		}
		take_answer(steps[i], !place   ? -ENOENT
				      : fd < 0 ? fd
					       : destroy(fd, &steps[i]->target));
	}
	closep(&fd);
	bool are_doors = n && step_is_door(steps[0]); /* which stay */
	presence_wait(acting, steps, are_doors ? 0 : n, NULL, 0,
		      presence_now_ns() + GONE_MS * UINT64_C(1000000));
	return 0;
}

const struct way_to_close way_socket = {.way = WAY_SOCKET, .plan = plan, .perform = perform};

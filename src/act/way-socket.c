/* Ends connections with SOCK_DESTROY (sock_diag(7)), in any state, TIME_WAIT and orphans included.
 * Of what listens or is bound it only stops the serving: its program learns of an error, and the
 * port stays its own (net/ipv4/tcp.c, tcp_abort; net/ipv4/udp.c, udp_abort). */
#include <errno.h>
#include <linux/netlink.h>

#include "base/clock.h"
#include "base/privilege.h"
#include "act/presence.h"
#include "source/destroy.h"

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
				   "keeps a port that it bound by number as long as it lives");
	else if (target->state == STATE_TIME_WAIT)
		step_follows(step, "what is still under way of that connection may be taken for a "
				   "new one's");
	else
		step_follows(step, "both ends see a reset; what was sent and not yet read is lost");
}

static int destroy(int fd, const struct identity *target)
{
	struct socket socket = {
		.cookie = target->cookie,
		.local = target->local,
		.peer = target->peer,
		.local_port = target->local_port,
		.peer_port = target->peer_port,
		.interface = target->interface,
		.proto = target->proto,
		.family = target->family,
	};
	return destroy_socket(fd, &socket);
}

static void take_answer(struct step *step, int r)
{
	step->is_done = r >= 0 || r == -ENOENT; /* it went by itself */
	if (step->is_done)
		return;
	if (r == -EPERM || r == -EACCES)
		step_refuse(step, r, "not permitted: it needs CAP_NET_ADMIN", privilege_hint());
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
		      clock_ns() + GONE_MS * UINT64_C(1000000));
	return 0;
}

const struct way_to_close way_socket = {.way = WAY_SOCKET, .plan = plan, .perform = perform};

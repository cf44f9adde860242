/* One record of the kernel's to what is told of it: who held the socket, how it ended, how long it
 * was there. */
#include <errno.h>

#include "collect/following.h"

/* ---- how ---- */

/* docs/events.md has the table. */
static enum how how_it_ended(const struct found_event *found)
{
	switch (found->error) {
	case 0:
		break;
	case ECONNRESET:
	case EPIPE: /* a reset after the peer's FIN */
		return HOW_RESET;
	case ECONNABORTED:
		return HOW_DESTROYED;
	default:
		return HOW_TIMED_OUT;
	}
	/* at once and without an error: what was unread was thrown away, or SO_LINGER of 0 */
	bool is_sudden = found->left == STATE_ESTABLISHED || found->left == STATE_CLOSE_WAIT ||
			 found->left == STATE_SYN_RECV || found->left == STATE_FIN_WAIT1;
	return is_sudden ? HOW_ABORTED : HOW_CLOSED;
}

static bool is_same_actor(const struct actor *a, const struct actor *b)
{
	return a->pid == b->pid && a->start_ns == b->start_ns;
}

/* Who holds a listener may shut it down, or be refused to listen on it: nobody else can but so. */
static bool is_destroyed(const struct found_event *found)
{
	bool is_listener = found->deed == DEED_CLOSED && found->left == STATE_LISTEN &&
			   !is_same_actor(&found->holder, &found->closer);
	return found->by_process && !found->is_shut &&
	       (found->error == ECONNABORTED || is_listener);
}

/* ---- who ---- */

struct held {
	uint32_t actor, by;
	enum sure sure;
};

/* How well it fits; 0: it is not the listener. */
static int fit_of(const struct socket *listener, const struct socket *socket)
{
	if (listener->proto != socket->proto || !socket_overlaps(listener, socket) ||
	    (listener->interface && listener->interface != socket->interface))
		return 0;
	return 1 + (listener->interface != 0) + 2 * ip_equal(&listener->local, &socket->local);
}

/* Who holds the listener: of a connection that does not know it itself. */
static uint32_t listener_holder(const struct follow *follow, const struct found_event *found)
{
	const struct door *door = NULL, *best = NULL;
	int most = 0;
	while ((door = doors_on_port(&follow->doors, found->netns_inode, found->socket.local_port,
				     door)) &&
	       door->socket.state == STATE_LISTEN) {
		int fit = fit_of(&door->socket, &found->socket);
		if (fit <= most)
			continue;
		best = door;
		most = fit;
	}
	return best ? best->actor : NONE;
}

static struct held who_of_connection(struct follow *follow, const struct found_event *found,
				     const struct door *door)
{
	struct held held = {.actor = NONE, .by = NONE, .sure = SURE_PROBABLE};
	uint32_t closer = actors_find(follow->actors, found->closer);
	bool dialled = found->socket.role == ROLE_DIALLED;
	if (dialled && found->is_exact) {
		held.actor = actors_find_as(follow->actors, found->holder, found->holder_uid);
		held.sure = SURE_EXACT;
	} else if (closer != NONE && !is_destroyed(found)) {
		held.actor = closer;
		held.sure = SURE_EXACT;
	} else {
		held.actor = door		 ? door->actor
			     : found->holder.pid ? actors_find_as(follow->actors, found->holder,
								  found->holder_uid)
						 : listener_holder(follow, found);
	}
	if (closer != held.actor)
		held.by = closer;
	return held;
}

static struct held who_of_door(struct follow *follow, const struct found_event *found,
			       const struct door *door)
{
	struct held held = {.actor = NONE, .by = NONE, .sure = SURE_EXACT};
	uint32_t closer = actors_find(follow->actors, found->closer);
	if (found->holder.pid)
		held.actor = actors_find_as(follow->actors, found->holder, found->holder_uid);
	else if (closer != NONE && !is_destroyed(found))
		held.actor = closer;
	else if (door)
		held.actor = door->actor;
	if (held.actor == NONE)
		held.sure = SURE_PROBABLE;
	if (closer != held.actor)
		held.by = closer;
	return held;
}

/* ---- telling ---- */

static struct telling begin(const struct found_event *found, enum event_kind kind,
			    const struct held *held)
{
	return (struct telling){.event = {.uptime_ns = found->time_ns,
					  .kind = (uint8_t)kind,
					  .sure = (uint8_t)held->sure,
					  .opened_ns = found->since_ns,
					  .duration_ns = EVENT_UNKNOWN,
					  .bytes_sent = EVENT_UNKNOWN,
					  .bytes_received = EVENT_UNKNOWN},
				.socket = found->socket,
				.netns = found->netns_inode,
				.actor = held->actor,
				.by = held->by};
}

static void fill_duration(struct event *event, const struct door *door)
{
	if (!event->opened_ns && door)
		event->opened_ns = door->opened_ns;
	if (event->opened_ns && event->uptime_ns >= event->opened_ns)
		event->duration_ns = event->uptime_ns - event->opened_ns;
}

static int keep_door(struct follow *follow, const struct socket *socket,
		     const struct found_event *found, const struct held *held)
{
	struct door *door = doors_add(&follow->doors, socket, found->netns_inode, held->actor);
	if (!door)
		return -ENOMEM;
	door->opened_ns = found->time_ns;
	door->flags = held->sure == SURE_EXACT ? DOOR_EXACT : 0;
	return 0;
}

int follow_opened(struct follow *follow, const struct found_event *found)
{
	struct held held = {actors_find_as(follow->actors, found->holder, found->holder_uid), NONE,
			    SURE_EXACT};
	bool has_peer = socket_has_peer(&found->socket);
	struct telling telling = begin(found, has_peer ? EVENT_ESTABLISHED : EVENT_OPENED, &held);
	telling.event.opened_ns = found->time_ns;
	if (has_peer)
		telling.socket.role = ROLE_DIALLED;
	int r = keep_door(follow, &telling.socket, found, &held);
	return r < 0 ? r : follow_tell(follow, &telling);
}

/* The port of one that was never bound comes after the state. */
static int listening(struct follow *follow, const struct found_event *found)
{
	return found->socket.local_port ? follow_opened(follow, found)
					: follow_unnamed(follow, found);
}

static int bound(struct follow *follow, const struct found_event *found)
{
	int r = follow_settled(follow, found->socket.cookie, false);
	follow_named(follow, found->socket.cookie, NULL);
	return r < 0 ? r : follow_opened(follow, found);
}

static int tell_closed(struct follow *follow, const struct found_event *found, struct door *door)
{
	struct held held = who_of_door(follow, found, door);
	bool is_connection = door && door->socket.state == STATE_ESTABLISHED;
	struct telling telling = begin(found, is_connection ? EVENT_ENDED : EVENT_CLOSED, &held);
	if (door && found->socket.proto != PROTO_TCP)
		telling.socket = door->socket;
	fill_duration(&telling.event, door);
	if (is_connection)
		telling.event.how = HOW_CLOSED;
	else if (is_destroyed(found))
		telling.event.how = HOW_DESTROYED;
	int r = follow_tell(follow, &telling);
	if (door)
		doors_remove(&follow->doors, doors_find(&follow->doors, found->socket.cookie));
	return r;
}

static int closed(struct follow *follow, const struct found_event *found)
{
	struct found_event began;
	int r = follow_settled(follow, found->socket.cookie, true);
	bool was_nameless = follow_named(follow, found->socket.cookie, &began);
	if (r < 0 || !found->socket.local_port)
		return r; /* it never had a port */
	if (was_nameless) {
		began.socket = found->socket;
		began.socket.state = found->left == STATE_LISTEN       ? STATE_LISTEN
				     : socket_has_peer(&found->socket) ? STATE_ESTABLISHED
								       : STATE_UNCONN;
		r = follow_opened(follow, &began);
	}
	struct door *door = doors_find(&follow->doors, found->socket.cookie);
	return r < 0 ? r : tell_closed(follow, found, door);
}

static int established(struct follow *follow, const struct found_event *found)
{
	struct held held = who_of_connection(follow, found, NULL);
	struct telling telling = begin(found, EVENT_ESTABLISHED, &held);
	int r = keep_door(follow, &found->socket, found, &held);
	return r < 0 ? r : follow_tell(follow, &telling);
}

static int ended(struct follow *follow, const struct found_event *found)
{
	struct door *door = doors_find(&follow->doors, found->socket.cookie);
	struct held held = who_of_connection(follow, found, door);
	struct telling telling = begin(found, EVENT_ENDED, &held);
	struct event *event = &telling.event;
	fill_duration(event, door);
	event->bytes_sent = found->sent;
	event->bytes_received = found->received;
	event->how = (uint8_t)how_it_ended(found);
	event->error = found->error;
	if (!telling.socket.role && door)
		telling.socket.role = door->socket.role;
	if (!telling.socket.inode && door)
		telling.socket.inode = door->socket.inode;
	int r = follow_tell(follow, &telling);
	if (door)
		doors_remove(&follow->doors, door);
	return r;
}

static int connect_failed(struct follow *follow, const struct found_event *found)
{
	struct held held = who_of_connection(follow, found, NULL);
	struct telling telling = begin(found, EVENT_CONNECT_FAILED, &held);
	if (!found->error)
		return 0; /* given up by its own process */
	telling.event.error = found->error;
	telling.event.error_sure = SURE_EXACT;
	return follow_tell(follow, &telling);
}

int follow_event(struct follow *follow, const struct found_event *found)
{
	if (found->is_again)
		return follow_try_again(follow, found);
	switch (found->deed) {
	case DEED_CREATED:
		return follow_unnamed(follow, found);
	case DEED_TRIED:
		return follow_tried(follow, found);
	case DEED_BOUND:
		return bound(follow, found);
	case DEED_LISTENING:
		return listening(follow, found);
	case DEED_CLOSED:
		return closed(follow, found);
	case DEED_ESTABLISHED:
		return established(follow, found);
	case DEED_ENDED:
		return ended(follow, found);
	case DEED_CONNECT_FAILED:
		return connect_failed(follow, found);
	default:
		return 0;
	}
}

/* Which question follows which. A greeting is waited for; then, with up to two connections, each
 * protocol asks until an answer is recognised by anyone; then that one converses. TLS starts all
 * over inside. */
#include <errno.h>
#include <string.h>

#include "scan/identify/inquiry.h"
#include "scan/identify/order.h"

#define MS UINT64_C(1000)
#define GREETING_WAIT (100 * MS)
#define ANSWER_WAIT (120 * MS)
#define DATAGRAM_WAIT (300 * MS)
#define PATIENCE (1600 * MS)
#define HANDSHAKE_WAIT (300 * MS) /* of TLS; PATIENCE the second time */
#define DATAGRAM_TALK_WAIT (400 * MS)
#define DATAGRAM_AGAIN_WAIT (900 * MS) /* who counts answers gives another in a second */
#define AGAIN_WAIT (300 * MS)
#define AGAIN_MAX 8
#define TALK_WAIT (5000 * MS)  /* for the next word of one who is recognised */
#define TALK_LIMIT (7000 * MS) /* for all of it */
#define CONNECT_WAIT (1500 * MS)
#define PART_WAIT (700 * MS) /* a message that began and is not whole */
#define SHUT_MAX 4	     /* questions to one who ends the first connection without a word */
#define PATIENT_MAX 6
#define TURNS_MAX 64 /* of one connection before the others have theirs */

static uint64_t bit_of(const struct protocol *protocol)
{
	for (unsigned i = 0; i < n_protocols; i++)
		if (protocols[i] == protocol)
			return UINT64_C(1) << i;
	return 0;
}

static unsigned slot_of(const struct inquiry *inquiry, const struct connection *connection)
{
	return connection == &inquiry->slots[0] ? 0 : 1;
}

/* A question for TLS that is cut short has not been asked. */
static void close_others(struct inquiry *inquiry, const struct connection *but)
{
	for (unsigned i = 0; i < INQUIRY_SLOTS; i++) {
		struct connection *other = &inquiry->slots[i];
		if (other == but)
			continue;
		if (other->fd >= 0 && other->tls && !other->is_shaken)
			inquiry->tls_tried = false;
		connection_close(other);
	}
}

/* What is left when nobody converses any more. */
static void finish(struct inquiry *inquiry)
{
	struct identified *result = &inquiry->result;
	close_others(inquiry, NULL);
	inquiry->phase = PHASE_DONE;
	if (!result->service[0] && result->tls.is_there)
		keep_service(result, protocol_tls.service);
	if (result->service[0])
		result->outcome = IDENTIFY_NAMED;
	else if (inquiry->has_heard)
		result->outcome = IDENTIFY_UNNAMED;
	else if (result->outcome == IDENTIFY_UNASKED)
		result->outcome = inquiry->n_closed > 0 && inquiry->n_silent == 0 ? IDENTIFY_CLOSES
										  : IDENTIFY_SILENT;
}

void inquiry_end(struct inquiry *inquiry, enum identify_outcome outcome)
{
	for (unsigned i = 0; i < INQUIRY_SLOTS; i++) {
		struct connection *connection = &inquiry->slots[i];
		if (connection->fd >= 0 && connection->dialogue.claim &&
		    !inquiry->result.service[0])
			inquiry->result = connection->seen;
	}
	inquiry->result.outcome = outcome;
	finish(inquiry);
}

static void start_dialogue(struct inquiry *inquiry, struct connection *connection)
{
	memset(&connection->seen, 0, sizeof(connection->seen));
	connection->seen.tls = inquiry->result.tls;
	connection->seen.findings = inquiry->place.is_tls ? inquiry->result.findings : 0;
	dialogue_start(&connection->dialogue, connection->in, &inquiry->place, &connection->seen,
		       inquiry->excluded);
}

/* Opens the slot's connection, through TLS where the port speaks it or is asked for it. */
static int open_slot(struct inquiry *inquiry, struct connection *connection, bool with_tls,
		     uint64_t now)
{
	struct tls *tls = NULL;
	if (with_tls) {
		tls = inquiry->tls->open(inquiry->target->name, inquiry->no_alpn ? TLS_OFFER_NOTHING
								: inquiry->place.is_tls
									? TLS_OFFER_HTTP1
									: TLS_OFFER_HTTP2);
		if (!tls)
			return -ENOMEM;
	}
	int r = connection_open(connection, inquiry->target, inquiry->tls, tls, now);
	if (r < 0 && tls)
		inquiry->tls->close(tls);
	connection->owner = inquiry;
	connection->until = now + CONNECT_WAIT + 2 * inquiry->trip;
	return r;
}

static uint64_t answer_wait(const struct inquiry *inquiry)
{
	uint64_t wait = inquiry->place.is_udp ? DATAGRAM_WAIT : ANSWER_WAIT;
	return (inquiry->phase == PHASE_PATIENT ? PATIENCE : wait) + 2 * inquiry->trip;
}

/* The slot asks @protocol over a connection of its own. */
static void ask(struct inquiry *inquiry, unsigned slot, const struct protocol *protocol,
		uint64_t now)
{
	struct connection *connection = &inquiry->slots[slot];
	bool is_tls = protocol == &protocol_tls;
	inquiry->asked[slot] = protocol;
	inquiry->tls_tried |= is_tls;
	start_dialogue(inquiry, connection);
	if (open_slot(inquiry, connection, is_tls || inquiry->place.is_tls, now) < 0) {
		inquiry->n_closed++;
		return;
	}
	dialogue_ask(&connection->dialogue, protocol);
	if (connection->is_udp) {
		connection_say(connection);
		connection->until = now + answer_wait(inquiry);
	}
}

/* The next question for which a slot is free; ends the inquiry where none is left. */
static void go_on(struct inquiry *inquiry, uint64_t now)
{
	unsigned busy = 0;
	for (unsigned slot = 0; slot < INQUIRY_SLOTS; slot++) {
		if (inquiry->phase != PHASE_ASK && inquiry->phase != PHASE_PATIENT)
			return;
		while (inquiry->slots[slot].fd < 0 && inquiry->next < inquiry->n_order)
			ask(inquiry, slot, inquiry->order[inquiry->next++], now);
		busy += inquiry->slots[slot].fd >= 0;
	}
	if (busy > 0)
		return;
	if (inquiry->phase == PHASE_PATIENT || inquiry->silent == 0) {
		finish(inquiry);
		return;
	}
	inquiry->phase = PHASE_PATIENT;
	inquiry->n_order = order_patient(inquiry->order, inquiry->n_order, inquiry->silent,
					 inquiry->place.is_tls	 ? PATIENT_MAX / 3
					 : inquiry->n_closed > 0 ? PATIENT_MAX
								 : PATIENT_MAX / 2);
	inquiry->next = 0;
	inquiry->silent = 0;
	go_on(inquiry, now);
}

static void begin_asking(struct inquiry *inquiry)
{
	inquiry->phase = PHASE_ASK;
	inquiry->n_order = order_questions(inquiry->order, inquiry->target, &inquiry->place,
					   inquiry->tls && !inquiry->tls_tried, inquiry->excluded);
	/* who turns everybody away is not to count twenty guests */
	if (inquiry->is_shut && inquiry->n_order > SHUT_MAX)
		inquiry->n_order = SHUT_MAX;
	inquiry->next = 0;
}

/* A slot's question is over without an answer that anyone knows. */
static void unanswered(struct inquiry *inquiry, struct connection *connection, uint64_t now)
{
	connection_close(connection);
	if (inquiry->phase == PHASE_LISTEN)
		begin_asking(inquiry);
	if (inquiry->phase == PHASE_CONVERSE)
		inquiry->phase = PHASE_ASK;
	go_on(inquiry, now);
}

/* The conversation goes on over a new connection; what it has seen so far stays. */
static void converse_anew(struct inquiry *inquiry, struct connection *connection, uint64_t now)
{
	connection_close(connection);
	close_others(inquiry, NULL);
	inquiry->phase = PHASE_CONVERSE;
	dialogue_renew(&connection->dialogue);
	if (open_slot(inquiry, connection, inquiry->place.is_tls, now) < 0) {
		inquiry->result = connection->seen;
		finish(inquiry);
		return;
	}
	if (connection->is_udp) {
		connection_say(connection);
		connection->until = now + DATAGRAM_TALK_WAIT + 2 * inquiry->trip;
	}
}

/* The port speaks TLS, or may: asked for it next, on a connection of its own. */
static void turn_to_tls(struct inquiry *inquiry, uint64_t now)
{
	close_others(inquiry, NULL);
	inquiry->phase = PHASE_ASK;
	inquiry->next = inquiry->n_order = 0;
	inquiry->silent = 0;
	ask(inquiry, 0, &protocol_tls, now);
	go_on(inquiry, now);
}

static void done(struct inquiry *inquiry, struct connection *connection, uint64_t now)
{
	bool says_tls = connection->dialogue.claim == &protocol_tls;
	bool tls_too = connection->dialogue.talk.tls_too && !inquiry->place.is_tls;
	inquiry->result = connection->seen;
	close_others(inquiry, connection);
	if ((says_tls || tls_too) && inquiry->tls && !inquiry->tls_tried) {
		turn_to_tls(inquiry, now);
		return;
	}
	if (says_tls)
		inquiry->result.tls.is_there = true;
	inquiry->parted = connection_part(connection);
	finish(inquiry);
}

/* The first connection, on which a greeting is waited for. */
static void listen_first(struct inquiry *inquiry, uint64_t now)
{
	inquiry->phase = PHASE_LISTEN;
	inquiry->silent = 0;
	start_dialogue(inquiry, &inquiry->slots[0]);
	if (open_slot(inquiry, &inquiry->slots[0], inquiry->place.is_tls, now) < 0) {
		if (inquiry->n_closed == 0 && !inquiry->has_heard)
			inquiry->result.outcome = IDENTIFY_REFUSED;
		finish(inquiry);
	}
}

/* It was not @but after all: once more, without it. */
static void start_over(struct inquiry *inquiry, const struct protocol *but, uint64_t now)
{
	close_others(inquiry, NULL);
	inquiry->excluded |= bit_of(but);
	if (!inquiry->place.is_udp) {
		listen_first(inquiry, now);
		return;
	}
	begin_asking(inquiry);
	go_on(inquiry, now);
}

/* The server awaits a handshake on the same connection. */
static void begin_tls(struct inquiry *inquiry, struct connection *connection, uint64_t now)
{
	struct tls *tls =
		inquiry->tls ? inquiry->tls->open(inquiry->target->name, TLS_OFFER_NOTHING) : NULL;
	close_others(inquiry, connection);
	inquiry->phase = PHASE_CONVERSE;
	if (!tls) {
		done(inquiry, connection, now);
		return;
	}
	connection_secure(connection, inquiry->tls, tls);
	connection->until = now + PATIENCE + 2 * inquiry->trip;
}

/* Its server begins only now, it seems: some say so for a while. */
static void wait_till_ready(struct inquiry *inquiry, struct connection *connection, uint64_t now)
{
	if (inquiry->n_again++ >= AGAIN_MAX) {
		done(inquiry, connection, now);
		return;
	}
	close_others(inquiry, connection);
	inquiry->phase = PHASE_CONVERSE;
	connection->until = now + AGAIN_WAIT;
}

/* What the dialogue has come to. */
static void judge(struct inquiry *inquiry, struct connection *connection, uint64_t now)
{
	struct dialogue *dialogue = &connection->dialogue;
	switch (dialogue->state) {
	case DIALOGUE_OPEN:
		connection_say(connection);
		if (dialogue->claim) {
			uint64_t limit = connection->opened + TALK_LIMIT;
			close_others(inquiry, connection);
			inquiry->phase = PHASE_CONVERSE;
			connection->until = now + TALK_WAIT < limit ? now + TALK_WAIT : limit;
		} else if (dialogue->n > 0 && connection->until < connection->heard + PART_WAIT) {
			uint64_t limit = connection->connected + answer_wait(inquiry) + PART_WAIT;
			connection->until = now + PART_WAIT < limit ? now + PART_WAIT : limit;
		}
		break;
	case DIALOGUE_CLAIMED:
	case DIALOGUE_FRESH:
		converse_anew(inquiry, connection, now);
		break;
	case DIALOGUE_AGAIN:
		wait_till_ready(inquiry, connection, now);
		break;
	case DIALOGUE_TLS:
		begin_tls(inquiry, connection, now);
		break;
	case DIALOGUE_DONE:
		done(inquiry, connection, now);
		break;
	case DIALOGUE_NOBODY:
		inquiry->has_heard |= dialogue->n_all > 0;
		if (dialogue->claim == &protocol_http2) /* it stays one, when no more is found */
			inquiry->result = connection->seen;
		if (dialogue->claim)
			start_over(inquiry, dialogue->claim, now);
		else
			unanswered(inquiry, connection, now);
		break;
	}
}

static void connected(struct inquiry *inquiry, struct connection *connection, uint64_t now)
{
	if (inquiry->trip == 0)
		inquiry->trip = now - connection->opened + 1;
	connection->until = now + (inquiry->phase == PHASE_LISTEN ? GREETING_WAIT + inquiry->trip
				   : inquiry->phase == PHASE_CONVERSE ? TALK_WAIT
								      : answer_wait(inquiry));
	if (connection->tls)
		connection->until =
			now + 2 * inquiry->trip +
			(inquiry->phase == PHASE_ASK && !inquiry->place.is_tls ? HANDSHAKE_WAIT
									       : PATIENCE);
	connection_say(connection);
}

/* The handshake is done: of the port's first TLS, or of a later connection's. */
static void shaken(struct inquiry *inquiry, struct connection *connection, uint64_t now,
		   int64_t seconds)
{
	if (connection->is_upgraded) {
		inquiry->tls->describe(connection->tls, seconds, &connection->seen.tls,
				       &connection->seen.findings);
		connection->seen.tls.is_upgraded = true;
		dialogue_secured(&connection->dialogue);
		judge(inquiry, connection, now);
		return;
	}
	if (inquiry->place.is_tls) {
		connection->until =
			now + (inquiry->phase == PHASE_CONVERSE ? TALK_WAIT : answer_wait(inquiry));
		connection_say(connection);
		return;
	}
	close_others(inquiry, connection);
	memset(&inquiry->result, 0, sizeof(inquiry->result));
	inquiry->tls->describe(connection->tls, seconds, &inquiry->result.tls,
			       &inquiry->result.findings);
	inquiry->place.is_tls = true;
	inquiry->excluded = inquiry->silent = 0;
	inquiry->phase = PHASE_LISTEN;
	start_dialogue(inquiry, connection);
	connection->until = now + GREETING_WAIT + inquiry->trip;
	if (inquiry->tls->is_h2(connection->tls)) {
		dialogue_ask(&connection->dialogue, &protocol_http2);
		connection->until = now + TALK_WAIT;
		connection_say(connection);
	}
}

/* The peer's end. */
static void ended(struct inquiry *inquiry, struct connection *connection, uint64_t now)
{
	struct dialogue *dialogue = &connection->dialogue;
	if (dialogue->state == DIALOGUE_AGAIN)
		return; /* it is asked over another one */
	if (dialogue->n > 0 || dialogue->claim) {
		if (dialogue->state == DIALOGUE_OPEN)
			dialogue_end(dialogue);
		judge(inquiry, connection, now);
		return;
	}
	inquiry->n_closed++;
	inquiry->is_shut |= inquiry->phase == PHASE_LISTEN && !inquiry->place.is_tls;
	unanswered(inquiry, connection, now);
}

static void failed(struct inquiry *inquiry, struct connection *connection, uint64_t now,
		   int64_t seconds)
{
	if (connection->is_upgraded) { /* what was said before the handshake stays */
		inquiry->result = connection->seen;
		finish(inquiry);
		return;
	}
	bool was_first = inquiry->phase == PHASE_LISTEN && !connection->is_connected;
	if (connection->heard_tls && !inquiry->place.is_tls) { /* it speaks TLS, but not with us */
		if (!inquiry->no_alpn) {
			inquiry->no_alpn = true;
			turn_to_tls(inquiry, now);
			return;
		}
		memset(&inquiry->result, 0, sizeof(inquiry->result));
		inquiry->tls->describe(connection->tls, seconds, &inquiry->result.tls,
				       &inquiry->result.findings);
		finish(inquiry);
		return;
	}
	if (was_first) {
		inquiry->result.outcome = IDENTIFY_REFUSED;
		finish(inquiry);
		return;
	}
	ended(inquiry, connection, now);
}

bool inquiry_ready(struct inquiry *inquiry, struct connection *connection, uint64_t now,
		   int64_t seconds)
{
	enum came came = CAME_PART;
	for (unsigned turns = 0; turns < TURNS_MAX && inquiry->phase != PHASE_DONE; turns++) {
		came = connection_step(connection, now);
		if (came == CAME_NOTHING)
			break;
		if (came == CAME_PART)
			continue;
		if (came == CAME_CONNECTED)
			connected(inquiry, connection, now);
		else if (came == CAME_SHAKEN)
			shaken(inquiry, connection, now, seconds);
		else if (came == CAME_BYTES)
			judge(inquiry, connection, now);
		else if (came == CAME_END)
			ended(inquiry, connection, now);
		else
			failed(inquiry, connection, now, seconds);
	}
	if (inquiry->phase == PHASE_DONE || connection->fd < 0)
		return false;
	if (connection->n_out > 0)
		connection_say(connection);
	return came != CAME_NOTHING;
}

/* A silent first connection is not thrown away: the first question goes over it, where that needs
 * no handshake before. */
static void ask_on_first(struct inquiry *inquiry, struct connection *connection, uint64_t now)
{
	begin_asking(inquiry);
	for (unsigned i = 0; i < inquiry->n_order; i++) {
		const struct protocol *protocol = inquiry->order[i];
		if (protocol == &protocol_tls)
			continue;
		memmove(inquiry->order + 1, inquiry->order, i * sizeof(inquiry->order[0]));
		inquiry->order[0] = protocol;
		inquiry->next = 1;
		inquiry->asked[slot_of(inquiry, connection)] = protocol;
		dialogue_ask(&connection->dialogue, protocol);
		connection->until = now + answer_wait(inquiry);
		connection_say(connection);
		break;
	}
	go_on(inquiry, now);
}

void inquiry_late(struct inquiry *inquiry, struct connection *connection, uint64_t now)
{
	struct dialogue *dialogue = &connection->dialogue;
	if (dialogue->state == DIALOGUE_AGAIN) {
		converse_anew(inquiry, connection, now);
		return;
	}
	if (connection->is_udp && dialogue->claim && connection_repeat(connection)) {
		connection->until = now + DATAGRAM_AGAIN_WAIT + 2 * inquiry->trip;
		return;
	}
	if (!connection->is_connected || (connection->tls && !connection->is_shaken)) {
		if (inquiry->phase == PHASE_LISTEN && !connection->tls) {
			inquiry_end(inquiry, IDENTIFY_TIMED_OUT);
			return;
		}
		inquiry->n_silent++;
		if (inquiry->asked[slot_of(inquiry, connection)])
			inquiry->silent |= bit_of(inquiry->asked[slot_of(inquiry, connection)]);
		if (inquiry->phase == PHASE_CONVERSE) {
			inquiry->result = connection->seen;
			finish(inquiry);
			return;
		}
		unanswered(inquiry, connection, now);
		return;
	}
	if (dialogue->n_all > 0 || dialogue->claim) {
		dialogue_end(dialogue);
		judge(inquiry, connection, now);
		return;
	}
	if (inquiry->phase == PHASE_LISTEN && !dialogue->asked) {
		ask_on_first(inquiry, connection, now);
		return;
	}
	inquiry->n_silent++;
	if (dialogue->asked)
		inquiry->silent |= bit_of(dialogue->asked);
	unanswered(inquiry, connection, now);
}

void inquiry_start(struct inquiry *inquiry, uint64_t now)
{
	const struct identify_target *target = inquiry->target;
	size_t n = ip_format(inquiry->place.host, &target->address, ip_is_mapped(&target->address));
	inquiry->place.host[n] = '\0';
	if (target->name && strlen(target->name) < sizeof(inquiry->place.host))
		KEEP(inquiry->place.host, target->name, strlen(target->name));
	bool is_v6 = strchr(inquiry->place.host, ':') != NULL;
	snprintf(inquiry->place.authority, sizeof(inquiry->place.authority), "%s%s%s",
		 is_v6 ? "[" : "", inquiry->place.host, is_v6 ? "]" : "");
	inquiry->place.can_tls = inquiry->tls != NULL;
	inquiry->place.is_udp = target->proto == PROTO_UDP;
	inquiry->place.number = (uint32_t)now; /* differs from call to call; no secret */
	inquiry->slots[0].fd = inquiry->slots[1].fd = inquiry->parted = -1;
	inquiry->phase = PHASE_LISTEN;
	if (inquiry->place.is_udp) {
		begin_asking(inquiry);
		go_on(inquiry, now);
		return;
	}
	listen_first(inquiry, now);
}

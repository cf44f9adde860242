/* MQTT 3.1.1 (OASIS): CONNECT without a name, the broker's version topic, DISCONNECT. */
#include <string.h>

#include "scan/identify/protocol.h"

enum { STEP_CONNACK, STEP_MESSAGES };

static void hello(struct talk *talk)
{
	static const uint8_t connect[] = {0x10, 12, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 30, 0, 0};
	say_bytes(talk, connect, sizeof(connect));
}

static enum verdict recognise(struct look *look)
{
	look->want = 4;
	if (look->in[0] != 0x20 || look->asked != &protocol_mqtt)
		return VERDICT_NOT;
	if (look->n < 4)
		return VERDICT_MORE;
	return look->in[1] == 2 && look->in[2] <= 1 && look->in[3] <= 5 ? VERDICT_MINE
									: VERDICT_NOT;
}

static enum verdict read_connack(struct talk *talk)
{
	static const char topic[] = "$SYS/broker/version";
	talk->want = 4;
	if (talk->n < 4)
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	mark_clear(talk);
	if (talk->in[3] != 1)
		KEEP(talk->seen->protocol_version, "3.1.1", 5);
	talk->taken = 4;
	if (talk->in[3] != 0)
		return VERDICT_DONE;
	talk->seen->findings |= FINDING(NO_PASSWORD);
	say_bytes(talk, (uint8_t[]){0x82, 5 + sizeof(topic) - 1, 0, 1, 0, sizeof(topic) - 1}, 6);
	say_text(talk, topic);
	say_bytes(talk, (uint8_t[]){0, 0xc0, 0}, 3); /* quality 0; then a ping, answered last */
	talk->step = STEP_MESSAGES;
	talk->want = 2;
	return VERDICT_MORE;
}

/* The remaining length: 7 bits a byte, the lowest first, at most four. False: more is needed. */
static bool read_length(const struct talk *talk, size_t *length, size_t *header)
{
	*length = 0;
	for (size_t i = 1; i < talk->n && i <= 4; i++) {
		*length |= (size_t)(talk->in[i] & 0x7f) << 7 * (i - 1);
		*header = i + 1;
		if (!(talk->in[i] & 0x80))
			return true;
	}
	return false;
}

static void read_publish(struct talk *talk, const uint8_t *in, size_t n)
{
	static const char said[] = " version ";
	size_t topic = n >= 2 ? (size_t)(in[0] << 8 | in[1]) : 0;
	if (topic + 2 > n)
		return;
	const char *text = (const char *)in + 2 + topic;
	size_t left = n - 2 - topic;
	const char *at = find_text(text, left, said);
	if (at) { /* "mosquitto version 2.0.11" */
		KEEP(talk->seen->product, text, (size_t)(at - text));
		at += strlen(said);
		KEEP(talk->seen->version, at, left - (size_t)(at - text));
	} else {
		KEEP(talk->seen->version, text, left);
	}
}

static enum verdict converse(struct talk *talk)
{
	size_t length = 0, header = 2;
	if (talk->step == STEP_CONNACK)
		return read_connack(talk);
	talk->want = talk->n + 1;
	if (!read_length(talk, &length, &header))
		return talk->ended || talk->n > 4 ? VERDICT_DONE : VERDICT_MORE;
	talk->want = header + length;
	if (talk->n < talk->want)
		return talk->ended ? VERDICT_DONE : VERDICT_MORE;
	talk->taken = talk->want;
	talk->want = 2;
	uint8_t kind = talk->in[0] >> 4;
	if (kind == 3)
		read_publish(talk, talk->in + header, length);
	if (kind != 3 && kind != 13)
		return VERDICT_MORE;
	say_bytes(talk, (uint8_t[]){0xe0, 0}, 2);
	return VERDICT_DONE;
}

const struct protocol protocol_mqtt = {
	.service = "mqtt",
	.ports = {1883, 8883},
	.over_tcp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a server said, fed to a dialogue in pieces: for the unit test and the fuzzer alike. */
#ifndef REPLAY_DIALOGUE_H
#define REPLAY_DIALOGUE_H

#include <string.h>

#include "scan/identify/dialogue.h"

#define SECTIONS_MAX 16
#define SAID_MAX 65536

struct section { /* one connection, or one datagram */
	const struct protocol *asked;
	const uint8_t *bytes;
	size_t n;
};

struct replayed {
	struct identified seen;
	enum dialogue_state state;
	size_t n_said;
	uint8_t said[SAID_MAX];
};

/* How long the @i-th piece is; 0: the rest. */
typedef size_t piece_length(size_t i, size_t argument);

static inline void keep_said(struct dialogue *dialogue, struct replayed *ret)
{
	size_t n = dialogue->talk.n_say;
	if (n <= SAID_MAX - ret->n_said) {
		memcpy(ret->said + ret->n_said, dialogue->talk.say, n);
		ret->n_said += n;
	}
	dialogue->talk.n_say = 0;
}

static inline void feed_section(struct dialogue *dialogue, const struct section *section,
				piece_length *length, size_t argument, struct replayed *ret)
{
	size_t at = 0;
	for (size_t i = 0; at < section->n && dialogue->state == DIALOGUE_OPEN; i++) {
		size_t n = length ? length(i, argument) : 0, room = dialogue_room(dialogue);
		if (n == 0 || n > section->n - at)
			n = section->n - at;
		n = n < room ? n : room;
		dialogue_feed(dialogue, section->bytes + at, n);
		keep_said(dialogue, ret);
		at += n;
	}
	if (dialogue->state == DIALOGUE_OPEN)
		dialogue_end(dialogue);
	keep_said(dialogue, ret);
}

static inline void replay_dialogue(const struct section *sections, size_t n,
				   const struct place *place, piece_length *length, size_t argument,
				   struct replayed *ret)
{
	static uint8_t in[MESSAGE_MAX];
	static struct dialogue dialogue;
	uint64_t excluded = 0;
	memset(ret, 0, sizeof(*ret));
	memset(in, 0, sizeof(in));
	dialogue.state = DIALOGUE_NOBODY;
	for (size_t i = 0; i < n && dialogue.state != DIALOGUE_DONE; i++) {
		if (dialogue.state == DIALOGUE_NOBODY) {
			memset(&ret->seen, 0, sizeof(ret->seen));
			dialogue_start(&dialogue, in, place, &ret->seen, excluded);
			if (sections[i].asked)
				dialogue_ask(&dialogue, sections[i].asked);
		} else if (dialogue.state == DIALOGUE_TLS) {
			dialogue_secured(&dialogue);
		} else {
			dialogue_renew(&dialogue);
		}
		keep_said(&dialogue, ret);
		feed_section(&dialogue, &sections[i], length, argument, ret);
		for (unsigned p = 0; p < n_protocols; p++)
			if (dialogue.state == DIALOGUE_NOBODY && dialogue.claim == protocols[p])
				excluded |= UINT64_C(1) << p;
	}
	ret->state = dialogue.state;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a record of the ring of events. */
#include <assert.h>
#include <string.h>

#include "source/bpf/events.h"

static int take_event(struct event_reader *reader, const struct found_event *found)
{
	(void)reader;
	assert(found->deed >= DEED_CREATED && found->deed < DEED_MAX);
	assert(found->socket.proto < PROTO_MAX && found->socket.family < FAMILY_MAX);
	assert(found->socket.state && found->socket.state < STATE_MAX);
	assert(found->holder.pid >= 0 && found->closer.pid >= 0 && found->left < STATE_MAX);
	return 0;
}

static int take_process(struct event_reader *reader, const struct found_process *found)
{
	(void)reader;
	assert(found->actor.pid > 0 && found->ppid >= 0 && found->parent.pid >= 0);
	if (found->parent.pid)
		return 0;
	assert(strlen(found->name) <= 16 && found->group[0] == '/');
	assert(!found->exe || found->exe[0] == '/');
	char last = found->n_cmdline ? found->cmdline[found->n_cmdline - 1] : 0;
	(void)last;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct event_reader reader = {take_event, take_process};
	int r = event_parse(data, n, &reader);
	assert(r <= 0);
	return 0;
}

/* Events in a program that was built without BPF: there are none, and who asks is told so. */
#include <errno.h>

#include "source/bpf/events.h"

#ifndef HAVE_BPF
bool events_try(const struct host *host, struct facility *ret)
{
	return events_probe(host, ret);
}

int events_open(const struct host *host unused_argument,
		const struct events_wish *wish unused_argument, struct events **ret unused_argument,
		struct error *err)
{
	return error_text(err, -ENOTSUP, "this program was built without BPF");
}

void events_close(struct events *events unused_argument)
{
}

bool events_was_pinned(const struct events *events unused_argument)
{
	return false;
}

const char *events_blindness(const struct events *events unused_argument)
{
	return "";
}

int events_fd(const struct events *events unused_argument)
{
	return -1;
}

int events_short_fd(const struct events *events unused_argument)
{
	return -1;
}

int events_read(struct events *events unused_argument, uint32_t limit unused_argument,
		struct event_reader *reader unused_argument)
{
	return 0;
}

bool events_sleep(struct events *events unused_argument)
{
	return true;
}

uint64_t events_position(const struct events *events unused_argument)
{
	return 0;
}

void events_narrow(struct events *events unused_argument, uint64_t netns unused_argument)
{
}

uint64_t events_ring(const struct events *events unused_argument)
{
	return 0;
}

void events_acknowledge(struct events *events unused_argument, uint64_t position unused_argument)
{
}

void events_skip(struct events *events unused_argument, uint64_t position unused_argument,
		 uint64_t undecided unused_argument)
{
}

uint64_t events_take_lost(struct events *events unused_argument)
{
	return 0;
}
#endif

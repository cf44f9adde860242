/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A history whose bytes are anything: opened, and asked all that it may be asked. The input is a
 * list of changes to a file that the recorder made: 2 bytes page, 2 bytes place, 1 byte value; a
 * page of 65535 cuts the file there. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "../unit/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAGE 4096

struct made {
	char *bytes;
	size_t n;
	char path[64];
};

static void must(bool is)
{
	if (!is)
		abort();
}

static void some_events(struct fed *fed)
{
	uint32_t process = made_process(fed->snapshot, 10, 1, "nginx", "nginx.service"),
		 door = made_socket(fed->snapshot, PROTO_TCP, STATE_LISTEN, "0.0.0.0:80", NULL),
		 way = made_socket(fed->snapshot, PROTO_TCP, STATE_ESTABLISHED, "203.0.113.9:80",
				   "198.51.100.7:40000");
	made_hold(fed->snapshot, door, process, 6);
	made_hold(fed->snapshot, door, process, 7);
	made_hold(fed->snapshot, way, process, 9);
	hand(fed, EVENT_STANDING, door);
	hand(fed, EVENT_STARTED, NONE);
	for (unsigned i = 0; i < 40; i++) {
		made_at(fed->snapshot, way)->cookie = 1000 + i;
		hand(fed, EVENT_ESTABLISHED, way);
		later(fed, SECOND);
		if (i % 4)
			hand(fed, EVENT_ENDED, way);
		struct event refused = event_of(fed, EVENT_REFUSED, way);
		refused.in_the_way = door;
		hand_event(fed, &refused);
	}
	struct event gap = event_of(fed, EVENT_GAP, NONE);
	gap.duration_ns = SECOND;
	hand_event(fed, &gap);
	fed->ahead -= 100 * SECOND;
	later(fed, SECOND);
}

static struct made make(void)
{
	struct made made = {.n = 0};
	struct fed fed;
	feed_init(&fed);
	must_start(&fed);
	some_events(&fed);
	stop_recorder(&fed);
	int fd = open(fed.path, O_RDONLY);
	struct stat status;
	must(fd >= 0 && fstat(fd, &status) == 0);
	made.n = (size_t)status.st_size;
	made.bytes = malloc(made.n);
	must(made.bytes && pread(fd, made.bytes, made.n, 0) == (ssize_t)made.n);
	close(fd);
	feed_done(&fed);
	snprintf(made.path, sizeof(made.path), "/dev/shm/doorward-fuzz-%d.db", getpid());
	return made;
}

static int drop_event(struct event_sink *sink, const struct event *event)
{
	(void)sink;
	char text[EVENT_TIME_MAX];
	event_time_text(event->time_ns, text);
	return 0;
}

static void ask_all(struct archive *archive)
{
	const struct history *history = doorward_module.functions;
	const uint64_t moments[] = {CLOCK + 1000 * SECOND, CLOCK + 1020 * SECOND, UINT64_MAX, 1};
	struct error err = {.code = 0};
	struct event_sink sink = {.event = drop_event};
	struct history_status status;
	struct filter *filter = NULL;
	must(filter_parse("port = 80 or process ~ x", NULL, &filter, &err) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
		const struct recall recall = {.filter = i % 2 ? filter : NULL,
					      .since_ns = moments[i],
					      .limit = 10,
					      .now_ns = CLOCK + 2000 * SECOND,
					      .is_all_states = true};
		struct snapshot *snapshot = NULL;
		if (history->snapshot_at(archive, moments[i], &recall, &snapshot, &err) == 0)
			snapshot_free(snapshot);
		struct remembered remembered[4];
		for (size_t k = 0; k < ARRAY_SIZE(remembered); k++)
			remembered_init(&remembered[k]);
		history->intervals(archive, &recall, &remembered[0], &err);
		history->first_seen(archive, &recall, &remembered[1], &err);
		history->changes(archive, &recall, &remembered[2], &err);
		history->idle(archive, &recall, SECOND, &remembered[3], &err);
		for (size_t k = 0; k < ARRAY_SIZE(remembered); k++)
			remembered_done(&remembered[k]);
		history->replay(archive, &recall, UINT64_MAX, &sink, &err);
	}
	history->status(archive, &status, &err);
	filter_free(filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct made made;
	if (!made.bytes)
		made = make();
	cleanup(freep) char *bytes = malloc(made.n);
	must(bytes != NULL);
	memcpy(bytes, made.bytes, made.n);
	size_t n = made.n;
	for (size_t i = 0; i + 5 <= size; i += 5) {
		unsigned page = data[i] << 8 | data[i + 1], place = data[i + 2] << 8 | data[i + 3];
		if (page == UINT16_MAX)
			n = (size_t)place * made.n / UINT16_MAX;
		else
			bytes[((size_t)(page % (made.n / PAGE)) * PAGE + place % PAGE)] =
				(char)data[i + 4];
	}
	int fd = open(made.path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
	must(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
	close(fd);
	struct archive *archive = NULL;
	struct error err = {.code = 0};
	const struct history *history = doorward_module.functions;
	if (history->open(made.path, &archive, &err) == 0) {
		ask_all(archive);
		history->close(archive);
	}
	const char *const beside[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < ARRAY_SIZE(beside); i++) {
		char name[96];
		snprintf(name, sizeof(name), "%s%s", made.path, beside[i]);
		unlink(name);
	}
	return 0;
}

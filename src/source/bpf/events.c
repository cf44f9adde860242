/* The programs of bpf/events.bpf.c: loaded, attached, pinned, and their ring read. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "base/clock.h"
#include "source/bpf/events.h"
#include "source/bpf/pass.h"
#include "source/bpf/two-rings.h"
#include "source/cgroup-root.h"

bool events_probe(const struct host *host, struct facility *ret)
{
	*ret = (struct facility){.name = "bpf events", .gives = "what happens, as it happens"};
	return pass_possible(host, ret);
}

#ifdef HAVE_BPF
#include "bpf/event.h"
#include "events.skel.h"

/* Which programs there are; those of the control group last. */
enum link {
	LINK_STATE_FIRST,
	LINK_STATE_SECOND,
	LINK_BEGAN,
	LINK_FORKED,
	LINK_CREATED,
	LINK_RELEASED,
	LINK_TRIED_V4,
	LINK_TRIED_V6,
	LINK_BOUND_V4,
	LINK_BOUND_V6,
	LINK_MAX,
};
#define LINK_FIRST_OF_GROUP LINK_CREATED

static const struct {
	const char *name;
	uint32_t type; /* enum bpf_attach_type, of the control group's */
} link_kinds[LINK_MAX] = {
	[LINK_STATE_FIRST] = {"state-first", 0},
	[LINK_STATE_SECOND] = {"state-second", 0},
	[LINK_BEGAN] = {"began", 0},
	[LINK_FORKED] = {"forked", 0},
	[LINK_CREATED] = {"created", BPF_CGROUP_INET_SOCK_CREATE},
	[LINK_RELEASED] = {"released", BPF_CGROUP_INET_SOCK_RELEASE},
	[LINK_TRIED_V4] = {"tried-v4", BPF_CGROUP_INET4_BIND},
	[LINK_TRIED_V6] = {"tried-v6", BPF_CGROUP_INET6_BIND},
	[LINK_BOUND_V4] = {"bound-v4", BPF_CGROUP_INET4_POST_BIND},
	[LINK_BOUND_V6] = {"bound-v6", BPF_CGROUP_INET6_POST_BIND},
};

struct events {
	int links[LINK_MAX];		 /* -1: not attached */
	int ring, short_ring, variables; /* maps; without a short ring -1 */
	int first;			 /* the program state_first, for what it was kept from */
	int pins;			 /* the folder, locked; -1 */
	bool was_pinned, acknowledges;
	struct bpf_events_memory *memory;
	struct two_rings reading;
	uint64_t taken;	    /* events before that place were handed on by an earlier reader */
	uint64_t undecided; /* but those from there on are handed again, as such */
	uint64_t kept_from; /* nested calls of the first copy, as of the turn before */
	char blindness[128];
};

static int bpf_call(int command, union bpf_attr *attributes)
{
	int r = (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
	return r < 0 ? -errno : r;
}

static uint64_t address_of(const void *pointer)
{
	return (uint64_t)(uintptr_t)pointer;
}

/* ---- attaching ---- */

static int attach_tracepoint(int program)
{
	union bpf_attr attributes = {.raw_tracepoint = {.prog_fd = (uint32_t)program}};
	return bpf_call(BPF_RAW_TRACEPOINT_OPEN, &attributes);
}

static int attach_group(int program, int group, uint32_t type)
{
	union bpf_attr attributes = {.link_create = {.prog_fd = (uint32_t)program,
						     .target_fd = (uint32_t)group,
						     .attach_type = type}};
	return bpf_call(BPF_LINK_CREATE, &attributes);
}

static int attach_tracepoints(struct events *events, const int *programs)
{
	for (enum link i = 0; i < LINK_FIRST_OF_GROUP; i++) {
		events->links[i] = attach_tracepoint(programs[i]);
		if (events->links[i] < 0)
			return events->links[i];
	}
	return 0;
}

static int attach_groups(const struct host *host, struct events *events, const int *programs)
{
	cleanup(closep) int group = cgroup_root_open(host);
	int r = group < 0 ? group : 0;
	for (enum link i = LINK_FIRST_OF_GROUP; r >= 0 && i < LINK_MAX; i++)
		r = events->links[i] = attach_group(programs[i], group, link_kinds[i].type);
	return r < 0 ? r : 0;
}

static void destroyp(struct events_bpf **program)
{
	if (*program)
		events_bpf__destroy(*program);
}

static int load(size_t ring_size, struct events_bpf **ret)
{
	*ret = events_bpf__open();
	if (!*ret)
		return -ENOMEM;
	if (ring_size)
		(*ret)->maps.ring.max_entries = (uint32_t)ring_size;
	return events_bpf__load(*ret);
}

static int duplicate(int fd)
{
	int r = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return r < 0 ? -errno : r;
}

/* Its records are for the next reader too, or of a size that was asked for: there is one ring. */
static bool is_kept(const struct events_wish *wish)
{
	return wish->pin_path || wish->acknowledges || wish->ring_size;
}

static int open_anew(const struct host *host, const struct events_wish *wish, struct events *events)
{
	cleanup(destroyp) struct events_bpf *program = NULL;
	int r = load(wish->ring_size, &program);
	if (r < 0)
		return r;
	const int programs[LINK_MAX] = {
		[LINK_STATE_FIRST] = program->progs.state_first.prog_fd,
		[LINK_STATE_SECOND] = program->progs.state_second.prog_fd,
		[LINK_BEGAN] = program->progs.began.prog_fd,
		[LINK_FORKED] = program->progs.forked.prog_fd,
		[LINK_CREATED] = program->progs.created.prog_fd,
		[LINK_RELEASED] = program->progs.released.prog_fd,
		[LINK_TRIED_V4] = program->progs.tried_v4.prog_fd,
		[LINK_TRIED_V6] = program->progs.tried_v6.prog_fd,
		[LINK_BOUND_V4] = program->progs.bound_v4.prog_fd,
		[LINK_BOUND_V6] = program->progs.bound_v6.prog_fd,
	};
	_Static_assert(sizeof(*program->bss) == sizeof(*events->memory), "one layout");
	program->bss->memory.shared.wanted = wish->deeds;
	program->bss->memory.shared.netns = (uint32_t)wish->netns;
	events->ring = duplicate(program->maps.ring.map_fd);
	if (!is_kept(wish))
		events->short_ring = duplicate(program->maps.short_ring.map_fd);
	else
		program->bss->memory.shared.spill = 1;
	events->variables = duplicate(program->maps.bss.map_fd);
	events->first = duplicate(programs[LINK_STATE_FIRST]);
	if (events->ring < 0 || events->variables < 0 || events->first < 0 ||
	    (events->short_ring < 0 && !is_kept(wish)))
		return -EMFILE;
	r = attach_tracepoints(events, programs);
	if (r < 0)
		return r;
	r = attach_groups(host, events, programs);
	program->bss->memory.shared.group_error = r;
	program->bss->memory.shared.made_ns = clock_uptime_ns();
	program->bss->memory.shared.version = BPF_EVENTS_VERSION;
	return 0;
}

/* ---- the ring ---- */

static int map_size(int map, size_t *ret)
{
	struct bpf_map_info info = {0};
	union bpf_attr attributes = {.info = {.bpf_fd = (uint32_t)map,
					      .info_len = sizeof(info),
					      .info = address_of(&info)}};
	int r = bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attributes);
	*ret = info.max_entries;
	return r;
}

static int map_memory(struct events *events)
{
	size_t size = 0;
	int r = map_size(events->ring, &size);
	if (r < 0)
		return r;
	void *memory = mmap(NULL, sizeof(*events->memory), PROT_READ | PROT_WRITE, MAP_SHARED,
			    events->variables, 0);
	if (memory == MAP_FAILED)
		return -errno;
	events->memory = memory;
	r = ringbuf_open(events->ring, size, &events->reading.ring);
	if (r < 0 || events->short_ring < 0)
		return r;
	events->reading.spill = (uint64_t *)&events->memory->shared.spill;
	return ringbuf_open(events->short_ring, BPF_EVENTS_SHORT_RING, &events->reading.brief);
}

struct taking {
	const struct events *events;
	struct event_reader *reader;
};

struct again {
	struct event_reader reader;
	struct event_reader *to;
};

static int hand_again(struct event_reader *reader, const struct found_event *found)
{
	struct event_reader *to = ((struct again *)reader)->to;
	struct found_event again = *found;
	again.is_again = true;
	return to->event(to, &again);
}

static int take_record(void *data, const void *bytes, size_t n)
{
	const struct taking *taking = data;
	const struct events *events = taking->events;
	uint64_t at = events->reading.ring.at;
	if (at >= events->taken || !n || *(const uint8_t *)bytes >= DEED_MAX)
		return event_parse(bytes, n, taking->reader);
	if (at < events->undecided)
		return 0;
	struct again again = {.reader = {.event = hand_again}, .to = taking->reader};
	return event_parse(bytes, n, &again.reader);
}

int events_read(struct events *events, uint32_t limit, struct event_reader *reader)
{
	struct taking taking = {events, reader};
	return two_rings_read(&events->reading, limit, !events->acknowledges, take_record, &taking);
}

uint64_t events_position(const struct events *events)
{
	return events->reading.ring.at;
}

void events_narrow(struct events *events, uint64_t netns)
{
	events->memory->shared.netns = (uint32_t)netns;
}

uint64_t events_ring(const struct events *events)
{
	return events->memory->shared.made_ns;
}

void events_acknowledge(struct events *events, uint64_t position)
{
	ringbuf_acknowledge(&events->reading.ring, position);
}

void events_skip(struct events *events, uint64_t position, uint64_t undecided)
{
	if (position > ringbuf_end(&events->reading.ring))
		return;
	events->taken = position;
	events->undecided = undecided;
}

bool events_sleep(struct events *events)
{
	__atomic_store_n(&events->memory->shared.sleeps, 1, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!two_rings_waiting(&events->reading))
		return true;
	__atomic_store_n(&events->memory->shared.sleeps, 0, __ATOMIC_SEQ_CST);
	return false;
}

/* Calls of the first copy that were skipped. */
static uint64_t skipped_calls(const struct events *events)
{
	struct bpf_prog_info info = {0};
	union bpf_attr attributes = {.info = {.bpf_fd = (uint32_t)events->first,
					      .info_len = sizeof(info),
					      .info = address_of(&info)}};
	return bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attributes) < 0 ? 0 : info.recursion_misses;
}

/* What the first was kept from and the second did not do either; as of the turn before, since the
 * two counts are not read at one moment. */
static uint64_t lost_nested(struct events *events)
{
	uint64_t rescued = __atomic_load_n(&events->memory->shared.rescued, __ATOMIC_RELAXED);
	uint64_t lost = events->kept_from > rescued ? events->kept_from - rescued : 0;
	events->kept_from = skipped_calls(events);
	return lost;
}

uint64_t events_take_lost(struct events *events)
{
	struct bpf_events_shared *shared = &events->memory->shared;
	uint64_t lost = __atomic_load_n(&shared->lost, __ATOMIC_RELAXED) +
			__atomic_load_n(&shared->unstored, __ATOMIC_RELAXED) + lost_nested(events);
	uint64_t n = lost > shared->told ? lost - shared->told : 0;
	shared->told += n;
	return n;
}

/* ---- opening ---- */

static void release(struct events *events)
{
	if (events->memory)
		munmap(events->memory, sizeof(*events->memory));
	two_rings_done(&events->reading);
	for (enum link i = 0; i < LINK_MAX; i++)
		closep(&events->links[i]);
	closep(&events->ring);
	closep(&events->short_ring);
	closep(&events->variables);
	closep(&events->first);
	closep(&events->pins);
}

void events_close(struct events *events)
{
	if (!events)
		return;
	release(events);
	free(events);
}

static struct events *new_events(void)
{
	struct events *events = calloc(1, sizeof(*events));
	if (!events)
		return NULL;
	events->ring = events->short_ring = events->variables = events->first = events->pins = -1;
	for (enum link i = 0; i < LINK_MAX; i++)
		events->links[i] = -1;
	return events;
}

bool events_try(const struct host *host, struct facility *ret)
{
	if (!events_probe(host, ret))
		return false;
	cleanup(destroyp) struct events_bpf *program = NULL;
	pass_loaded(load(0, &program), ret);
	return ret->works;
}

/* ---- what stays between two readers ---- */

#define BPFFS_MAGIC 0xcafe4a11

static int pin(const char *folder, const char *name, int fd)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	union bpf_attr attributes = {.pathname = address_of(path), .bpf_fd = (uint32_t)fd};
	return bpf_call(BPF_OBJ_PIN, &attributes);
}

static int take_pinned(const char *folder, const char *name)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	union bpf_attr attributes = {.pathname = address_of(path)};
	return bpf_call(BPF_OBJ_GET, &attributes);
}

static int pin_all(struct events *events, const char *folder)
{
	int r = pin(folder, "ring", events->ring);
	if (r >= 0)
		r = pin(folder, "variables", events->variables);
	if (r >= 0)
		r = pin(folder, "first", events->first);
	for (enum link i = 0; r >= 0 && i < LINK_MAX; i++)
		if (events->links[i] >= 0)
			r = pin(folder, link_kinds[i].name, events->links[i]);
	return r;
}

static void unpin_all(int folder)
{
	static const char *const others[] = {"ring", "variables", "first"};
	for (enum link i = 0; i < LINK_MAX; i++)
		unlinkat(folder, link_kinds[i].name, 0);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		unlinkat(folder, others[i], 0);
}

/* The folder, made where it is not there, and locked: two readers would tear the ring apart. */
static int open_folder(const char *path)
{
	struct statfs status;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	cleanup(closep) int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 || fstatfs(folder, &status) < 0)
		return -errno;
	if ((uint32_t)status.f_type != BPFFS_MAGIC)
		return -EMEDIUMTYPE;
	if (flock(folder, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return TAKE_FD(folder);
}

/* False: what is there is not all there, or another version's. */
static bool take_up(struct events *events, const struct events_wish *wish)
{
	events->ring = take_pinned(wish->pin_path, "ring");
	events->variables = take_pinned(wish->pin_path, "variables");
	events->first = take_pinned(wish->pin_path, "first");
	bool is_there = events->ring >= 0 && events->variables >= 0 && events->first >= 0;
	for (enum link i = 0; is_there && i < LINK_MAX; i++) {
		events->links[i] = take_pinned(wish->pin_path, link_kinds[i].name);
		is_there = events->links[i] >= 0 || i >= LINK_FIRST_OF_GROUP;
	}
	if (!is_there || map_memory(events) < 0 ||
	    events->memory->shared.version != BPF_EVENTS_VERSION)
		return false;
	events->memory->shared.wanted = wish->deeds;
	events->memory->shared.netns = (uint32_t)wish->netns;
	events->was_pinned = true;
	return true;
}

static void let_go(struct events *events)
{
	int pins = TAKE_FD(events->pins);
	release(events);
	*events = (struct events){
		.ring = -1, .short_ring = -1, .variables = -1, .first = -1, .pins = pins};
	for (enum link i = 0; i < LINK_MAX; i++)
		events->links[i] = -1;
}

static int open_pinned(const struct host *host, const struct events_wish *wish,
		       struct events *events)
{
	events->pins = open_folder(wish->pin_path);
	if (events->pins < 0)
		return events->pins;
	if (take_up(events, wish))
		return 0;
	let_go(events);
	unpin_all(events->pins);
	int r = open_anew(host, wish, events);
	if (r >= 0)
		r = map_memory(events);
	return r < 0 ? r : pin_all(events, wish->pin_path);
}

static int tell_refusal(const struct events_wish *wish, int r, struct error *err)
{
	if (r == -EBUSY)
		return error_text(err, r, "another one records already: %s is in use",
				  wish->pin_path);
	if (r == -EMEDIUMTYPE)
		return error_text(err, r, "%s is not on a BPF file system", wish->pin_path);
	return error_set(err, r, "attach the BPF programs of events");
}

int events_open(const struct host *host, const struct events_wish *wish, struct events **ret,
		struct error *err)
{
	struct events *events = new_events();
	if (!events)
		return error_set(err, -ENOMEM, "watch the sockets");
	int r = 0;
	if (wish->pin_path)
		r = open_pinned(host, wish, events);
	else if ((r = open_anew(host, wish, events)) >= 0)
		r = map_memory(events);
	if (r < 0) {
		events_close(events);
		return tell_refusal(wish, r, err);
	}
	events->acknowledges = wish->acknowledges;
	if (events->memory->shared.group_error < 0)
		snprintf(events->blindness, sizeof(events->blindness),
			 "the root of cgroup2 cannot be watched: %s",
			 error_reason(events->memory->shared.group_error));
	*ret = events;
	return 0;
}

int events_fd(const struct events *events)
{
	return events->ring;
}

int events_short_fd(const struct events *events)
{
	return events->short_ring;
}

bool events_was_pinned(const struct events *events)
{
	return events->was_pinned;
}

const char *events_blindness(const struct events *events)
{
	return events->blindness;
}
#endif

/* The service of `record`: events in, signs of life out. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/debug.h"
#include "base/module.h"
#include "base/privilege.h"
#include "base/text.h"
#include "cmd/look.h"
#include "cmd/notify.h"
#include "cmd/recording.h"
#include "collect/follow.h"
#include "source/zone.h"

/* What is needed once it runs: to see the holders of what happens, and after a loss all sockets. */
#define CAPS_RUNNING                                                                         \
	(CAP(SYS_PTRACE) | CAP(DAC_READ_SEARCH) | CAP(BPF) | CAP(PERFMON) | CAP(NET_ADMIN) | \
	 CAP(SYS_ADMIN))

/* All that JSON has of a socket and its holders, and the other end of a connection. */
#define NEEDS                                                                                 \
	(NEED_ADDRESSES | NEED_HOLDERS | NEED_STAT | NEED_EXE | NEED_CMDLINE | NEED_CWD |     \
	 NEED_UID | NEED_CGROUP | NEED_USERS | NEED_COOKIE | NEED_V6ONLY | NEED_NETNS_NAMES | \
	 NEED_RUNS | NEED_PARENTS | NEED_ROLE)

struct recording {
	struct context *context;
	const struct history *history;
	struct recorder *recorder;
	struct follow *follow;
	struct notify notify;
	bool is_full; /* and it was told */
};

/* A line on stderr, where a service's journal is: nothing else is printed while it runs. */
static void say(const struct recording *recording, const char *format, ...) printf_like(2, 3);
static void say(const struct recording *recording, const char *format, ...)
{
	char text[512];
	va_list arguments;
	cleanup(out_done) struct out out = {.fd = -1};
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (out_init(&out, STDERR_FILENO) < 0)
		return;
	out_format(&out, "%s: record: ", recording->context->program);
	text_show(&out, text, strlen(text));
	out_char(&out, '\n');
	out_flush(&out);
}

static struct recorder_mark mark(void *data)
{
	const struct recording *recording = data;
	struct follow_mark mark = follow_mark(recording->follow);
	return (struct recorder_mark){mark.ring, mark.position, mark.undecided};
}

static int open_record(struct recording *recording, const struct recording_wish *wish,
		       struct error *err)
{
	char boot_id[HISTORY_BOOT_ID_MAX + 1] = "", host[65] = "";
	ssize_t n = host_read(&recording->context->host, boot_id, sizeof(boot_id),
			      "proc/sys/kernel/random/boot_id");
	if (n < 0)
		return error_set(err, (int)n, "read which boot this is");
	boot_id[strcspn(boot_id, "\n")] = '\0';
	gethostname(host, sizeof(host) - 1);
	struct recorder_wish to = {
		.path = wish->path,
		.host = host[0] ? host : NULL,
		.boot_id = boot_id,
		.time_ns = zone_now_ns(),
		.uptime_ns = clock_uptime_ns(),
		.retain_ns = wish->retain_ns,
		.retain_size = wish->retain_size,
		.mark = mark,
		.mark_data = recording,
		.group = (gid_t)-1, /* the folder's, by its set-group-ID bit, or the writer's */
	};
	return recording->history->record(&to, &recording->recorder, err);
}

/* Elsewhere nothing can be pinned: it records all the same, and misses what happens while it is
 * started again. */
static const char *pin_path(const struct recording *recording, const char *wanted)
{
	struct statfs found;
	if (!wanted || (statfs(wanted, &found) == 0 && found.f_type == BPF_FS_MAGIC))
		return wanted;
	say(recording, "%s is no folder on a bpffs: nothing watches while no recorder runs",
	    wanted);
	return NULL;
}

static int start(struct recording *recording, const struct recording_wish *wish, struct error *err)
{
	const char *pins = pin_path(recording, wish->pin_path);
	struct recorder_state state;
	recording->history->state(recording->recorder, &state);
	const struct follow_wish follow = {
		.scope = wish->scope,
		.source = wish->source,
		.needs = NEEDS,
		.kinds = (1u << EVENT_MAX) - 1,
		.pin_path = pins,
		.acknowledges = pins != NULL,
		.mark = {state.mark.stream, state.mark.at, state.mark.untold},
		.ring_size = wish->ring_size,
	};
	int r = follow_start(&recording->context->host, &follow,
			     recording->history->sink(recording->recorder), &recording->follow,
			     err);
	if (r < 0)
		return r;
	privilege_keep(CAPS_RUNNING);
	recording->history->state(recording->recorder, &state);
	if (state.set_aside[0])
		say(recording, "%s was no history that can be read: it is kept as %s", wish->path,
		    state.set_aside);
	look_tell_missing_list(recording->context, "record", follow_missing(recording->follow));
	say(recording, "recording into %s, by %s", wish->path,
	    told_by_words[follow_way(recording->follow)]);
	notify_tell(&recording->notify, "READY=1\nSTATUS=recording");
	return 0;
}

/* Told when it begins and when it ends, not at each try between. */
static void tell_room(struct recording *recording, bool is_full, const struct error *err)
{
	struct recorder_state state;
	if (is_full == recording->is_full)
		return;
	recording->is_full = is_full;
	recording->history->state(recording->recorder, &state);
	if (is_full) {
		say(recording, "%s: what happens is kept in memory, then counted", err->what);
		notify_tell(&recording->notify, "STATUS=no room on the disk: not recording");
		return;
	}
	say(recording, "there is room again: recording, %llu events were dropped",
	    (unsigned long long)state.n_dropped);
	notify_tell(&recording->notify, "STATUS=recording");
}

static int least(int a, int b)
{
	return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

static int turn(struct recording *recording, struct error *err)
{
	uint64_t uptime = clock_uptime_ns();
	struct error why = {0};
	struct recorder_state state;
	int r = recording->history->turn(recording->recorder, zone_now_ns(), uptime, &why);
	if (r == -ENOSPC) {
		tell_room(recording, true, &why);
	} else if (r < 0) {
		*err = why;
		return r;
	} else if (recording->is_full) {
		recording->history->state(recording->recorder, &state);
		tell_room(recording, state.is_full, &why);
	}
	/* what is not in the file yet, or given up for want of room, comes again after a kill */
	recording->history->state(recording->recorder, &state);
	if (!state.lag_ns || state.is_full)
		follow_acknowledge(recording->follow);
	int wait = least(recording->history->due(recording->recorder, uptime),
			 notify_watchdog(&recording->notify, clock_ns()));
	return follow_turn(recording->follow, wait, recording->context->stop, err);
}

static int record(struct recording *recording, const struct recording_wish *wish, struct error *err)
{
	int r = start(recording, wish, err);
	while (r >= 0 && !stop_wanted(recording->context->stop))
		r = turn(recording, err);
	if (r == -EINTR && stop_wanted(recording->context->stop))
		r = 0;
	notify_tell(&recording->notify, "STOPPING=1");
	return r;
}

int recording_run(struct context *context, const struct recording_wish *wish, struct error *err)
{
	struct recording recording = {.context = context};
	recording.history = module_get("history", HISTORY_VERSION, err);
	if (!recording.history)
		return -ENOTSUP;
	int r = open_record(&recording, wish, err);
	if (r < 0)
		return r;
	notify_open(&recording.notify);
	context->ends_by_stop = true;
	r = record(&recording, wish, err);
	struct error ending = {0};
	int ended = recording.history->stop(recording.recorder, zone_now_ns(), clock_uptime_ns(),
					    &ending);
	if (ended >= 0 && recording.follow)
		follow_acknowledge(recording.follow);
	follow_free(recording.follow);
	notify_close(&recording.notify);
	if (r >= 0 && ended < 0) {
		*err = ending;
		r = ended;
	}
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events made by hand for a recorder, with a clock that only the test moves. */
#ifndef TESTS_FEED_H
#define TESTS_FEED_H

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "made.h"

#include "base/module.h"
#include "history/history.h"

#ifdef MODULES_BUILTIN
extern const struct module module_history;
#define doorward_module module_history
#else
extern const struct module doorward_module; /* its sources are compiled in */
#endif

#define SECOND UINT64_C(1000000000)
#define BOOT_ONE "11111111-2222-3333-4444-555555555555"
#define BOOT_TWO "99999999-2222-3333-4444-555555555555"
/* What the clock says at uptime 0. */
#define CLOCK UINT64_C(1790000000000000000)

struct fed {
	const struct history *history;
	struct recorder *recorder;
	struct snapshot *snapshot; /* whose sockets the events are of */
	char folder[64], path[96];
	uint64_t uptime, ahead;
	const char *boot;
};

static inline uint64_t now_ns(const struct fed *fed)
{
	return fed->uptime + fed->ahead;
}

static inline int start_recorder(struct fed *fed, struct error *err)
{
	const struct recorder_wish wish = {.path = fed->path,
					   .boot_id = fed->boot,
					   .time_ns = now_ns(fed),
					   .uptime_ns = fed->uptime,
					   .group = (gid_t)-1};
	return fed->history->record(&wish, &fed->recorder, err);
}

static inline void must_start(struct fed *fed)
{
	struct error err = {.code = 0};
	int r = start_recorder(fed, &err);
	if (r < 0)
		fail_msg("%d %s", r, err.what);
}

static inline void feed_init(struct fed *fed)
{
	*fed = (struct fed){.history = doorward_module.functions,
			    .uptime = 1000 * SECOND,
			    .ahead = CLOCK,
			    .boot = BOOT_ONE};
	snprintf(fed->folder, sizeof(fed->folder), "/tmp/doorward-history-XXXXXX");
	assert_non_null(mkdtemp(fed->folder));
	snprintf(fed->path, sizeof(fed->path), "%s/h.db", fed->folder);
	fed->snapshot = made_new();
	made_user(fed->snapshot, 33, "www-data");
	fed->snapshot->is_sealed = true;
}

static inline int remove_one(const char *path, const struct stat *status, int flag, struct FTW *ftw)
{
	(void)status;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void feed_done(struct fed *fed)
{
	struct error err = {.code = 0};
	if (fed->recorder)
		assert_int_equal(fed->history->stop(fed->recorder, now_ns(fed), fed->uptime, &err),
				 0);
	snapshot_free(fed->snapshot);
	nftw(fed->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A clean end. */
static inline void stop_recorder(struct fed *fed)
{
	struct error err = {.code = 0};
	assert_int_equal(fed->history->stop(fed->recorder, now_ns(fed), fed->uptime, &err), 0);
	fed->recorder = NULL;
}

static inline struct event event_of(struct fed *fed, enum event_kind kind, uint32_t socket)
{
	return (struct event){.time_ns = now_ns(fed),
			      .uptime_ns = fed->uptime,
			      .duration_ns = EVENT_UNKNOWN,
			      .bytes_sent = EVENT_UNKNOWN,
			      .bytes_received = EVENT_UNKNOWN,
			      .kind = (uint8_t)kind,
			      .sure = SURE_EXACT,
			      .snapshot = fed->snapshot,
			      .socket = socket,
			      .by = NONE,
			      .in_the_way = NONE};
}

static inline void hand_event(struct fed *fed, const struct event *event)
{
	struct event_sink *sink = fed->history->sink(fed->recorder);
	assert_int_equal(sink->event(sink, event), 0);
}

static inline void hand(struct fed *fed, enum event_kind kind, uint32_t socket)
{
	struct event event = event_of(fed, kind, socket);
	hand_event(fed, &event);
}

/* So much later; a turn, after which a reader sees all. */
static inline void later(struct fed *fed, uint64_t ns)
{
	struct error err = {.code = 0};
	fed->uptime += ns;
	if (!fed->recorder)
		return;
	int r = fed->history->turn(fed->recorder, now_ns(fed), fed->uptime, &err);
	if (r < 0)
		fail_msg("%d %s", r, err.what);
}

static inline struct archive *must_open(struct fed *fed)
{
	struct error err = {.code = 0};
	struct archive *archive = NULL;
	int r = fed->history->open(fed->path, &archive, &err);
	if (r < 0)
		fail_msg("%d %s", r, err.what);
	return archive;
}

static inline struct filter *must_parse(const char *text)
{
	struct error err = {.code = 0};
	struct filter *filter = NULL;
	assert_int_equal(filter_parse(text, NULL, &filter, &err), 0);
	return filter;
}

/* What was open @ago before now. */
static inline struct snapshot *listing_at(struct fed *fed, uint64_t time_ns, const char *text)
{
	struct error err = {.code = 0};
	struct snapshot *snapshot = NULL;
	struct archive *archive = must_open(fed);
	struct filter *filter = text ? must_parse(text) : NULL;
	const struct recall recall = {
		.filter = filter, .is_all_states = true, .now_ns = now_ns(fed)};
	int r = fed->history->snapshot_at(archive, time_ns, &recall, &snapshot, &err);
	if (r < 0)
		fail_msg("%d %s", r, err.what);
	filter_free(filter);
	fed->history->close(archive);
	return snapshot;
}

static inline void ask_intervals(struct fed *fed, const char *text, uint64_t since, uint64_t until,
				 uint32_t limit, struct remembered *ret)
{
	struct error err = {.code = 0};
	struct archive *archive = must_open(fed);
	struct filter *filter = text ? must_parse(text) : NULL;
	const struct recall recall = {.filter = filter,
				      .since_ns = since,
				      .until_ns = until,
				      .limit = limit,
				      .now_ns = now_ns(fed)};
	remembered_init(ret);
	int r = fed->history->intervals(archive, &recall, ret, &err);
	if (r < 0)
		fail_msg("%d %s", r, err.what);
	filter_free(filter);
	fed->history->close(archive);
}

static inline const struct interval *interval_at(const struct remembered *remembered, uint32_t i)
{
	assert_true(i < remembered->intervals.n);
	return vector_at(&remembered->intervals, i);
}

#endif

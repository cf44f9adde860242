/* The history of every port, in one SQLite file (docs/history.md). A module (base/module.h):
 * module_get("history", HISTORY_VERSION, ...) gives `struct history`. Two halves that share only
 * the file: a recorder takes events in, an archive is asked what was. No clock is read here: the
 * caller says what time it is. */
#ifndef HISTORY_HISTORY_H
#define HISTORY_HISTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "model/event.h"
#include "model/filter.h"
#include "model/interval.h"

#define HISTORY_VERSION 3
#define HISTORY_PATH "/var/lib/doorward/history.db"
#define HISTORY_BOOT_ID_MAX 64

struct recorder; /* the one writer of a file */
struct archive;	 /* a reader, which needs no more than to read the file and those beside it */

/* A place in a stream that can be read again: which stream, how far, and from where on something is
 * not told yet. {0}: none. */
struct recorder_mark {
	uint64_t stream, at, untold;
};

struct recorder_wish {
	const char *path;
	const char *host;	     /* its name, for who reads the file elsewhere; NULL */
	const char *boot_id;	     /* of the host that is watched; at most HISTORY_BOOT_ID_MAX */
	uint64_t time_ns, uptime_ns; /* now */
	uint64_t retain_ns, retain_size; /* what is older, and what is more; 0: without a bound */
	gid_t group;			 /* of a new file, whose mode is 0640; -1: as it falls */
	/* Up to where the events were handed, without the one that is being handed: it is kept
	 * together with them. NULL: they do not come again. */
	struct recorder_mark (*mark)(void *data);
	void *mark_data;
};

struct recorder_state {
	uint64_t n_events, n_intervals; /* taken since the start; closed intervals written */
	uint64_t n_open;		/* intervals that are open now */
	uint64_t n_dropped;		/* events that could not be kept since the start */
	uint64_t lag_ns; /* how much older the last that a reader sees is than the last event */
	uint64_t size;	 /* bytes of the files */
	struct recorder_mark
		mark;	     /* what the file had when it was opened: until there it has all */
	uint64_t n_pruned;   /* segments dropped since the start */
	bool is_full;	     /* no room on the disk: what comes is kept in memory, then dropped */
	char set_aside[256]; /* where a file that was no history was moved to; empty: none was */
};

struct history_status {
	uint64_t n_intervals, n_open, n_events; /* about; events: refused and failed */
	uint64_t size;				/* bytes of the files */
	uint64_t oldest_ns, newest_ns;		/* Unix ns of what is known; 0: nothing */
	uint64_t pruned_ns;			/* what ended before is no longer kept; 0: all is */
	uint64_t alive_ns; /* Unix ns at which the recorder last said that it lives; 0: never */
	uint64_t lag_ns;   /* as it then said */
	uint64_t n_dropped;
	uint64_t lost; /* events in gaps, where their number is known */
	uint32_t n_gaps, n_segments, n_boots;
	pid_t recorder; /* that writes now; 0: none does */
	bool is_full;
};

/* What is asked. Times are Unix ns. */
struct recall {
	const struct filter *filter; /* NULL: all */
	uint64_t since_ns, until_ns; /* what was open at some time within; 0: without a bound */
	uint32_t limit;		     /* intervals, and events, at most; 0: all */
	uint64_t now_ns;
	bool is_all_states; /* snapshot_at: without it as the filter, or all */
};

/* Which change is sought: an opening or an end of anything. */
struct change_wish {
	uint64_t since_ns, until_ns; /* Unix ns; between the two */
	uint64_t grain_ns; /* 1 or more: it is at the end of whole ones, what is in one is one */
	bool is_first;	   /* else the last of them */
};

struct history {
	/* ---- to record ---- */

	/* Opens or makes the file, and locks it. What was open when the recorder before it ended is
	 * open still until EVENT_STARTED; what was not handed by then as standing is closed as it
	 * was last known. -EBUSY: another records (its pid is told); -ENOTSUP: written by a newer
	 * Doorward, and left as it is; other negative errno with @err told. A file that is broken
	 * is set aside and told in the state. */
	int (*record)(const struct recorder_wish *wish, struct recorder **ret, struct error *err);
	/* Where events go; it is the recorder's. Never waits for the disk longer than one
	 * transaction, and never ends the stream but for want of memory. */
	struct event_sink *(*sink)(struct recorder *recorder);
	/* To be called at each turn of the caller's loop: writes what is due to be visible, to be
	 * on the disk, or to be dropped. 0; -ENOSPC with @err told each time that it tried and
	 * there was no room (recording goes on by itself when there is); other negative errno: it
	 * cannot record any longer. */
	int (*turn)(struct recorder *recorder, uint64_t time_ns, uint64_t uptime_ns,
		    struct error *err);
	/* In how many ms turn has something to do. */
	int (*due)(const struct recorder *recorder, uint64_t uptime_ns);
	void (*state)(const struct recorder *recorder, struct recorder_state *ret);
	/* Writes what is there and says that it was a clean end. NULL is fine. 0 or negative errno
	 * with @err told; it is gone in any case. */
	int (*stop)(struct recorder *recorder, uint64_t time_ns, uint64_t uptime_ns,
		    struct error *err);

	/* ---- to recall ---- */

	/* -ENOENT: there is no record; -EACCES; -ENOTSUP: of a newer Doorward; -EBADMSG: no
	 * history; each with @err told. Each question below sees the record as it is then. */
	int (*open)(const char *path, struct archive **ret, struct error *err);
	void (*close)(struct archive *archive); /* NULL is fine */

	/* What was open at @time_ns, as a listing: sealed, ORIGIN_HISTORY; not complete, with
	 * `missing`, before the record, within a gap, and in what is no longer kept. */
	int (*snapshot_at)(struct archive *archive, uint64_t time_ns, const struct recall *recall,
			   struct snapshot **ret, struct error *err);
	/* Intervals, events (refused, connect_failed), gaps and jumps. @ret is initialised. */
	int (*intervals)(struct archive *archive, const struct recall *recall,
			 struct remembered *ret, struct error *err);
	/* Of all that opened or ended, however many: *@ret, 0 where there was none. */
	int (*change)(struct archive *archive, const struct change_wish *wish, uint64_t *ret,
		      struct error *err);
	/* firsts. */
	int (*first_seen)(struct archive *archive, const struct recall *recall,
			  struct remembered *ret, struct error *err);
	/* changes, and the intervals that they are of, from since to until. */
	int (*changes)(struct archive *archive, const struct recall *recall, struct remembered *ret,
		       struct error *err);
	/* idle, and their intervals: TCP listeners that took no connection for @idle_ns. */
	int (*idle)(struct archive *archive, const struct recall *recall, uint64_t idle_ns,
		    struct remembered *ret, struct error *err);
	/* What happened from since on as events, in order, @until_uptime_ns (of the boot that the
	 * record ends with; UINT64_MAX: all) included: who follows on live takes what is later. */
	int (*replay)(struct archive *archive, const struct recall *recall,
		      uint64_t until_uptime_ns, struct event_sink *sink, struct error *err);
	int (*status)(struct archive *archive, struct history_status *ret, struct error *err);
};

#endif

/* All that the story of a port is made of (view/story.h shows it). */
#ifndef COLLECT_STORY_H
#define COLLECT_STORY_H

#include "collect/collect.h"
#include "model/block.h"
#include "model/explanation.h"
#include "model/hosts.h"
#include "model/remarks.h"
#include "model/rows.h"
#include "model/target.h"

/* What it needs to know of sockets and their holders: all that JSON has of them. */
#define STORY_NEEDS                                                                        \
	(NEED_ADDRESSES | NEED_HOLDERS | NEED_STAT | NEED_EXE | NEED_CMDLINE | NEED_CWD |  \
	 NEED_UID | NEED_CGROUP | NEED_USERS | NEED_SERVICES | NEED_COOKIE | NEED_V6ONLY | \
	 NEED_NETNS_NAMES | NEED_ANSWERS)
#define STORY_NEEDS_ALL (STORY_NEEDS | NEED_PARENTS | NEED_PEERS | NEED_ROLE)

struct story_facts {
	struct arena arena; /* of hosts */
	const struct services *services;
	struct target target;
	struct filter *filter;
	struct snapshot *snapshot;
	struct hosts hosts;
	struct block_table blocks; /* ours, of our own namespace, where it may be looked at */
	struct rows rows;
	struct explanation explanation;
	bool is_explained; /* one port: the explanation is of its number */
	struct remarks remarks;
	struct vector peers; /* struct peer_group */
	struct vector timed; /* const char *, a NULL at the end: units that a timer starts */
};

void story_facts_init(struct story_facts *facts);
void story_facts_done(struct story_facts *facts);

/* Whose story: target and filter. 0, or -EINVAL with @err told. */
int story_parse(const struct services *services, const char *text, struct story_facts *facts,
		struct error *err);
/* Before the rights to look are given up. story_collect does it. */
void story_read_blocks(const struct host *host, struct story_facts *facts);
/* The snapshot of @looking's host. 0 or negative errno with @err told. */
int story_collect(const struct looking *looking, struct story_facts *facts, struct error *err);
/* The rest; the snapshot may be a saved one, then @host is NULL. 0 or negative errno with @err
 * told.
 */
int story_work_out(struct host *host, struct story_facts *facts, struct error *err);

/* The three, one after another. */
int story_find(const struct looking *looking, const char *text, struct story_facts *facts,
	       struct error *err);

#endif

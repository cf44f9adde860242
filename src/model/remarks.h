/* What is remarkable about the sockets of a port: facts that follow from the snapshot alone. */
#ifndef MODEL_REMARKS_H
#define MODEL_REMARKS_H

#include "model/block.h"
#include "model/explanation.h"
#include "model/hosts.h"
#include "model/rows.h"

enum remark_kind {
	REMARK_ROOT_PUBLIC, /* root answers strangers */
	REMARK_EXE_DELETED,
	REMARK_EXE_TEMPORARY, /* runs from a place that everybody may write */
	REMARK_TWO_OWNERS,
	REMARK_TWO_DOORS, /* TCP and UDP */
	REMARK_CONTAINER_ANSWERS,
	REMARK_UNIT_ANSWERS, /* socket activation */
	REMARK_KERNEL,
	REMARK_UNSEEN,
	REMARK_NOBODY,
	REMARK_BACKLOG_FULL,
	REMARK_NOT_LISTENING,
	REMARK_RISK, /* of the service that uses this number */
	REMARK_EPHEMERAL,
	REMARK_BLOCKED, /* by Doorward's own table */
	REMARK_MAX,
};
extern const char *const remark_words[REMARK_MAX + 1];

struct remark {
	enum remark_kind what;
	const char *text; /* a sentence; holds foreign bytes as they are */
};

struct remarks {
	struct vector list; /* struct remark */
	struct arena arena;
};

/* @explanation NULL where several ports are told of; @hosts may be NULL, and @blocks, of the
 * namespace that the explanation is of. 0 or -ENOMEM. Call remarks_done in either case. */
int remarks_find(const struct rows *rows, const struct explanation *explanation,
		 const struct hosts *hosts, const struct block_table *blocks, struct remarks *ret);
void remarks_done(struct remarks *remarks);

#endif

/* What the front (web/), which reads strangers' bytes and has no capability, may ask of the desk
 * (serve/), which has: requests of one fixed size, each checked before it is looked at, over a
 * socket between the two. A reply is a head and as many bytes as it says.
 *
 *     front                                        desk
 *       | struct request (sizeof, always)  ------->  |  request_is_valid(), then its verb
 *       | <-------  struct reply, its bytes          |  one, or of a stream many
 */
#ifndef SERVE_REQUEST_H
#define SERVE_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

enum verb {
	VERB_FIELDS,
	VERB_CHECK,
	VERB_COMPLETE,
	VERB_STREAM, /* opens one: replies come until VERB_END */
	VERB_CHANGE, /* of the stream @of */
	VERB_READ,   /* the stream's reader has taken @number bytes: no reply */
	VERB_END,    /* nobody reads the stream any more: no reply */
	VERB_MAP,
	VERB_LEGEND,
	VERB_STORY,
	VERB_RATES,
	VERB_GRAPH,
	VERB_PLAN,
	VERB_ACT,
	VERB_METRICS,
	VERB_PAST, /* what is recorded: from when to when, and what of it is not known; or a step */
	VERB_MAX
};

enum wish_tab { TAB_DOORS, TAB_CONNECTIONS, TAB_EVENTS, TAB_MAX };
extern const char *const tab_words[TAB_MAX + 1];

enum wish_group {
	GROUP_NONE,
	GROUP_SERVICE,
	GROUP_PROCESS,
	GROUP_UNIT,
	GROUP_CONTAINER,
	GROUP_PEER,
	GROUP_MAX
};
extern const char *const group_words[GROUP_MAX + 1];

enum act_kind { ACT_CLOSE, ACT_BLOCK, ACT_UNBLOCK, ACT_MAX };
extern const char *const act_words[ACT_MAX + 1];

/* Of VERB_PAST: what there is, or from a moment the change before or behind it. */
enum past_step { STEP_NONE, STEP_EARLIER, STEP_LATER, STEP_MAX };
extern const char *const step_words[STEP_MAX + 1];

enum rates_of { RATES_HOST, RATES_PORT, RATES_PROCESS, RATES_MAX };
extern const char *const rates_words[RATES_MAX + 1];

/* The words of --by (model/plan.h's enum way), without the order that they have there. */
extern const char *const by_words[];

/* What of the wish was said; the rest stays as it is, or is as usual. */
enum wish_part {
	WISH_TAB = 1 << 0,
	WISH_FILTER = 1 << 1,
	WISH_SORT = 1 << 2,
	WISH_GROUP = 1 << 3,
	WISH_COLUMNS = 1 << 4,
	WISH_FROM = 1 << 5,
	WISH_COUNT = 1 << 6,
	WISH_PAUSED = 1 << 7,
	WISH_MOMENT = 1 << 8,
	WISH_ALL = 511,
};

/* The rows that a stream shows. */
struct wish {
	uint32_t parts; /* enum wish_part */
	uint32_t from, count;
	uint64_t moment_ms; /* since 1970: as it was then, from the record; 0: now */
	uint8_t tab, group, is_paused, has_map;
	char filter[2048], sort[256], columns[1024];
};

/* What is to be done, and how. */
struct deed {
	uint8_t kind; /* enum act_kind */
	uint8_t by;   /* of by_words */
	uint8_t is_forced, takes_connections, keeps_connections, cuts, has_end, padding;
	uint32_t grace_ms;
	uint64_t for_ms;
	char target[256], filter[2048], from[64], reason[256];
};

#define MOMENT_MAX_MS 253402300799999u /* the end of the year 9999 */
#define STEPS_MAX 128		       /* a page closes no more at once */
#define WINDOW_ROWS_MAX 500
#define WINDOW_ROWS_USUAL 80

struct request {
	uint32_t id; /* replies carry it */
	uint8_t verb, proto, rates_of, step;
	uint64_t of; /* the stream that is changed, read or ended; the plan that is carried out */
	uint64_t netns;	 /* inode of the network namespace that is meant; 0: the one we run in */
	uint32_t number; /* a place in the filter; bytes read */
	uint32_t n_identities;
	uint64_t identities[STEPS_MAX];
	char target[256];
	union {
		struct wish wish; /* also the filter of check, complete, graph; the moment of
				     map, graph, story, past */
		struct deed deed;
	};
};

enum reply_kind { REPLY_JSON, REPLY_LINE, REPLY_BYTES, REPLY_METRICS, REPLY_NOTHING, REPLY_MAX };

struct reply {
	uint32_t id;
	uint32_t length; /* of what follows */
	uint16_t status; /* of HTTP */
	uint8_t kind;	 /* enum reply_kind */
	uint8_t is_last; /* else more come under this id */
};

#define REPLY_LENGTH_MAX (64u << 20)

/* Every text ends within its bounds, every number is one that there is. Pure. */
bool request_is_valid(const struct request *request);

#endif

/* The one registry of fields: table, --fields, --sort, JSON, CSV, filter, `doorward fields` and the
 * manual all come from it. To add a field is to add an entry in a model/fields-*.c. */
#ifndef MODEL_FIELD_H
#define MODEL_FIELD_H

#include "base/error.h"
#include "model/event.h"
#include "model/snapshot.h"
#include "model/value.h"

/* What must be collected before a getter can know (struct query's needs). */
enum need {
	NEED_ADDRESSES = 1 << 0, /* interface addresses, names and ranges of namespaces */
	NEED_HOLDERS = 1 << 1,	 /* pid and fd */
	NEED_STAT = 1 << 2,	 /* name, ppid, start time */
	NEED_EXE = 1 << 3,
	NEED_CMDLINE = 1 << 4,
	NEED_CWD = 1 << 5,
	NEED_UID = 1 << 6,    /* of the process */
	NEED_CGROUP = 1 << 7, /* unit, container */
	NEED_PARENTS = 1 << 8,
	NEED_USERS = 1 << 9,	 /* names of uids */
	NEED_SERVICES = 1 << 10, /* /etc/services */
	NEED_TCP_INFO = 1 << 11,
	NEED_PEERS = 1 << 12,	/* both ends of a connection joined */
	NEED_ROLE = 1 << 13,	/* listeners too, even if they are not shown */
	NEED_ANSWERS = 1 << 14, /* published ports and socket activation */
	NEED_COOKIE = 1 << 15,
	NEED_V6ONLY = 1 << 16,
	NEED_NETNS_NAMES = 1 << 17,
	NEED_NO_NSS = 1 << 18, /* no name service, which may block: files only */
	NEED_RUNS = 1 << 19,   /* what an interpreter runs */
	NEED_RATE = 1 << 20,   /* of NEED_TCP_INFO the bytes alone, which cost less */
};

/* One row's view of things. Of holder and process the one that a holder's field is asked about. */
struct record {
	const struct snapshot *snapshot;
	const struct socket *socket;
	uint32_t index; /* of the socket */
	const struct holder *holder;
	const struct process *process;
	const struct event *event; /* NULL: none; then its fields are null */
};

enum field_of { OF_SOCKET, OF_HOLDER, OF_EVENT };
enum field_merge {
	MERGE_LIST,
	MERGE_COUNT,
	MERGE_SUM,
	MERGE_FIRST
}; /* how a grouped row shows several */
enum field_flag {
	FIELD_NEVER_CUT = 1 << 0,
	FIELD_RIGHT = 1 << 1,
	FIELD_DEFAULT = 1 << 2,	    /* a column of `list` */
	FIELD_CONNECTIONS = 1 << 3, /* a column of `list --connections` and --all */
	FIELD_WIDE = 1 << 4,	    /* a column of --output wide too */
	FIELD_JSON = 1 << 5,	    /* in JSON without being asked for */
	FIELD_ON_REQUEST = 1 << 6,  /* in JSON only when named by --fields (tcp_info) */
	FIELD_NO_FILTER = 1 << 7,
};

struct field {
	const char *name;  /* as typed: "process_user" */
	const char *json;  /* key in its object: "user" */
	const char *title; /* column */
	const char *help;
	void (*get)(const struct record *record, struct value *ret);	  /* ret->scratch is lent */
	void (*write_json)(const struct record *record, struct out *out); /* VALUE_OBJECT only */
	const char *const *words; /* of a VALUE_WORD; NULL ends, may have NULL-free gaps as "" */
	uint32_t needs;
	uint8_t of, merge, width,
		flags; /* width: columns that it gets at least, where there is more to show */
	uint8_t kind;  /* enum value_kind that get gives when not null: filter and CSV know what to
			  expect */
	/* What a filter compares where that is not what is shown (a mapped address counts as IPv4);
	 * NULL: get. */
	void (*filter_get)(const struct record *record, struct value *ret);
	/* Another name by which = meets it: a user's number, a unit without .service. NULL: none.
	 */
	bool (*is_called)(const struct record *record, const char *text);
};

/* What @field says of it: of the watching itself there is no socket to tell of. */
static inline void field_read(const struct field *field, const struct record *record,
			      struct value *ret)
{
	if (record->event && record->event->socket == NONE && field->of != OF_EVENT)
		ret->kind = VALUE_NULL;
	else
		field->get(record, ret);
}

/* The fields of what is listed, in the order of JSON and of `doorward fields`; NULL behind the
 * last.
 */
const struct field *field_at(unsigned index);
/* Those of what happened to it: no column of a list. */
const struct field *field_of_event_at(unsigned index);
/* The former, then the latter. */
const struct field *field_any_at(unsigned index);
const struct field *field_find(const char *name); /* of both, by name; NULL */
const char *field_nearest(const char *name);	  /* NULL */

/* "a,b,c" to fields of what is listed, in order. 0, -EINVAL with @err told (the word, the nearest),
 * -ENOMEM.
 * @ret is malloc'ed and NULL-terminated. @descending (may be NULL) gets a bool a field for "-name".
 */
int fields_parse(const char *list, const struct field ***ret, bool **descending, struct error *err);
/* The same, of who shows events: their fields too. */
int fields_parse_events(const char *list, const struct field ***ret, bool **descending,
			struct error *err);
uint32_t fields_needs(const struct field *const *list);

#endif

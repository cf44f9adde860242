/* What a scan found: which door of which address answered what, and what that means beside the
 * table of sockets. Made by scan/, shown by view/scan-*.c. */
#ifndef MODEL_SCAN_H
#define MODEL_SCAN_H

#include "base/arena.h"
#include "base/out.h"
#include "base/vector.h"
#include "model/identified.h"
#include "model/snapshot.h"

enum door_state {
	DOOR_UNKNOWN, /* not asked, or not to the end */
	DOOR_OPEN,
	DOOR_CLOSED,
	DOOR_FILTERED,
	DOOR_OPEN_FILTERED, /* UDP: silence has two meanings */
	DOOR_UNFILTERED,
	DOOR_MAX
};
extern const char *const door_words[DOOR_MAX + 1];

enum door_reason {
	BECAUSE_NOT_ASKED,
	BECAUSE_SYN_ACK,
	BECAUSE_RST,
	BECAUSE_ICMP, /* type and code tell which */
	BECAUSE_TIME_OUT,
	BECAUSE_ICMP_LIMITED, /* the host may say so only once a second */
	BECAUSE_SELF_CONNECT, /* we answered ourselves: nobody else was there */
	BECAUSE_UDP_ANSWER,
	BECAUSE_NO_ANSWER,    /* UDP */
	BECAUSE_REFUSED_HERE, /* our own kernel did not let the packet out */
	BECAUSE_NO_ROUTE,
	BECAUSE_HOST_SILENT, /* nobody answers to the address on its link */
	BECAUSE_BROKEN_OFF,
	BECAUSE_INIT_ACK, /* SCTP */
	BECAUSE_ABORT,
	BECAUSE_MAX
};
extern const char *const because_words[BECAUSE_MAX + 1];

struct answer {
	uint8_t state, reason;	      /* enum door_state, enum door_reason */
	uint8_t icmp_type, icmp_code; /* BECAUSE_ICMP */
	uint32_t rtt_us;	      /* 0: not known */
};
_Static_assert(sizeof(struct answer) == 8, "millions are kept");

/* Whom the packets go to. Strings of the scan's arena. */
struct scan_target {
	struct ip ip;
	uint32_t interface; /* of a link-local address; 0 */
	bool is_v4;
	bool is_own;	  /* an address of the place that is scanned from */
	bool is_near;	  /* this host's all the same: another namespace's */
	const char *name; /* as typed, where it was a name; NULL */
	const char *link; /* the interface's name; NULL */
};

enum verdict {
	VERDICT_NONE,
	VERDICT_EXPECTED,      /* open, and in the table */
	VERDICT_NOT_IN_TABLE,  /* open, but no socket of this host's table */
	VERDICT_NOT_REACHABLE, /* in the table, but closed or filtered from there */
	VERDICT_OTHER_SERVICE, /* another service than its number or its process says */
	VERDICT_MAX
};
extern const char *const verdict_words[VERDICT_MAX + 1];

/* A door that is told by itself. */
struct scan_door {
	uint8_t proto;
	uint8_t verdict; /* enum verdict */
	uint16_t port;
	uint32_t socket; /* in the snapshot, or NONE */
	struct answer answer;
	const char *detail;		     /* of the verdict; NULL */
	const struct identified *identified; /* of the arena; NULL: nobody asked */
};

/* All doors of one protocol at one address. */
struct scan_sweep {
	uint8_t proto;
	uint32_t n_ports;
	const uint16_t *ports;	/* ascending */
	struct answer *answers; /* one a port */
	bool is_alike;		/* everything is open: said once */
	bool is_connected;	/* TCP by connect(), not by packets of our own */
};

#define SCAN_SWEEPS 3 /* TCP, UDP, SCTP */

struct scan_result {
	struct scan_target target;
	const char *from; /* where it was seen from: "this host", "stranger", a namespace's name */
	uint32_t netns;	  /* in the snapshot that it is compared with, or NONE */
	uint64_t inode;	  /* of the namespace that the packets set out from */
	struct scan_sweep sweeps[SCAN_SWEEPS];
	uint32_t n_sweeps;
	struct vector doors;  /* struct scan_door, by proto and port: filled by scan_result_list */
	struct vector others; /* struct scan_others: what is not told by itself */
};

/* Doors that answered alike. */
struct scan_others {
	uint8_t proto;
	struct answer answer; /* its rtt means nothing */
	uint32_t count;
};

enum scan_field {
	CHANGE_STATE,
	CHANGE_SERVICE,
	CHANGE_PRODUCT,
	CHANGE_VERSION,
	CHANGE_PROTOCOL_VERSION,
	CHANGE_TLS_VERSION,
	CHANGE_NAMES,	  /* of the certificate, with commas between */
	CHANGE_NOT_AFTER, /* its day: "2027-01-31" */
	CHANGE_FINDING,	  /* one that has come or gone */
	CHANGE_MAX
};
extern const char *const scan_field_words[CHANGE_MAX + 1];

/* What is another at a door than in an older scan. */
struct scan_change {
	uint32_t result;
	uint16_t port;
	uint8_t proto, field;  /* field: enum scan_field */
	const char *was, *now; /* of the arena or a table of words; NULL: not there, not known */
};

struct scan {
	const char *host, *boot_id;
	double time;
	uint64_t took_us, n_sent;
	bool is_complete, is_explicit;	 /* explicit: few ports were named, each is told */
	struct vector results;		 /* struct scan_result */
	struct vector notes;		 /* const char *: what else is to be said */
	struct vector changes;		 /* struct scan_change */
	bool has_changes;		 /* it was held against an older one */
	const struct snapshot *snapshot; /* what it was compared with; NULL; borrowed */
	struct arena arena;
};

void scan_init(struct scan *scan);
void scan_done(struct scan *scan);

static inline struct scan_result *scan_result(const struct scan *scan, uint32_t i)
{
	return vector_at(&scan->results, i);
}

/* 0 or -ENOMEM. The text is copied. */
int scan_note(struct scan *scan, const char *format, ...) printf_like(2, 3);

/* Sorts what each result found into doors that are told by themselves and others that are counted.
 * Before compare and identify. 0 or -ENOMEM. */
int scan_list(struct scan *scan);

/* The door of that number, added where it was not listed (and taken from the others). NULL: no
 * memory, or it was not scanned. */
struct scan_door *scan_result_door(struct scan_result *result, uint8_t proto, uint16_t port);

/* Of the sweeps; NULL: it was not scanned. */
const struct answer *scan_result_answer(const struct scan_result *result, uint8_t proto,
					uint16_t port);

/* "syn-ack", "icmp 3/13", ... at @to with NUL. */
void answer_reason(const struct answer *answer, char *to, size_t size);

/* "1-21,23-65535": the ports of those @others. At most @limit bytes, then "...". */
void scan_others_ports(const struct scan_result *result, const struct scan_others *others,
		       struct out *out);

/* Of a state, in all results. */
uint64_t scan_count(const struct scan *scan, enum door_state state);

#endif

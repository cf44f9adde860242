/* Why a port cannot be bound or reached: what stands in the way, what the kernel itself says, what
 * to do. */
#ifndef MODEL_DIAGNOSIS_H
#define MODEL_DIAGNOSIS_H

#include "base/arena.h"
#include "base/attributes.h"
#include "base/vector.h"
#include "model/snapshot.h"

enum attempt { ATTEMPT_SOCKET, ATTEMPT_BIND, ATTEMPT_LISTEN, ATTEMPT_CONNECT, ATTEMPT_MAX };
extern const char *const attempt_words[ATTEMPT_MAX + 1];

/* What somebody tried, or would. */
struct question {
	enum attempt attempt;
	uint8_t proto; /* TCP, UDP, UDPLITE */
	bool is_v4;
	bool v6only, reuseaddr, reuseport; /* options of the socket */
	bool has_from;			   /* connect: the own end is chosen */
	struct ip address, from;
	uint16_t port;
	uint32_t scope;	    /* of a link-local address: the interface; 0 none */
	uint32_t interface; /* SO_BINDTODEVICE; 0 none */
	uint32_t netns;	    /* index into the snapshot, or NONE */
	int32_t pid;	    /* whose attempt it is; 0: our own */
	uint32_t uid;
	const char *user;  /* its name, or NULL */
	bool is_any_asked; /* no address was named: any will do, of both families */
};

enum cause_kind {
	/* of bind and listen, in the order of the kernel's checks */
	CAUSE_DESCRIPTORS,
	CAUSE_FAMILY_OFF,
	CAUSE_LANDLOCK,
	CAUSE_CGROUP,
	CAUSE_SECCOMP,
	CAUSE_MAPPED_V6ONLY,
	CAUSE_NO_SCOPE,
	CAUSE_INTERFACE_DOWN,
	CAUSE_TENTATIVE,
	CAUSE_NO_ADDRESS,
	CAUSE_PRIVILEGED,
	CAUSE_BOUND_TWICE,
	CAUSE_DYING,
	CAUSE_KERNEL,
	CAUSE_CONTAINER,
	CAUSE_INHERITED,
	CAUSE_REUSEPORT_UID,
	CAUSE_REUSE_MISMATCH,
	CAUSE_DUAL_STACK,
	CAUSE_LISTENER,
	CAUSE_DATAGRAM,
	CAUSE_BOUND,
	CAUSE_SECOND_LISTEN,
	CAUSE_OUTGOING,
	CAUSE_ACCEPTED,
	CAUSE_TIME_WAIT,
	CAUSE_RANGE_FULL,
	/* of a port that may be bound, and yet gets nothing */
	CAUSE_NAT,
	CAUSE_BLOCK,
	/* of connect */
	CAUSE_FIREWALL,
	CAUSE_DROPPED,
	CAUSE_NO_ROUTE,
	CAUSE_NEIGHBOUR,
	CAUSE_BACKLOG,
	CAUSE_LOOPBACK_ONLY,
	CAUSE_OTHER_ADDRESS,
	CAUSE_OTHER_NETNS,
	CAUSE_NOTHING,
	CAUSE_REFUSED_THERE,
	CAUSE_SILENT,
	CAUSE_MAX,
};
extern const char *const cause_words[CAUSE_MAX + 1];

/* Seen: the kernel's own answer bears it out. Read: it stands there, and was not hit. */
enum sight { SIGHT_SEEN, SIGHT_READ, SIGHT_MAX };
extern const char *const sight_words[SIGHT_MAX + 1];

struct cause {
	enum cause_kind what;
	enum sight certainty;
	int error;    /* the errno that it gives; 0: none, the call works all the same */
	bool is_sure; /* alone it is enough for that errno; else it may be, by options that are not
			 known */
	uint32_t first_socket, n_sockets; /* of diagnosis->sockets */
	const char *because, *remedy;	  /* sentences; hold foreign bytes as they are; remedy may
					     be NULL */
	/* where a rule of a packet filter is meant; NULL, 0 else */
	const char *rule_family, *rule_table, *rule_chain, *rule_text;
	uint64_t rule_handle;
};

/* What the kernel said to a try. */
struct tried {
	bool is_tried;
	enum attempt at; /* which call it was */
	int error;	 /* errno; 0: it works */
};

enum agreement {
	AGREEMENT_NONE, /* nothing was tried */
	AGREEMENT_YES,
	AGREEMENT_UNEXPLAINED, /* the kernel refuses, and no cause was found */
	AGREEMENT_UNBORNE,     /* a cause was found, and the kernel grants it */
	AGREEMENT_MAX,
};
extern const char *const agreement_words[AGREEMENT_MAX + 1];

struct diagnosis {
	struct question question;
	struct vector causes;  /* struct cause, the one that the kernel means first */
	struct vector sockets; /* uint32_t: indexes into the snapshot */
	struct tried answer;   /* to the question as it was asked */
	struct tried plain, reuseaddr, reuseport; /* of bind: by option */
	enum agreement agreement;
	const char *untried; /* why nothing was tried, or what the try lacks; NULL */
	struct vector notes; /* const char *: what else is good to know */
	struct arena arena;
};

void diagnosis_init(struct diagnosis *diagnosis, const struct question *question);
void diagnosis_done(struct diagnosis *diagnosis);

/* A cause with its texts, at the end; its sockets are added with diagnosis_add_socket, before the
 * next cause. NULL: no memory. */
struct cause *diagnosis_add(struct diagnosis *diagnosis, enum cause_kind what, int error);
int diagnosis_add_socket(struct diagnosis *diagnosis, struct cause *cause, uint32_t socket);
int diagnosis_note(struct diagnosis *diagnosis, const char *format, ...) printf_like(2, 3);
/* A sentence in the arena; "" where there is no memory. */
const char *diagnosis_text(struct diagnosis *diagnosis, const char *format, ...) printf_like(2, 3);

/* Holds the causes against the kernel's answer: what it bears out is seen and stands first, what
 * only may be is dropped where it grants the question. */
void diagnosis_agree(struct diagnosis *diagnosis);

/* It can be bound, or reached: by the kernel's answer, else by the causes alone. */
bool diagnosis_can(const struct diagnosis *diagnosis);

/* "EADDRINUSE", or NULL for one without a name here. */
const char *errno_name(int error);

/* A bind of @question and @socket want the same: addresses and interfaces overlap (the port and the
 * protocol are not looked at). net/ipv4/inet_connection_sock.c, inet_rcv_saddr_equal. */
bool question_overlaps(const struct question *question, const struct socket *socket);
/* They do so only because a dual-stack wildcard takes the other family too. */
bool question_overlaps_by_dual_stack(const struct question *question, const struct socket *socket);

#endif

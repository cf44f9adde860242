/* What closing is made of: which socket is meant, who holds it, what will be done, what follows,
 * and how it ended. Made by act/plan.c, completed by act/verify.c, shown by view/plan.c. */
#ifndef MODEL_PLAN_H
#define MODEL_PLAN_H

#include "base/arena.h"
#include "base/attributes.h"
#include "base/vector.h"
#include "model/socket.h"

enum way { WAY_AUTO, WAY_UNIT, WAY_CONTAINER, WAY_PROCESS, WAY_SOCKET, WAY_RELEASE, WAY_MAX };
extern const char *const way_words[WAY_MAX + 1];

enum outcome {
	OUTCOME_NONE, /* not looked yet */
	OUTCOME_FREE,
	OUTCOME_BOUND,
	OUTCOME_DYING, /* the process is gone, the kernel still tears it down */
	OUTCOME_CAME_BACK,
	OUTCOME_MAX
};
extern const char *const outcome_words[OUTCOME_MAX + 1]; /* [0] is NULL's place: "" */

/* Which socket is meant, so that no other is hit. */
struct identity {
	uint64_t cookie; /* 0 unknown: then the inode decides */
	uint64_t netns;	 /* its inode */
	struct ip local, peer;
	uint16_t local_port, peer_port;
	uint32_t inode, interface;
	uint8_t proto, family, state, flags; /* flags: enum socket_flag */
};

/* One descriptor of one process that is the socket. */
struct step_holder {
	int32_t pid, fd;      /* fd -1: only through a ring of io_uring */
	uint64_t start_ticks; /* together with pid: which process */
	uint64_t program;     /* that it ran when it was planned (act/guard.h); 0 unknown */
	uint32_t uid;
	bool is_uid_known;
	const char *name, *user, *unit; /* NULL: unknown or none */
	const char *container;		/* its name or id; NULL */
	int32_t parent;			/* pid; 0 unknown */
	const char *parent_name;
};

/* A bind of the same address, tried. */
enum trial { TRIAL_NOT_TRIED, TRIAL_DONE, TRIAL_REFUSED };

/* What stands in the way of a bind. */
enum obstacle {
	OBSTACLE_ACCEPTED,  /* connections that the listener accepted */
	OBSTACLE_TIME_WAIT, /* and those that it closed first */
	OBSTACLE_OUTGOING,  /* a connection from here that has this port */
	OBSTACLE_OTHER,	    /* another listener, bound or UDP socket */
	OBSTACLE_MAX
};
extern const char *const obstacle_words[OBSTACLE_MAX + 1];

/* Another door of a holder, which closes with the process. */
struct step_port {
	struct ip local;
	uint16_t port;
	uint8_t proto, family;
};

#define STEP_CONSEQUENCES_MAX 8
#define STEP_UNITS_MAX 8

struct step {
	struct identity target;
	const char *place;    /* the network namespace, where it is not our own; NULL */
	uint32_t recv_queue;  /* of a listener: connections that wait in its backlog */
	uint32_t uid;	      /* the socket's owner */
	uint8_t held_by;      /* enum held_by */
	enum way way;	      /* once planned never WAY_AUTO, unless it is refused */
	const char *object;   /* what the way acts upon: "nginx.service", "docker web"; NULL */
	int32_t manager;      /* pid of the systemd that the units belong to; 0 none */
	uint32_t manager_uid; /* whose it is, where it is one of a user: */
	bool is_of_user;
	const char *units_error; /* why the systemd could not be asked for them; NULL */
	const char
		*units[STEP_UNITS_MAX]; /* in the order in which they are stopped: .socket first */
	const char *restart;	    /* the service's Restart=, "always"; NULL: unknown or none */
	const char *container;	    /* id; NULL */
	const char *container_name; /* "docker web" */
	uint8_t n_units, engine;    /* engine: of the container */
	struct step_holder *holders;
	uint32_t n_holders;
	struct step_port *also; /* what closes along with it */
	uint32_t n_also;

	bool is_refused;     /* nothing is done to it */
	int error;	     /* negative errno of what went wrong; 0 */
	const char *because; /* why this way, or why it is refused */
	const char *hint;    /* how to have it all the same, or NULL */
	const char *consequences[STEP_CONSEQUENCES_MAX];
	uint8_t n_consequences;

	/* after acting */
	bool is_done; /* it was acted upon */
	enum outcome outcome;
	uint8_t state_after;	   /* of the socket that is there now; 0 none */
	struct step_holder *after; /* who holds it now, where it is not free */
	uint32_t n_after;
	const char *remark; /* what else is to be said, as why it lives on; NULL */
	enum trial bind_plain, bind_reuseaddr;
	int bind_plain_error, bind_reuseaddr_error; /* negative errno */
	uint32_t obstacles[OBSTACLE_MAX];	    /* how many */
};

struct plan {
	struct vector steps; /* struct step */
	struct arena arena;  /* of all that the steps point to */
};

void plan_init(struct plan *plan);
void plan_done(struct plan *plan);

static inline struct step *plan_step(const struct plan *plan, uint32_t i)
{
	return vector_at(&plan->steps, i);
}

/* A text that lives as long as the plan; "" where there is no memory. */
const char *plan_text(struct plan *plan, const char *format, ...) printf_like(2, 3);

/* The step is not done. @hint may be NULL; both live in the plan's arena or are constant. */
void step_refuse(struct step *step, int error, const char *because, const char *hint);
/* Adds what will follow; beyond STEP_CONSEQUENCES_MAX it is dropped. */
void step_follows(struct step *step, const char *consequence);

/* It listens, or is bound: not a connection. */
bool step_is_door(const struct step *step);
/* The text that names the target: "tcp/127.0.0.1:8080", "tcp/[::1]:443", with the peer of a
 * connection: "tcp/127.0.0.1:80-127.0.0.1:40000". Written at @to with NUL. */
void identity_text(const struct identity *identity, char *to, size_t size);

#endif

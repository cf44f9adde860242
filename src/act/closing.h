/* One closing from what is asked for to how it ended: of the command, the screen and the page. */
#ifndef ACT_CLOSING_H
#define ACT_CLOSING_H

#include "act/plan.h"
#include "collect/collect.h"

#define CLOSE_GRACE_MS 5000

/* What acting needs at least. */
#define CAPS_CLOSE (CAPS_SEE | CAP(KILL) | CAP(NET_BIND_SERVICE) | CAP(SYS_NICE))

struct closing_request {
	char *const *targets; /* TARGETs as typed, NULL ends; may be NULL */
	const char *filter;   /* what of them, or alone; NULL: all */
	struct close_options options;
};

struct closing {
	struct looking looking;
	struct filter *filter;
	struct snapshot *snapshot;
	struct rows rows;
	struct session session;
	struct arena arena;
	struct vector units;  /* struct unit_fact */
	struct vector beside; /* struct beside */
	struct plan plan;
	struct close_options options;
	bool has_all; /* whatever has the number of a target is a target */
};

void closing_init(struct closing *closing);
void closing_done(struct closing *closing);

/* Nothing is done yet: @closing->plan says what would be, a step for each socket. 0, or negative
 * errno with @err told (-EINVAL: a target or the filter is wrong). */
int closing_plan(const struct looking *looking, const struct closing_request *request,
		 struct closing *closing, struct error *err);

bool closing_is_refused(const struct closing *closing); /* every step of it */
bool closing_has_container(const struct closing *closing);

/* What doing it needs, where no engine's command is to be run: CAPS_CLOSE, and for the socket of a
 * user's own systemd, which is for that user alone, CAP_DAC_OVERRIDE. */
uint64_t closing_capabilities(const struct closing *closing);

/* Does it, and looks again: each step has its outcome. Takes as long as the grace. 0 or negative
 * errno with @err told. */
int closing_act(struct closing *closing, const struct stop *stop, struct error *err);

#endif

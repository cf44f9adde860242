/* Rates of the last ten minutes. */
#ifndef SERVE_RATES_H
#define SERVE_RATES_H

#include "base/error.h"
#include "base/out.h"
#include "model/snapshot.h"
#include "serve/request.h"

#define SAMPLES_MAX 600
#define COURSES_MAX 16 /* ports and processes that are followed at once */

struct sample {
	double time;
	uint64_t in, out; /* bytes a second, of TCP connections that were there twice */
	uint32_t connections;
	bool is_known; /* else only the connections are */
};

struct course {
	uint8_t of; /* enum rates_of */
	uint32_t protos;
	uint16_t first, last;
	int32_t pid;
	uint64_t asked; /* the order in which they were asked for last */
	unsigned n, next;
	struct sample samples[SAMPLES_MAX];
};

struct rates {
	struct course host;
	struct course *courses[COURSES_MAX];
	uint64_t n_asked;
};

void rates_done(struct rates *rates);

/* Of each snapshot. */
void rates_note(struct rates *rates, const struct snapshot *snapshot);

/* {"times":[...],...} of what is asked for. 0 or negative errno with @err told. */
int rates_answer(struct rates *rates, const struct request *request,
		 const struct services *services, struct out *out, struct error *err);

#endif

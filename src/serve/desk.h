/* The desk: holds the snapshots, and answers the requests of the front (serve/request.h). */
#ifndef SERVE_DESK_H
#define SERVE_DESK_H

#include "base/stop.h"
#include "model/query.h"
#include "model/services.h"
#include "source/host.h"

struct desk_settings {
	struct host *host;
	const struct services *services;
	struct netns_scope scope;
	enum source_choice source;
	uint32_t needs; /* added to those of each question: NEED_NO_NSS */
	unsigned interval_ms;
	bool is_read_only;
	int front;	    /* the socket to it */
	int maker;	    /* the socket to who makes jobs (serve/job.h) */
	const char *record; /* the file of `doorward record`, where there is one */
	bool wants_record;  /* it was asked for by name */
	const struct stop *stop;
};

/* Until the front is gone, or it is stopped. Gives up all capabilities of its thread once the
 * thread that takes snapshots is there. 0 or negative errno with @err told. */
int desk_run(const struct desk_settings *settings, struct error *err);

#endif

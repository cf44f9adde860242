/* A scan as a whole: from what a person asked to a struct scan. */
#ifndef SCAN_SCAN_H
#define SCAN_SCAN_H

#include "model/query.h"
#include "scan/job.h"
#include "scan/targets.h"
#include "source/host.h"

enum scan_method { METHOD_AUTO, METHOD_CONNECT, METHOD_SYN, METHOD_MAX };

struct scan_request {
	char **targets; /* NULL ends; none: every address of the place */
	const char *file, *exclude, *ports;
	bool protos[PROTO_MAX];
	struct netns_scope scope; /* which places of this host; "self" is usual */
	const char *from;	  /* "stranger", a namespace; NULL: the scanned host itself */
	enum scan_method method;
	uint32_t rate;	      /* probes a second; 0: as the path is */
	uint64_t max_time_ms; /* for all; 0: none */
	bool is_sure;	      /* --yes */
	const struct stop *stop;
	struct progress *progress;
	/* Told before anything is sent to an address of others: how many addresses, what. */
	void (*announce)(uint32_t n_addresses, uint64_t n_probes, void *data);
	void *data;
};

/* Scans. @ret is initialised, and holds what is known where it was broken off. 0; -EINVAL (the
 * request), other negative errno; with @err told. */
int scan_run(struct host *host, const struct scan_request *request, struct scan *ret,
	     struct error *err);

#endif

/* A scan as a whole: from what a person asked to a struct scan. */
#ifndef SCAN_SCAN_H
#define SCAN_SCAN_H

#include "model/query.h"
#include "model/services.h"
#include "scan/job.h"
#include "scan/stranger.h"
#include "scan/targets.h"
#include "source/host.h"

enum scan_method { METHOD_AUTO, METHOD_CONNECT, METHOD_SYN, METHOD_MAX };

struct scan_request {
	char **targets;	  /* NULL ends; none: every address of the place */
	const char *list; /* more targets, as targets_add_list() takes them; NULL */
	const char *exclude, *ports;
	bool protos[PROTO_MAX];
	struct netns_scope scope; /* which places of this host; "self" is usual */
	const char *from;	  /* "stranger", or a namespace: of from_scope; NULL: itself */
	struct netns_scope from_scope;
	enum scan_method method;
	uint32_t rate;		  /* probes a second; 0: as the path is */
	uint64_t max_time_ms;	  /* for all; 0: none */
	const struct scan *known; /* a saved one that is gone on with: only what it does not know is
				   * asked; NULL */
	bool is_sure;		  /* --yes */
	const struct stop *stop;
	struct progress *progress;
	/* Told before anything is sent to an address of others: how many addresses, what. */
	void (*announce)(uint32_t n_addresses, uint64_t n_probes, void *data);
	/* Told before anything is sent to this host's own addresses: what may come of it. */
	void (*warn)(const char *text, void *data);
	bool identifies;    /* what stands behind open doors will be asked, */
	bool asks_printers; /* and the ports that printers print from, of other hosts */
	void *data;
};

/* Scans. @ret is initialised, and holds what is known where it was broken off. @places (of struct
 * found_netns, initialised; netns_list_done by the caller): where the results were seen from.
 * @stranger: the one of --from stranger, to be ended by the caller; zeroed.
 * 0; -EINVAL (the request), other negative errno; with @err told. */
int scan_run(struct host *host, const struct scan_request *request, struct vector *places,
	     struct stranger *stranger, struct scan *ret, struct error *err);

/* What stands behind the open doors that are told by themselves: those of this host, and with
 * @of_others all. Another service than the number's changes the verdict. After scan_run and
 * compare_answers, with the same @places. 0 or negative errno with @err told. */
int scan_identify(const struct scan_request *request, const struct vector *places,
		  const struct services *services, bool of_others, struct scan *scan,
		  struct error *err);

#endif

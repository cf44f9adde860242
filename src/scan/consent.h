/* Before anything is sent: how much it is, whether that was allowed, and who may mind. */
#ifndef SCAN_CONSENT_H
#define SCAN_CONSENT_H

#include "scan/scan.h"

/* Doors that are asked at each address. */
uint64_t consent_each(const struct scan_request *request, uint32_t n_ports);

/* Whether the answers of one place's @targets have room. 0, or -EINVAL with @err told. */
int consent_to_doors(uint64_t each, const struct targets *targets, struct error *err);

/* Nobody is asked more than he was said to be: @n_foreign addresses of others, of all @n_places
 * that are scanned from. 0, or -EINVAL with @err told. */
int consent_to_foreign(const struct scan_request *request, uint64_t each, uint64_t n_foreign,
		       uint32_t n_places, struct error *err);

/* Tells whom of @targets that are not this host's something will be sent to; nothing where there
 * are none. */
void consent_announce(const struct scan_request *request, uint64_t each,
		      const struct targets *targets);

/* Whoever asks too much of this host may be shut out by its own guard: told, where there is one and
 * something of this host's is asked. */
void consent_warn_of_guard(struct host *host, const struct scan_request *request,
			   const struct targets *targets);

#endif

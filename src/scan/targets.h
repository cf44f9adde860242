/* Whom a scan is for: what a person types, to addresses. */
#ifndef SCAN_TARGETS_H
#define SCAN_TARGETS_H

#include "base/error.h"
#include "model/netns.h"
#include "model/scan.h"

#define TARGETS_MAX (1u << 20)
#define TARGETS_UNASKED_MAX 256 /* addresses of others that need no --yes */

struct targets {
	struct vector list; /* struct scan_target, in the order typed, each once */
	uint32_t n_foreign;
};

void targets_init(struct targets *targets);
void targets_done(struct targets *targets);

/* Adds what @text names: an address, a name, a CIDR ("10.0.0.0/24", "fd00::/120"). Names are looked
 * up once, here; what is scanned is what was found. Strings go to @arena. 0; -EINVAL (no target, or
 * one that nobody should send to), other negative errno; with @err told. */
int targets_add(struct targets *targets, const char *text, const struct netns *place,
		struct arena *arena, struct error *err);

/* Every address of @place that is up. @from_outside: without those that nobody else can come to. */
int targets_add_own(struct targets *targets, const struct netns *place, bool from_outside,
		    struct error *err);

/* One target a line or word; "#" begins a remark. */
int targets_add_list(struct targets *targets, const char *text, const struct netns *place,
		     struct arena *arena, struct error *err);

/* Takes out what the comma-separated @text names. */
int targets_exclude(struct targets *targets, const char *text, struct arena *arena,
		    struct error *err);

/* "22,80-90,https,-" to ascending ports, each once. @ret: uint16_t. 0 or -EINVAL with @err told. */
int ports_parse(const char *text, struct vector *ret, struct error *err);

#endif

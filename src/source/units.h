/* Unit files as one systemd sees them: which directory counts, what is masked, what drop-ins change
 * (systemd.unit(5)). */
#ifndef SOURCE_UNITS_H
#define SOURCE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/host.h"

/* Each unit whose name ends in @kind (".socket") of the systemd with @pid. @start begins one,
 * @text gives its file and then its drop-ins in their order, @end ends it. 0, -ENOMEM, or what
 * these said. */
struct unit_reader {
	int (*start)(void *data, const char *name);
	int (*text)(void *data, const char *text, size_t n);
	int (*end)(void *data, const char *name);
	void *data;
};
int units_read(struct host *host, int32_t pid, bool is_user, const char *kind,
	       const struct unit_reader *reader);

/* It runs, as far as the systemd with @pid has written down. */
bool units_is_active(struct host *host, int32_t pid, const char *name);

#endif

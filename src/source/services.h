/* The host's own names of ports: /etc/services. */
#ifndef SOURCE_SERVICES_H
#define SOURCE_SERVICES_H

#include "base/arena.h"
#include "model/services.h"
#include "source/host.h"

/* *@ret in @arena, sorted; NULL where there is no such file. 0 or -ENOMEM with @err told. */
int services_read(struct host *host, struct arena *arena, const struct services **ret,
		  struct error *err);

/* The same of a file's text. 0 or -ENOMEM. Pure. */
int services_parse(const char *text, size_t n, struct arena *arena, const struct services **ret);

#endif

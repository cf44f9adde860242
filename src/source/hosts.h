/* /etc/hosts, and what /etc/gai.conf says of the order of addresses. */
#ifndef SOURCE_HOSTS_H
#define SOURCE_HOSTS_H

#include "base/arena.h"
#include "base/error.h"
#include "model/hosts.h"
#include "source/host.h"

/* hosts(5). Strings and the table are in @arena. Lines that are none of the form are passed over.
 * 0, -ENOMEM. */
int hosts_parse(const char *bytes, size_t n, struct arena *arena, struct hosts *ret);

/* gai.conf(5): a line "precedence ::ffff:0:0/96 N" with N above the 50 that ::1 has. */
bool gai_puts_v4_first(const char *bytes, size_t n);

/* An absent file is an empty one. 0, or negative errno with @err told. */
int hosts_read(struct host *host, struct arena *arena, struct hosts *ret, struct error *err);

#endif

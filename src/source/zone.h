/* The time zone of whoever calls: TZ, else /etc/localtime. */
#ifndef SOURCE_ZONE_H
#define SOURCE_ZONE_H

#include "model/calendar.h"

extern const struct zone zone_local;

/* The wall clock, ns since 1970. */
uint64_t zone_now_ns(void);

#endif

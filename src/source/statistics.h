/* Counters of the protocols from /proc/net/snmp and snmp6, of the namespace that we run in. */
#ifndef SOURCE_STATISTICS_H
#define SOURCE_STATISTICS_H

#include "base/error.h"
#include "model/statistics.h"
#include "source/host.h"

/* Each adds what it finds in @n bytes. Lines that are none of the form are passed over. 0, -ENOMEM.
 */
int snmp_parse(const char *bytes, size_t n, struct statistics *ret);
int snmp6_parse(const char *bytes, size_t n, struct statistics *ret);

/* @ret is initialised by the caller. Without IPv6 its groups are absent. 0, or negative errno with
 * @err told. */
int statistics_read(struct host *host, struct statistics *ret, struct error *err);

/* Adds those of /proc/net/netstat: "TcpExt", "ListenOverflows". 0, or negative errno with @err
 * told. */
int statistics_read_more(struct host *host, struct statistics *ret, struct error *err);

#endif

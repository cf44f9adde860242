/* Many inquiries in one loop, in this process. */
#ifndef SCAN_IDENTIFY_LOOP_H
#define SCAN_IDENTIFY_LOOP_H

#include "scan/identify.h"
#include "scan/tls/tls.h"

/* identify_ports (scan/identify.h) without a process of its own. @tls may be NULL. */
int identify_here(const struct identify_target *targets, size_t n,
		  const struct identify_options *options, const struct tls_functions *tls,
		  struct identify_sink *sink, struct stop *stop, struct error *err);

#endif

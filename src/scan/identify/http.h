/* What stands behind HTTP: applications that are known by an answer of theirs. */
#ifndef SCAN_IDENTIFY_HTTP_H
#define SCAN_IDENTIFY_HTTP_H

#include "scan/identify/protocol.h"

/* Up to ASK_PODS one after the other; the others where an application is known. */
enum http_ask {
	ASK_ROOT,
	ASK_VERSION,
	ASK_METRICS,
	ASK_PODS,
	ASK_KEYS,
	ASK_PING,
	ASK_CONTAINERS,
	ASK_MAX
};

struct http_answer {
	enum http_ask ask; /* what was asked for */
	unsigned status;
	const char *server; /* the Server header; "" none */
	const char *api;    /* the Api-Version header; "" none */
	const char *body;   /* its beginning */
	size_t n;
};

/* The application that the answer shows, into @seen: true. */
bool http_read_docker(const struct http_answer *answer, struct identified *seen);
bool http_may_be_engine(const struct http_answer *answer); /* of the root: Docker's or Podman's */
bool http_read_etcd(const struct http_answer *answer, struct identified *seen);
bool http_read_elasticsearch(const struct http_answer *answer, struct identified *seen);
bool http_read_kubernetes(const struct http_answer *answer, struct identified *seen);
bool http_read_printer(const struct http_answer *answer, struct identified *seen);
bool http_read_proxy(const struct http_answer *answer, struct identified *seen);

/* A line of /metrics: true where it names program and version. */
bool http_read_metric(const char *line, size_t n, struct identified *seen);

#endif

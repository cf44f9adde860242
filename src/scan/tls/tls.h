/* TLS as a client that looks at everything and trusts nothing: to see which version, cipher and
 * certificate a server has, and to speak with what is inside. No socket: bytes in, bytes out. A
 * module (base/module.h): module_get("tls", TLS_VERSION, ...) gives `struct tls_functions`. */
#ifndef SCAN_TLS_TLS_H
#define SCAN_TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/identified.h"

#define TLS_VERSION 1

struct tls; /* one connection */

enum tls_offer { TLS_OFFER_NOTHING, TLS_OFFER_HTTP1, TLS_OFFER_HTTP2 }; /* ALPN; the last: both */

struct tls_functions {
	/* @name: sent as server name, NULL: none. NULL when there is no memory. The hello stands in
	 * drain() at once. */
	struct tls *(*open)(const char *name, enum tls_offer offer);
	void (*close)(struct tls *tls); /* NULL is fine */
	/* What the peer sent, all of it taken. 0 or negative errno. */
	int (*feed)(struct tls *tls, const void *bytes, size_t n);
	/* What is to be sent to the peer; 0: nothing. */
	size_t (*drain)(struct tls *tls, void *to, size_t size);
	/* 0: the handshake is done, -EAGAIN: more is needed, -EPROTO: it failed. */
	int (*shake)(struct tls *tls);
	/* What the peer said inside. Bytes, -EAGAIN, 0: it said its end, -EPROTO. */
	ssize_t (*read)(struct tls *tls, void *to, size_t size);
	int (*write)(struct tls *tls, const void *bytes, size_t n); /* 0 or negative errno */
	void (*end)(struct tls *tls);				    /* says our end */
	/* After the handshake, or as far as it came: into @ret, and its bits into *@findings. @now
	 * in seconds. */
	void (*describe)(struct tls *tls, int64_t now, struct identified_tls *ret,
			 uint32_t *findings);
	bool (*is_h2)(struct tls *tls); /* ALPN gave "h2" */
};

#endif

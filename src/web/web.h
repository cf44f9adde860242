/* The front of `serve`: HTTP by libevent's evhttp, in a process that has no capability. It guards,
 * bounds, and turns what a page asks into requests of a fixed size (serve/request.h) to the desk. A
 * module (base/module.h): module_get("web", WEB_VERSION, ...) gives `struct web_functions`. */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define WEB_VERSION 1
#define WEB_NAMES_MAX 8
#define WEB_TOKEN_LENGTH 64 /* hexadecimal digits: 256 bits */

struct web_settings {
	int desk;	/* the socket to the desk; the front ends with it */
	int ready;	/* where a struct error is written once: code 0 when it listens */
	int page;	/* listening; -1: none */
	int metrics;	/* listening; -1: none */
	uid_t uid;	/* whose the other end of a connection must be */
	bool is_socket; /* the page's is AF_UNIX: any port of a forwarding is right */
	bool is_public; /* --listen: anybody may come, by TLS */
	bool is_read_only;
	const char *token;		  /* WEB_TOKEN_LENGTH digits */
	const char *names[WEB_NAMES_MAX]; /* hosts by which the page is called, without the port */
	uint16_t port, metrics_port;	  /* 0: any */
	bool is_metrics_loopback;	  /* its Host is looked at: names of this host alone */
	const char *metrics_name;	  /* as it stands in an address of the web; NULL: none */
	const char *certificate, *key;	  /* files in PEM, by name; NULL: no TLS */
	int certificate_fd, key_fd;	  /* and open; closed when they were read */
};

struct web_functions {
	/* Serves until the desk closes its end. 0, or negative errno with @err told. */
	int (*run)(const struct web_settings *settings, struct error *err);
};

#endif

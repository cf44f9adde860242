/* Where `serve` listens, and its token. */
#ifndef CMD_SERVING_H
#define CMD_SERVING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* "127.0.0.1", "[::1]:9000", "0.0.0.0:9000" to an address and a port; *@ret_port stays where none
 * is said. 0, or -EINVAL with @err told. */
int serving_parse(const char *text, char *address, size_t size, uint16_t *ret_port,
		  struct error *err);

/* A name as it stands between https:// and the port. */
bool serving_is_host(const char *name);

/* Bound and listening; *@port is the one that it got. Where another has it, the hint is to take
 * another by @option. A descriptor or negative errno with @err told. */
int serving_listen(const char *address, uint16_t *port, const char *option, struct error *err);

/* Only this host comes to what listens at @fd. */
bool serving_is_loopback(int fd);

/* The same at a path, which only @uid may open; a socket there that nobody listens at goes. */
int serving_listen_at(const char *path, uid_t uid, struct error *err);

/* 256 bits of the kernel's randomness as 64 hexadecimal digits and NUL. 0 or negative errno. */
int serving_token(char to[65]);

/* A file that only @uid may read, by which a browser finds @address, so that it stands in no
 * command line; and the browser of @uid that opens it. @path: the file, to be removed; "" where
 * there is none. 0 or negative errno with @err told. */
int serving_open(const char *address, uid_t uid, char *path, size_t size, struct error *err);

#endif

/* A question's end as the kernel's calls take it. */
#ifndef WHY_ENDPOINT_H
#define WHY_ENDPOINT_H

#include <sys/socket.h>

#include "model/diagnosis.h"

/* A socket of its family and protocol; @flags as of socket(2). Negative errno. */
int endpoint_socket(const struct question *question, int flags);
/* Its address and port; the length. */
socklen_t endpoint_address(const struct question *question, struct sockaddr_storage *ret);
/* @ip in the question's family, with @port. */
socklen_t endpoint_of(const struct question *question, const struct ip *ip, uint16_t port,
		      struct sockaddr_storage *ret);
/* The address of @n bytes into ip, is_v4, port and scope of @ret. False: of no internet family. */
bool endpoint_parse(const struct sockaddr_storage *address, size_t n, struct question *ret);

#define ENDPOINT_TEXT 64
/* "127.0.0.1:80", "[::1]:80", at @to with NUL. */
const char *endpoint_text(const struct ip *ip, bool is_v4, uint16_t port, char to[ENDPOINT_TEXT]);

#endif

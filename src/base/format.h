/* Numbers, addresses and times as text, without allocation and without locale. */
#ifndef BASE_FORMAT_H
#define BASE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define FORMAT_NUMBER_MAX 21 /* a sign and twenty digits */
#define FORMAT_IP_MAX 46     /* INET6_ADDRSTRLEN */

/* Each writes at @to without a NUL and returns how many bytes. */
size_t format_u64(char *to, uint64_t number);
size_t format_i64(char *to, int64_t number);
size_t format_ipv4(char *to, const uint8_t bytes[4]);
size_t format_ipv6(char *to, const uint8_t bytes[16]); /* RFC 5952; ::ffff:a.b.c.d with dots */

/* "3 s", "2 min", "5 h", "3 days": a length of time for a person. */
size_t format_duration(char *to, size_t size, uint64_t seconds);
/* "512 B", "1.2 MiB". */
size_t format_size(char *to, size_t size, uint64_t bytes);

#endif

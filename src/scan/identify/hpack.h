/* HPACK (RFC 7541), as far as one header of a first answer needs it. */
#ifndef SCAN_IDENTIFY_HPACK_H
#define SCAN_IDENTIFY_HPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of "server" in a header block, as text with a NUL; false: there is none. */
bool hpack_find_server(const uint8_t *in, size_t n, char *to, size_t size);

#endif

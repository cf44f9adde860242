/* A scan that was saved as JSON, read again: to go on with it, or to see what has changed
 * (changes.h). */
#ifndef SCAN_SAVED_H
#define SCAN_SAVED_H

#include "base/error.h"
#include "model/scan.h"

/* @text is what --json wrote, of @n bytes. @ret is initialised. 0; -EINVAL (it is no scan),
 * -ENOMEM; with @err told. */
int saved_scan_parse(const char *text, size_t n, struct scan *ret, struct error *err);

/* The answer of the saved scan for that door, or NULL. */
const struct answer *saved_scan_answer(const struct scan *saved, const struct scan_target *target,
				       uint8_t proto, uint16_t port);

/* What stood behind it then, or NULL. */
const struct identified *saved_scan_identified(const struct scan *saved,
					       const struct scan_target *target, uint8_t proto,
					       uint16_t port);

#endif

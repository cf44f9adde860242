/* What terminfo(5) has. Apart, because <term.h> makes macros of everyday words. */
#ifndef SCREEN_TERMINFO_H
#define SCREEN_TERMINFO_H

#include <stdbool.h>

#include "base/out.h"

bool terminfo_has(const char *name, const char *capability); /* a string of that entry */

/* The entry of @term, but for colours of 24 bits, as TERMINFO takes it in place of a directory;
 * its name is TERMINFO_OWN. For the entries that say so (xterm-direct) are in packages that few
 * hosts have. False: @term is unknown or has no colours, or no memory. */
#define TERMINFO_OWN "doorward"
bool terminfo_direct(const char *term, struct out *ret);

#endif

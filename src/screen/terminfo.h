/* What terminfo(5) has. Apart, because <term.h> makes macros of everyday words. */
#ifndef SCREEN_TERMINFO_H
#define SCREEN_TERMINFO_H

#include <stdbool.h>

bool terminfo_has(const char *name); /* an entry of that name */

#endif

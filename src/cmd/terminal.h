/* The terminal that the output goes to, if it is one. */
#ifndef CMD_TERMINAL_H
#define CMD_TERMINAL_H

#include "cmd/command.h"

/* Fills is_terminal, has_colour, is_utf8, columns, rows. Touches no locale. */
void terminal_detect(struct context *context);

/* Sends what is written from here on through a pager where it may be longer than the screen:
 * $DOORWARD_PAGER, $PAGER, less -FRX. An interrupt is the pager's from here on. False: there is
 * none. */
bool terminal_start_pager(struct context *context);
/* What is written between the two is kept, and goes through the pager where it is longer than the
 * screen. */
void terminal_hold_page(struct context *context);
void terminal_show_page(struct context *context, bool has_pager);

/* Waits for it; after the last flush. 0; -ENOEXEC: it could not be started, and nothing was shown.
 */
int terminal_end_pager(struct context *context);

#endif

/* Which colour an ink is on the terminal that is there. */
#ifndef SCREEN_PALETTE_H
#define SCREEN_PALETTE_H

#include "view/canvas.h"

enum colours { COLOURS_NONE, COLOURS_8, COLOURS_16, COLOURS_256, COLOURS_DIRECT };

/* The terminal's number of the colour (0xRRGGBB where it is direct); -1: its own. */
int palette_colour(enum ink ink, enum colours colours, bool is_light);

#endif

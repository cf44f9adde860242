/* A terminal, through ncursesw: a canvas is sent to it (only what has changed), keys and the mouse
 * come back. A module (base/module.h): module_get("screen", SCREEN_VERSION, ...) gives
 * `struct screen_functions`. */
#ifndef SCREEN_SCREEN_H
#define SCREEN_SCREEN_H

#include "base/error.h"
#include "view/canvas.h"

#define SCREEN_VERSION 1

enum input_kind {
	INPUT_NONE, /* nothing is there */
	INPUT_CHAR, /* point: a character, or a control key's below 32 */
	INPUT_UP,
	INPUT_DOWN,
	INPUT_LEFT,
	INPUT_RIGHT,
	INPUT_PAGE_UP,
	INPUT_PAGE_DOWN,
	INPUT_HOME,
	INPUT_END,
	INPUT_ENTER,
	INPUT_ESCAPE,
	INPUT_TAB,
	INPUT_BACKTAB,
	INPUT_BACKSPACE,
	INPUT_DELETE,
	INPUT_HELP,    /* F1 */
	INPUT_COLUMNS, /* F2 */
	INPUT_PRESS,   /* of the mouse at row, column */
	INPUT_DOUBLE,
	INPUT_WHEEL_UP,
	INPUT_WHEEL_DOWN,
	INPUT_OTHER, /* a key that nobody asked for */
};

struct input {
	enum input_kind kind;
	uint32_t point;
	int row, column;
	bool is_pasted; /* text that somebody pasted: no command */
};

struct screen; /* one terminal, in use */

struct screen_options {
	bool has_colour, is_utf8;
};

struct screen_functions {
	/* Takes the terminal at standard input and output, asks it for its background (150 ms at
	 * most). 0; -ENOTTY, -ENOTSUP (it cannot move its cursor) and others with @err told. */
	int (*open)(const struct screen_options *options, struct screen **ret, struct error *err);
	/* Leaves the terminal as it was. NULL is fine. */
	void (*close)(struct screen *screen);
	/* As the terminal has it now: after SIGWINCH. */
	void (*measure)(struct screen *screen, unsigned *rows, unsigned *columns);
	/* Shows it; a canvas of another size than the terminal's is cut. */
	void (*draw)(struct screen *screen, const struct canvas *canvas);
	/* All is sent anew next time. */
	void (*redraw)(struct screen *screen);
	/* Does not wait. */
	void (*read)(struct screen *screen, struct input *ret);
	void (*suspend)(struct screen *screen); /* the terminal as it was */
	void (*resume)(struct screen *screen);
	/* Bytes past the grid, as an OSC: the caller vouches for them. */
	void (*send)(struct screen *screen, const char *bytes, size_t n);
};

#endif

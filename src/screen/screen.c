/* A terminal, through ncursesw. */
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <wchar.h>

#include "base/clock.h"
#include "base/module.h"
#include "screen/background.h"
#include "screen/palette.h"
#include "screen/screen.h"
#include "screen/terminfo.h"

#define ESCAPE_MS 25	       /* behind ESC the rest of a key's bytes follow; or ESCDELAY */
#define SEQUENCE_MS 500	       /* behind its beginning the rest of a sequence comes within */
#define PASTE_ON "\033[?2004h" /* bracketed paste: what is pasted is told from what is typed */
#define PASTE_OFF "\033[?2004l"

struct screen {
	SCREEN *terminal;
	struct canvas shown; /* what the terminal has */
	enum colours colours;
	bool is_light, is_all_new, is_pasting, is_utf8, is_suspended;
	int cursor;
	/* Bytes that are no key are still to come: those of a sequence that began with ESC and
	 * this; 0: of none. */
	char passing;
	char passed[4]; /* its first ones */
	unsigned n_passed;
	wint_t last_passed;
	uint64_t passed_ms;
	uint64_t escaped_ms; /* when ESC came, and nothing behind it; 0: a character has come since
			      */
};

static void send_text(struct screen *screen, const char *bytes, size_t n)
{
	(void)screen;
	fflush(stdout);
	while (n) {
		ssize_t done = write(STDOUT_FILENO, bytes, n);
		if (done < 0 && errno != EINTR)
			return;
		bytes += done > 0 ? done : 0;
		n -= done > 0 ? (size_t)done : 0;
	}
}

/* ---- opening ---- */

static enum background ask_background(struct typed *typed)
{
	struct termios was, raw;
	const char *term = getenv("TERM");
	enum background found = background_of_variable(getenv("COLORFGBG"));
	/* the console of Linux takes the question for text, and so may one that nobody knows */
	if (!term || strcmp(term, "linux") == 0 || !terminfo_has(term, "cup") ||
	    tcgetattr(STDIN_FILENO, &was) < 0)
		return found;
	raw = was;
	cfmakeraw(&raw);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	enum background told = background_ask(STDIN_FILENO, STDOUT_FILENO, typed);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &was);
	return told == BACKGROUND_UNKNOWN ? found : told;
}

static enum colours count_colours(void)
{
	if (!has_colors())
		return COLOURS_NONE;
	start_color();
	use_default_colors();
	if (tigetflag("RGB") > 0 || tigetnum("RGB") > 0)
		return COLOURS_DIRECT;
	return COLORS >= 256 ? COLOURS_256 : COLORS >= 16 ? COLOURS_16 : COLOURS_8;
}

/* Where the terminal says that it has 24 bits of colour. TERMINFO stays set where nothing was in
 * its place, for other threads may read the environment: a variable more is none the less. */
static SCREEN *open_direct(bool has_colour)
{
	const char *colours = getenv("COLORTERM"), *term = getenv("TERM"),
		   *was = getenv("TERMINFO");
	cleanup(out_done) struct out entry = {.fd = -1};
	if (!has_colour || !colours || !term ||
	    (strcmp(colours, "truecolor") != 0 && strcmp(colours, "24bit") != 0) ||
	    out_init(&entry, -1) < 0 || !terminfo_direct(term, &entry))
		return NULL;
	cleanup(freep) char *kept = was ? strdup(was) : NULL;
	if ((was && !kept) || setenv("TERMINFO", entry.data, 1) < 0)
		return NULL;
	SCREEN *terminal = newterm(TERMINFO_OWN, stdout, stdin);
	if (kept)
		setenv("TERMINFO", kept, 1);
	return terminal;
}

static void set_modes(void)
{
	raw(); /* ^C and ^Z come as keys; signals from elsewhere come as signals */
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	meta(stdscr, TRUE);
	mousemask(BUTTON1_CLICKED | BUTTON1_PRESSED | BUTTON1_DOUBLE_CLICKED | BUTTON4_PRESSED |
			  BUTTON5_PRESSED,
		  NULL);
	mouseinterval(0);
}

static void take_locale(bool is_utf8)
{
	setlocale(LC_CTYPE, "");
	if (is_utf8 && MB_CUR_MAX < 4) /* one that was never generated */
		setlocale(LC_CTYPE, "C.UTF-8");
}

static int open_screen(const struct screen_options *options, struct screen **ret, struct error *err)
{
	const char *term = getenv("TERM");
	struct typed typed = {.n = 0};
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		error_text(err, -ENOTTY, "standard input and output are no terminal");
		error_hint(err, "`doorward list` is for pipes and files");
		return -ENOTTY;
	}
	struct screen *screen = calloc(1, sizeof(*screen));
	if (!screen)
		return error_set(err, -ENOMEM, "take the terminal");
	take_locale(options->is_utf8);
	screen->is_utf8 = options->is_utf8;
	screen->is_light = options->has_colour && ask_background(&typed) == BACKGROUND_LIGHT;
	set_escdelay(ESCAPE_MS);
	screen->terminal = open_direct(options->has_colour);
	if (!screen->terminal)
		screen->terminal = newterm(NULL, stdout, stdin);
	if (!screen->terminal || !tigetstr("cup") || tigetstr("cup") == (char *)-1) {
		if (screen->terminal) {
			endwin();
			delscreen(screen->terminal);
		}
		free(screen);
		error_text(err, -ENOTSUP,
			   "the terminal %.40s cannot move its cursor, or is unknown",
			   term && *term ? term : "(TERM is not set)");
		error_hint(err, "set TERM to what it is, such as xterm-256color");
		return -ENOTSUP;
	}
	set_modes();
	screen->colours = options->has_colour ? count_colours() : COLOURS_NONE;
	screen->cursor = -1;
	screen->is_all_new = true;
	send_text(screen, PASTE_ON, sizeof(PASTE_ON) - 1);
	while (typed.n) /* the last that is put back is read first */
		ungetch((unsigned char)typed.bytes[--typed.n]);
	*ret = screen;
	return 0;
}

static void suspend(struct screen *screen)
{
	send_text(screen, PASTE_OFF, sizeof(PASTE_OFF) - 1);
	curs_set(1);
	endwin();
	screen->is_suspended = true;
}

static void close_screen(struct screen *screen)
{
	if (!screen)
		return;
	if (!screen->is_suspended) /* else it is another's now */
		suspend(screen);
	delscreen(screen->terminal);
	canvas_done(&screen->shown);
	free(screen);
}

static void resume(struct screen *screen)
{
	set_modes();
	send_text(screen, PASTE_ON, sizeof(PASTE_ON) - 1);
	screen->cursor = -1;
	screen->is_all_new = true;
	screen->is_suspended = false;
}

static void measure(struct screen *screen, unsigned *rows, unsigned *columns)
{
	struct winsize size = {0};
	(void)screen;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col) {
		size.ws_row = (unsigned short)(LINES > 0 ? LINES : 24);
		size.ws_col = (unsigned short)(COLS > 0 ? COLS : 80);
	}
	if (size.ws_row != LINES || size.ws_col != COLS)
		resizeterm(size.ws_row, size.ws_col);
	*rows = size.ws_row;
	*columns = size.ws_col;
}

/* ---- drawing ---- */

static void put_cell(const struct screen *screen, unsigned row, unsigned column,
		     const struct grid_cell *cell)
{
	cchar_t shown;
	wchar_t text[3] = {(wchar_t)cell->points[0], (wchar_t)cell->points[1], 0};
	attr_t attributes = (cell->style.flags & CELL_BOLD ? A_BOLD : 0) |
			    (cell->style.flags & CELL_REVERSE ? A_REVERSE : 0) |
			    (cell->style.flags & CELL_DIM ? A_DIM : 0) |
			    (cell->style.flags & CELL_UNDERLINE ? A_UNDERLINE : 0);
	if (screen->colours == COLOURS_NONE && cell->style.paper != INK_PLAIN)
		attributes ^= A_REVERSE; /* a bar and the chosen row are to be seen all the same */
	int ink = palette_colour((enum ink)cell->style.ink, screen->colours, screen->is_light),
	    paper = palette_colour((enum ink)cell->style.paper, screen->colours, screen->is_light);
	int pair = screen->colours == COLOURS_NONE || (ink < 0 && paper < 0)
			   ? 0
			   : alloc_pair(ink, paper);
	if (wcwidth(text[0]) != cell->width) { /* the library counts otherwise than the terminal */
		text[0] = '?';
		text[1] = 0;
	}
	if (pair < 0)
		pair = 0;
	if (setcchar(&shown, text, attributes, (short)pair, &pair) == OK)
		mvadd_wch((int)row, (int)column, &shown);
	for (unsigned i = 1; text[0] == '?' && i < cell->width; i++)
		mvaddch((int)row, (int)(column + i), ' ');
}

/* What was shown is remembered, so that a cell that is the same costs a comparison. False: no
 * memory; then all is put. */
static bool remember_size(struct screen *screen, const struct canvas *canvas)
{
	if (screen->shown.cells && screen->shown.rows == canvas->rows &&
	    screen->shown.columns == canvas->columns)
		return true;
	canvas_done(&screen->shown);
	screen->is_all_new = true;
	return canvas_init(&screen->shown, canvas->rows, canvas->columns, canvas->is_utf8) == 0;
}

static void put_cursor(struct screen *screen, const struct canvas *canvas)
{
	int wanted = canvas->cursor_row >= 0;
	if (wanted != screen->cursor)
		curs_set(wanted);
	screen->cursor = wanted;
	if (wanted)
		move(canvas->cursor_row, canvas->cursor_column);
}

static void draw(struct screen *screen, const struct canvas *canvas)
{
	bool is_known = remember_size(screen, canvas);
	if (screen->is_all_new) {
		erase();
		clearok(curscr, TRUE);
	}
	for (unsigned row = 0; row < canvas->rows && row < (unsigned)LINES; row++)
		for (unsigned column = 0; column < canvas->columns && column < (unsigned)COLS;
		     column++) {
			const struct grid_cell *cell = canvas_at(canvas, row, column);
			if (!cell->width || (is_known && !screen->is_all_new &&
					     memcmp(cell, canvas_at(&screen->shown, row, column),
						    sizeof(*cell)) == 0))
				continue;
			put_cell(screen, row, column, cell);
		}
	if (is_known)
		memcpy(screen->shown.cells, canvas->cells,
		       (size_t)canvas->rows * canvas->columns * sizeof(*canvas->cells));
	screen->is_all_new = false;
	put_cursor(screen, canvas);
	refresh();
}

static void redraw(struct screen *screen)
{
	screen->is_all_new = true;
}

/* ---- keys ---- */

static int next_key(wint_t *key)
{
	return wget_wch(stdscr, key);
}

/* Of what has passed @key is the last. "[[A" is a key of the console of Linux, behind "[M" come
 * three bytes of the mouse. */
static bool is_last(const struct screen *screen, wint_t key)
{
	if (screen->passing == '[' && screen->passed[0] == 'M')
		return screen->n_passed == 4;
	if (screen->passing == '[' && screen->passed[0] == '[')
		return screen->n_passed == 2;
	if (screen->passing == '[' || screen->passing == 'O')
		return key >= 0x40 && key <= 0x7e;
	return key == '\a' || (key == '\\' && screen->last_passed == 27);
}

/* The bytes of a sequence that ncurses does not know: an answer that came late, a paste's brackets.
 * None of them may be taken for a key, those neither that come with a later read. */
static void pass_over(struct screen *screen)
{
	wint_t key;
	int r;
	while ((r = next_key(&key)) == OK) {
		screen->passed_ms = clock_ms();
		if (screen->n_passed < sizeof(screen->passed))
			screen->passed[screen->n_passed] = key < 128 ? (char)key : '?';
		screen->n_passed++;
		bool is_end = is_last(screen, key);
		screen->last_passed = key;
		if (!is_end)
			continue;
		if (screen->passing == '[' && screen->n_passed == 4 &&
		    memcmp(screen->passed, "20", 2) == 0 && screen->passed[3] == '~')
			screen->is_pasting = screen->passed[2] == '0';
		screen->passing = 0;
		return;
	}
	if (r == KEY_CODE_YES) { /* it was broken off */
		screen->passing = 0;
		ungetch((int)key);
	}
}

static void begin_passing(struct screen *screen, wint_t first)
{
	screen->passing = (char)first;
	screen->n_passed = 0;
	screen->last_passed = 0;
	screen->passed_ms = clock_ms();
	pass_over(screen);
}

static void read_escape(struct screen *screen, struct input *ret)
{
	wint_t key;
	int r = next_key(&key);
	ret->kind = INPUT_ESCAPE;
	if (r == OK && (key == '[' || key == ']' || key == 'P' || key == '_' || key == '^')) {
		begin_passing(screen, key);
		ret->kind = INPUT_OTHER;
	} else if (r == OK) {
		unget_wch((wchar_t)key); /* another key: it only came soon */
	} else if (r == KEY_CODE_YES) {
		ungetch((int)key);
	} else {
		screen->escaped_ms = clock_ms();
	}
}

/* The rest of a key whose ESC a slow link has brought before, and which was taken for Esc. */
static bool is_late_rest(const struct screen *screen, wint_t key)
{
	return (key == '[' || key == 'O') && screen->escaped_ms &&
	       clock_ms() - screen->escaped_ms <= SEQUENCE_MS;
}

/* True: nothing else is there yet. One whose rest never comes is given up. */
static bool is_passing(struct screen *screen)
{
	if (!screen->passing)
		return false;
	if (clock_ms() - screen->passed_ms > SEQUENCE_MS)
		screen->passing = 0;
	else
		pass_over(screen);
	return screen->passing != 0;
}

static void read_mouse(struct input *ret)
{
	MEVENT event;
	ret->kind = INPUT_OTHER;
	if (getmouse(&event) != OK)
		return;
	ret->row = event.y;
	ret->column = event.x;
	if (event.bstate & BUTTON4_PRESSED)
		ret->kind = INPUT_WHEEL_UP;
	else if (event.bstate & BUTTON5_PRESSED)
		ret->kind = INPUT_WHEEL_DOWN;
	else if (event.bstate & BUTTON1_DOUBLE_CLICKED)
		ret->kind = INPUT_DOUBLE;
	else if (event.bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED))
		ret->kind = INPUT_PRESS;
}

static enum input_kind kind_of(wint_t key)
{
	static const struct {
		wint_t key;
		enum input_kind kind;
	} kinds[] = {
		{KEY_UP, INPUT_UP},
		{KEY_DOWN, INPUT_DOWN},
		{KEY_LEFT, INPUT_LEFT},
		{KEY_RIGHT, INPUT_RIGHT},
		{KEY_PPAGE, INPUT_PAGE_UP},
		{KEY_NPAGE, INPUT_PAGE_DOWN},
		{KEY_HOME, INPUT_HOME},
		{KEY_END, INPUT_END},
		{KEY_ENTER, INPUT_ENTER},
		{KEY_BTAB, INPUT_BACKTAB},
		{KEY_BACKSPACE, INPUT_BACKSPACE},
		{KEY_DC, INPUT_DELETE},
		{KEY_F(1), INPUT_HELP},
		{KEY_F(2), INPUT_COLUMNS},
	};
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].key == key)
			return kinds[i].kind;
	return INPUT_OTHER;
}

static void read_char(struct screen *screen, wint_t key, struct input *ret)
{
	bool is_rest = is_late_rest(screen, key);
	ret->point = (uint32_t)key;
	screen->escaped_ms = 0;
	if (is_rest) {
		begin_passing(screen, key);
		ret->kind = INPUT_OTHER;
		return;
	}
	switch (key) {
	case 27:
		read_escape(screen, ret);
		return;
	case '\r':
	case '\n':
		ret->kind = INPUT_ENTER;
		return;
	case '\t':
		ret->kind = INPUT_TAB;
		return;
	case 8:
	case 127:
		ret->kind = INPUT_BACKSPACE;
		return;
	default:
		ret->kind = INPUT_CHAR;
	}
}

static void read_input(struct screen *screen, struct input *ret)
{
	wint_t key;
	*ret = (struct input){.kind = INPUT_NONE};
	if (is_passing(screen))
		return;
	int r = next_key(&key);
	if (r == KEY_CODE_YES && key == KEY_MOUSE)
		read_mouse(ret);
	else if (r == KEY_CODE_YES)
		ret->kind = kind_of(key);
	else if (r == OK)
		read_char(screen, key, ret);
	ret->is_pasted = screen->is_pasting;
}

static const struct screen_functions functions = {
	.open = open_screen,
	.close = close_screen,
	.measure = measure,
	.draw = draw,
	.redraw = redraw,
	.read = read_input,
	.suspend = suspend,
	.resume = resume,
	.send = send_text,
};

MODULE_DEFINE(screen) = {
	.name = "screen",
	.version = SCREEN_VERSION,
	.functions = &functions,
};

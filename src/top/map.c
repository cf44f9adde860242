/* The map: 256 x 256 doors, the high byte of the number down, the low byte across. A character
 * shows one, two (half blocks) or eight (braille) places, and a place as many doors as it must, so
 * that all are seen: of several the one that matters most. Zoomed, one row of 256 as 16 x 16. */
#include <string.h>

#include "base/format.h"
#include "model/services.h"
#include "top/actions.h"
#include "top/map.h"
#include "top/state.h"

enum drawing { DRAW_HALVES, DRAW_BRAILLE, DRAW_ASCII };

#define LABELS 7 /* columns before the map: the number of the first door of a line */

/* ---- what a place shows ---- */

static unsigned rank(uint8_t door)
{
	static const uint8_t of_state[DOOR_STATE_MAX] = {
		[DOOR_LEAVING] = 1, [DOOR_CONNECTED] = 2, [DOOR_BOUND] = 3, [DOOR_OPEN] = 4};
	static const uint8_t of_reach[DOOR_REACH_MAX] = {
		[DOOR_REACH_LOOPBACK] = 1, [DOOR_REACH_GROUP] = 2,  [DOOR_REACH_LINK_LOCAL] = 3,
		[DOOR_REACH_PRIVATE] = 4,  [DOOR_REACH_PUBLIC] = 5, [DOOR_REACH_ANY] = 6};
	return of_state[door_state(door)] * 16u + of_reach[door_reach(door)] * 2u +
	       (door & DOOR_CHANGED ? 128u : 0);
}

uint16_t map_most(const uint8_t *doors, struct map_area area)
{
	uint16_t best = (uint16_t)(area.row * 256 + area.column);
	for (unsigned row = area.row; row < area.row + area.down && row < 256; row++)
		for (unsigned column = area.column;
		     column < area.column + area.across && column < 256; column++) {
			uint16_t port = (uint16_t)(row * 256 + column);
			if (rank(doors[port]) > rank(doors[best]))
				best = port;
		}
	return best;
}

static enum ink ink_of(uint8_t door)
{
	static const uint8_t of_reach[DOOR_REACH_MAX] = {[DOOR_REACH_NONE] = INK_LOOPBACK,
							 [DOOR_REACH_LOOPBACK] = INK_LOOPBACK,
							 [DOOR_REACH_LINK_LOCAL] = INK_LINK_LOCAL,
							 [DOOR_REACH_PRIVATE] = INK_PRIVATE,
							 [DOOR_REACH_PUBLIC] = INK_PUBLIC,
							 [DOOR_REACH_ANY] = INK_ANY,
							 [DOOR_REACH_GROUP] = INK_GROUP};
	if (door & DOOR_CHANGED)
		return INK_FLASH;
	switch (door_state(door)) {
	case DOOR_OPEN:
		return (enum ink)of_reach[door_reach(door)];
	case DOOR_BOUND:
		return INK_BOUND;
	case DOOR_CONNECTED:
		return INK_CONNECTED;
	case DOOR_LEAVING:
		return INK_LEAVING;
	default:
		return door & DOOR_EPHEMERAL ? INK_CLOSED_EPHEMERAL : INK_CLOSED;
	}
}

/* For who sees no colour. */
static char letter_of(uint8_t door)
{
	static const char of_reach[] = "olkpPA*";
	static const char of_state[] = " b?c-";
	if (door_state(door) == DOOR_OPEN)
		return of_reach[door_reach(door)];
	if (door_state(door) == DOOR_CLOSED)
		return door & DOOR_CHANGED ? 'x' : door & DOOR_EPHEMERAL ? '.' : ' ';
	return of_state[door_state(door)];
}

/* ---- how it fits ---- */

static unsigned least_power(unsigned doors, unsigned places)
{
	unsigned n = 1;
	while (n < doors && n * places < doors)
		n *= 2;
	return n;
}

struct map_fit map_fit(unsigned rows, unsigned columns, unsigned across, unsigned down,
		       bool is_zoomed)
{
	unsigned size = is_zoomed ? 16 : 256;
	struct map_fit fit = {.size = size,
			      .across = least_power(size, columns * across),
			      .down = least_power(size, rows * down)};
	fit.columns = (size / fit.across + across - 1) / across;
	fit.rows = (size / fit.down + down - 1) / down;
	return fit;
}

/* ---- drawing ---- */

struct drawn {
	struct top *top;
	const uint8_t *doors;
	struct map_fit fit;
	unsigned first_row, first_column;
	uint16_t base; /* the first door, where it is zoomed */
};

/* The most important door at a place (@row, @column in places). */
static uint16_t at_place(const struct drawn *drawn, unsigned row, unsigned column)
{
	const struct map_fit *fit = &drawn->fit;
	if (fit->size == 16)
		return (uint16_t)(drawn->base + row * fit->down * 16 + column * fit->across);
	return map_most(drawn->doors, (struct map_area){row * fit->down, column * fit->across,
							fit->down, fit->across});
}

static bool has_cursor(const struct drawn *drawn, unsigned row, unsigned column)
{
	const struct map_fit *fit = &drawn->fit;
	uint16_t port = drawn->top->map.port;
	unsigned at_row = fit->size == 16 ? (port & 255u) / 16 : port / 256u,
		 at_column = fit->size == 16 ? (port & 255u) % 16 : port % 256u;
	return at_row / fit->down == row && at_column / fit->across == column;
}

static void draw_halves(const struct drawn *drawn, unsigned row, unsigned column)
{
	uint8_t above = drawn->doors[at_place(drawn, row * 2, column)], below = above;
	bool is_above = has_cursor(drawn, row * 2, column), is_below = false;
	if ((row * 2 + 1) * drawn->fit.down < drawn->fit.size) {
		below = drawn->doors[at_place(drawn, row * 2 + 1, column)];
		is_below = has_cursor(drawn, row * 2 + 1, column);
	}
	struct style style = {.ink = (uint8_t)(is_above ? INK_CURSOR : ink_of(above)),
			      .paper = (uint8_t)(is_below ? INK_CURSOR : ink_of(below))};
	canvas_point(&drawn->top->canvas, drawn->first_row + row, drawn->first_column + column,
		     style, 0x2580, '#');
}

static void draw_braille(const struct drawn *drawn, unsigned row, unsigned column)
{
	static const uint8_t dots[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
	uint32_t point = 0x2800;
	uint8_t best = 0;
	bool is_cursor = false;
	for (unsigned i = 0; i < 8; i++) {
		unsigned y = row * 4 + i / 2, x = column * 2 + i % 2;
		if (y * drawn->fit.down >= drawn->fit.size ||
		    x * drawn->fit.across >= drawn->fit.size)
			continue;
		uint8_t door = drawn->doors[at_place(drawn, y, x)];
		if (door_state(door) != DOOR_CLOSED || door & DOOR_CHANGED)
			point |= dots[i / 2][i % 2];
		if (rank(door) >= rank(best))
			best = door;
		if (!has_cursor(drawn, y, x))
			continue;
		is_cursor = true;
		point |= dots[i / 2][i % 2]; /* where in the character it is */
	}
	struct style style = {.ink = (uint8_t)ink_of(best)};
	if (point == 0x2800 && best & DOOR_EPHEMERAL)
		point = 0xb7; /* a dot in the middle: nothing, of the ephemeral range */
	if (is_cursor)
		style.flags = CELL_REVERSE;
	canvas_point(&drawn->top->canvas, drawn->first_row + row, drawn->first_column + column,
		     style, point, '#');
}

static void draw_letter(const struct drawn *drawn, unsigned row, unsigned column)
{
	uint8_t door = drawn->doors[at_place(drawn, row, column)];
	struct style style = {
		.ink = (uint8_t)(door_state(door) == DOOR_CLOSED && !(door & DOOR_CHANGED)
					 ? INK_DIM
					 : ink_of(door))};
	if (has_cursor(drawn, row, column))
		style.flags = CELL_REVERSE;
	canvas_fill(&drawn->top->canvas, drawn->first_row + row, drawn->first_column + column, 1,
		    style, (uint32_t)letter_of(door));
}

/* Before each line its first number, and a mark of the class that begins or goes on there. */
static void draw_label(const struct drawn *drawn, unsigned row, unsigned places)
{
	const struct map_fit *fit = &drawn->fit;
	unsigned first = drawn->base + row * places * fit->down * (fit->size == 16 ? 16 : 256),
		 before = row ? drawn->base + (row * places - 1) * fit->down *
						      (fit->size == 16 ? 16 : 256)
			      : first;
	enum port_class class = port_class((uint16_t)first);
	bool begins = row && port_class((uint16_t)before) != class;
	static const char marks[CLASS_MAX] = {'w', 'r', 'd'};
	char text[16];
	snprintf(text, sizeof(text), "%5u", first);
	canvas_string(&drawn->top->canvas, drawn->first_row + row, 0, 5,
		      (struct style){.ink = INK_DIM, .flags = begins || !row ? CELL_BOLD : 0},
		      text);
	canvas_fill(&drawn->top->canvas, drawn->first_row + row, 5, 1,
		    (struct style){.ink = begins || !row ? INK_TITLE : INK_DIM,
				   .flags = begins || !row ? CELL_BOLD | CELL_UNDERLINE : 0},
		    (uint32_t)marks[class]);
}

/* ---- what it is, in words ---- */

#define HOLDERS_TOLD_MAX 4

static void tell_holders(const struct snapshot *snapshot, uint16_t port, enum proto proto,
			 struct out *out)
{
	char titles[HOLDERS_TOLD_MAX][256];
	unsigned n = 0;
	for (uint32_t i = 0; i < snapshot->sockets.n && n < HOLDERS_TOLD_MAX; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		if (socket->local_port != port || socket->proto != proto)
			continue;
		const struct holder *holder = snapshot_holder(snapshot, socket->holder);
		if (!holder)
			continue;
		const struct process *process = snapshot_process(snapshot, holder->process);
		const char *title = process_title(process, titles[n], sizeof(titles[n]));
		bool is_told = !process->name;
		for (unsigned k = 0; k < n; k++)
			is_told |= strcmp(titles[k], title) == 0;
		if (is_told)
			continue;
		out_format(out, "%s%s (%d)", n++ ? ", " : "  ", title, process->pid);
	}
}

static unsigned count_doors(const uint8_t *doors, struct map_area area)
{
	unsigned n = 0;
	for (unsigned row = area.row; row < area.row + area.down; row++)
		for (unsigned column = area.column; column < area.column + area.across; column++)
			n += door_state(doors[row * 256 + column]) != DOOR_CLOSED;
	return n;
}

/* The door under the cursor; where a place has several, the one that it shows. */
static uint16_t told_port(const struct drawn *drawn, unsigned *ret_others)
{
	const struct map_fit *fit = &drawn->fit;
	uint16_t port = drawn->top->map.port;
	*ret_others = 0;
	if (fit->size == 16)
		return port;
	struct map_area area = {port / 256u / fit->down * fit->down,
				port % 256u / fit->across * fit->across, fit->down, fit->across};
	uint16_t most = map_most(drawn->doors, area);
	unsigned n = count_doors(drawn->doors, area);
	*ret_others = n ? n - 1 : 0;
	return n ? most : port;
}

static void draw_words(const struct drawn *drawn, unsigned row)
{
	struct top *top = drawn->top;
	const struct snapshot *snapshot = top->shown->snapshot;
	unsigned others;
	uint16_t port = told_port(drawn, &others);
	uint8_t door = drawn->doors[port];
	enum proto proto = top->map.proto == DOOR_UDP ? PROTO_UDP : PROTO_TCP;
	const char *service = service_name(snapshot->services, proto, port);
	struct out *out = &top->scratch;
	out->n = 0;
	out_format(out, "%s/%u%s%s: %s", door_proto_words[top->map.proto], port, service ? " " : "",
		   service ? service : "", door_state_words[door_state(door)]);
	if (door_reach(door))
		out_format(out, ", reach %s", door_reach_words[door_reach(door)]);
	out_format(out, ", %s%s", class_words[port_class(port)],
		   door & DOOR_EPHEMERAL ? ", ephemeral" : "");
	if (door_state(door) != DOOR_CLOSED)
		tell_holders(snapshot, port, proto, out);
	if (others)
		out_format(out, "  and %u more here", others);
	canvas_put(&top->canvas, row, 0, top->canvas.columns, (struct style){.flags = CELL_BOLD},
		   out->data, out->n);
}

/* ---- the tab ---- */

static void draw_legend(struct top *top, unsigned row, unsigned first_column, bool has_letters)
{
	static const struct {
		uint8_t ink;
		char letter;
		const char *text;
	} legend[] = {
		{INK_ANY, 'A', "open to any"},
		{INK_PUBLIC, 'P', "public"},
		{INK_PRIVATE, 'p', "private"},
		{INK_LINK_LOCAL, 'k', "link-local"},
		{INK_LOOPBACK, 'l', "loopback"},
		{INK_GROUP, '*', "group"},
		{INK_BOUND, 'b', "bound"},
		{INK_CONNECTED, 'c', "connected"},
		{INK_LEAVING, '-', "leaving"},
		{INK_FLASH, 'x', "just changed"},
		{INK_CLOSED_EPHEMERAL, '.', "ephemeral"},
	};
	struct canvas *canvas = &top->canvas;
	if (first_column + 15 > canvas->columns)
		return;
	if (!has_letters && !top->options->has_colour) { /* dots alone say no more than that */
		const struct style plain = {.ink = INK_PLAIN};
		canvas_point(canvas, row, first_column, plain, 0x283f, '#');
		canvas_string(canvas, row, first_column + 2, 14, plain, "used");
		canvas_point(canvas, row + 1, first_column, plain, 0xb7, '.');
		canvas_string(canvas, row + 1, first_column + 2, 14, plain, "ephemeral");
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(legend) && row + i + 1 < canvas->rows - 2u; i++) {
		canvas_point(canvas, row + i, first_column, (struct style){.ink = legend[i].ink},
			     has_letters ? (uint32_t)legend[i].letter : 0x25a0, legend[i].letter);
		canvas_string(canvas, row + i, first_column + 2, 14, (struct style){INK_DIM},
			      legend[i].text);
	}
}

static void title(const struct drawn *drawn, unsigned row)
{
	struct top *top = drawn->top;
	char text[96];
	if (drawn->fit.size == 16)
		snprintf(text, sizeof(text), "%s %u-%u, one by one; Esc: all",
			 top->map.proto == DOOR_UDP ? "UDP" : "TCP", drawn->base,
			 drawn->base + 255u);
	else if (drawn->fit.across * drawn->fit.down == 1)
		snprintf(text, sizeof(text), "%s, each door",
			 top->map.proto == DOOR_UDP ? "UDP" : "TCP");
	else
		snprintf(text, sizeof(text), "%s, %u x %u doors a place; Enter: 256 of them",
			 top->map.proto == DOOR_UDP ? "UDP" : "TCP", drawn->fit.across,
			 drawn->fit.down);
	canvas_string(&top->canvas, row, 0, top->canvas.columns, (struct style){INK_TITLE}, text);
}

void map_draw(struct top *top, unsigned first_row, unsigned n_rows)
{
	static void (*const draw[])(const struct drawn *, unsigned,
				    unsigned) = {draw_halves, draw_braille, draw_letter};
	static const uint8_t across[] = {1, 2, 1}, down[] = {2, 4, 1};
	struct map_view *map = &top->map;
	unsigned drawing = top->options->is_utf8 ? map->drawing : DRAW_ASCII;
	if (drawing == DRAW_HALVES && !top->options->has_colour)
		drawing = DRAW_BRAILLE; /* two halves without colour are one block */
	if (map->is_zoomed)
		drawing = DRAW_ASCII;
	if (n_rows < 2)
		return;
	if (!top_has_arrangement(top)) {
		canvas_string(&top->canvas, first_row, 0, 20, (struct style){INK_DIM},
			      "looking...");
		return;
	}
	unsigned has_title = n_rows >= 6, columns = top->canvas.columns;
	unsigned room = columns > LABELS + 1 ? columns - LABELS : 1;
	if (room >= 64 + 17)
		room -= 17; /* for the legend */
	struct drawn drawn = {.top = top,
			      .doors = top->shown->map->doors[map->proto],
			      .fit = map_fit(n_rows - 1 - has_title, room, across[drawing],
					     down[drawing], map->is_zoomed),
			      .first_row = first_row + has_title,
			      .first_column = LABELS,
			      .base = map->is_zoomed ? map->port & 0xff00u : 0};
	if (has_title)
		title(&drawn, first_row);
	for (unsigned row = 0; row < drawn.fit.rows; row++) {
		draw_label(&drawn, row, down[drawing]);
		for (unsigned column = 0; column < drawn.fit.columns; column++)
			draw[drawing](&drawn, row, column);
	}
	map->first_row = drawn.first_row;
	map->first_column = LABELS;
	map->across = drawn.fit.across;
	map->down = drawn.fit.down;
	map->places_across = across[drawing];
	map->places_down = down[drawing];
	draw_words(&drawn, first_row + n_rows - 1);
	draw_legend(top, drawn.first_row, LABELS + drawn.fit.columns + 2, drawing == DRAW_ASCII);
}

/* ---- keys ---- */

static void move(struct top *top, int down, int across)
{
	struct map_view *map = &top->map;
	int size = map->is_zoomed ? 16 : 256, low = map->port & 255,
	    row = map->is_zoomed ? low / 16 : map->port >> 8,
	    column = map->is_zoomed ? low % 16 : map->port & 255;
	row = row + down < 0 ? 0 : row + down >= size ? size - 1 : row + down;
	column = column + across < 0 ? 0 : column + across >= size ? size - 1 : column + across;
	map->port = map->is_zoomed ? (uint16_t)((map->port & 0xff00) | row * 16 | column)
				   : (uint16_t)(row << 8 | column);
}

/* The door that matters most of @area; where all are closed, the first. */
static void choose(struct top *top, struct map_area area)
{
	struct map_view *map = &top->map;
	map->port = (uint16_t)(area.row * 256 + area.column);
	if (top_has_arrangement(top))
		map->port = map_most(top->shown->map->doors[map->proto], area);
}

static void press(struct top *top, const struct input *input)
{
	struct map_view *map = &top->map;
	bool is_second = top_is_second_press(top, input, true);
	unsigned down = map->down * map->places_down, across = map->across * map->places_across;
	int row = input->row - (int)map->first_row, column = input->column - (int)map->first_column,
	    size = map->is_zoomed ? 16 : 256;
	row *= (int)down;
	column *= (int)across;
	if (row < 0 || column < 0 || row >= size || column >= size)
		return;
	if (map->is_zoomed)
		map->port = (uint16_t)((map->port & 0xff00) | row * 16 | column);
	else
		choose(top, (struct map_area){(unsigned)row, (unsigned)column, down, across});
	if (is_second)
		action_story(top);
}

void map_enter(struct top *top)
{
	struct map_view *map = &top->map;
	if (!map->is_zoomed && top_has_arrangement(top) && map->across && map->down) {
		struct map_area area = {map->port / 256u / map->down * map->down,
					map->port % 256u / map->across * map->across, map->down,
					map->across};
		uint16_t most = map_most(top->shown->map->doors[map->proto], area);
		if (door_state(top->shown->map->doors[map->proto][most]) != DOOR_CLOSED)
			map->port = most;
	}
	map->is_zoomed = true;
}

static void escape(struct top *top)
{
	if (top->map.is_zoomed)
		top->map.is_zoomed = false;
	else if (top->walked)
		top_walk(top, 0);
	else if (top->filter[0])
		top_set_filter(top, "", NULL);
}

/* From place to place, of which a character may have several. */
void map_input(struct top *top, const struct input *input)
{
	int down = (int)(top->map.down ? top->map.down : 1),
	    across = (int)(top->map.across ? top->map.across : 1);
	uint32_t point = input->kind == INPUT_CHAR ? input->point : 0;
	switch (input->kind) {
	case INPUT_UP:
	case INPUT_DOWN:
		move(top, input->kind == INPUT_UP ? -down : down, 0);
		return;
	case INPUT_LEFT:
	case INPUT_RIGHT:
		move(top, 0, input->kind == INPUT_LEFT ? -across : across);
		return;
	case INPUT_PAGE_UP:
	case INPUT_PAGE_DOWN:
		move(top, input->kind == INPUT_PAGE_UP ? -8 * down : 8 * down, 0);
		return;
	case INPUT_WHEEL_UP:
	case INPUT_WHEEL_DOWN:
		move(top, input->kind == INPUT_WHEEL_UP ? -3 * down : 3 * down, 0);
		return;
	case INPUT_HOME:
	case INPUT_END: /* of the block, or of all */
		top->map.port = (uint16_t)((top->map.is_zoomed ? top->map.port & 0xff00 : 0) |
					   (input->kind == INPUT_HOME ? 0
					    : top->map.is_zoomed      ? 0xff
								      : 0xffff));
		return;
	case INPUT_PRESS:
	case INPUT_DOUBLE:
		press(top, input);
		return;
	case INPUT_ESCAPE:
		escape(top);
		return;
	default:
		if (point == 'j' || point == 'k')
			move(top, point == 'j' ? down : -down, 0);
	}
}

void map_leave(struct top *top)
{
	top->map.is_zoomed = false;
}

/* Which columns, in which order, sorted by which. */
#include "top/state.h"

#define BOX_COLUMNS 4 /* of " [x]" */

/* The chosen columns first, in their order, then the other fields. */
static const struct field *listed(const struct top *top, const struct choice *choice,
				  unsigned index)
{
	unsigned n = choice_count(choice);
	const struct field *field;
	if (index < n)
		return choice->columns[index];
	bool has_events = tabs[top->tab].is_events;
	for (unsigned i = 0; (field = has_events ? field_any_at(i) : field_at(i)); i++)
		if (choice_find(choice, field) < 0 && n++ == index)
			return field;
	return NULL;
}

static void draw_field(struct top *top, const struct choice *choice, unsigned index, unsigned row)
{
	struct canvas *canvas = &top->canvas;
	const struct field *field = listed(top, choice, index);
	bool is_in = index < choice_count(choice), is_chosen = index == top->chosen;
	struct style style = {.ink = is_in || is_chosen ? INK_PLAIN : INK_DIM};
	if (is_chosen)
		style = (struct style){.paper = INK_SELECTED, .flags = CELL_BOLD};
	char text[256];
	bool is_sorted = choice->sort[0] == field;
	snprintf(text, sizeof(text), " [%c] %c %-16s %s", is_in ? 'x' : ' ',
		 !is_sorted		 ? ' '
		 : choice->descending[0] ? 'v'
					 : '^',
		 field->name, field->help);
	canvas_fill(canvas, row, 0, canvas->columns, style, ' ');
	canvas_string(canvas, row, 0, canvas->columns, style, text);
}

static void draw(struct top *top)
{
	struct canvas *canvas = &top->canvas;
	const struct choice *choice = top_choice(top);
	const struct style bar = {.ink = INK_TITLE, .paper = INK_BAR, .flags = CELL_BOLD};
	unsigned room = canvas->rows > 2 ? canvas->rows - 2u : 1;
	if (top->first_field > top->chosen)
		top->first_field = top->chosen;
	if (top->chosen >= top->first_field + room)
		top->first_field = top->chosen - room + 1;
	unsigned first = top->first_field;
	canvas_fill(canvas, 0, 0, canvas->columns, bar, ' ');
	for (unsigned row = 1; row < canvas->rows; row++)
		canvas_fill(canvas, row, 0, canvas->columns, (struct style){INK_PLAIN}, ' ');
	canvas_string(canvas, 0, 1, canvas->columns - 1u, bar, "columns");
	for (unsigned i = 0; i < room && listed(top, choice, first + i); i++)
		draw_field(top, choice, first + i, 1 + i);
	canvas_fill(canvas, canvas->rows - 1u, 0, canvas->columns, bar, ' ');
	canvas_string(canvas, canvas->rows - 1u, 1, canvas->columns - 1u, bar,
		      "Space in or out  < > move  s sort  Esc done");
	if (canvas->rows > 3)
		frame_draw_message(top, canvas->rows - 2u);
}

static void go(struct top *top, int by)
{
	int to = (int)top->chosen + by;
	while (to > 0 && !listed(top, top_choice(top), (unsigned)to))
		to--;
	top->chosen = to < 0 ? 0 : (unsigned)to;
}

static void change(struct top *top, uint32_t point)
{
	struct choice *choice = top_choice(top);
	const struct field *field = listed(top, choice, top->chosen);
	if (!field)
		return;
	if (point == ' ') {
		if (choice->columns[0] == field && !choice->columns[1])
			top_say(top, true, "it is the last: without a column there is no row");
		else if (!choice_toggle(choice, field))
			top_say(top, true, "more columns than that there cannot be");
	} else if (point == 's') {
		choice_sort(choice, field);
	} else if (point == '<' || point == 'K' || point == '-') {
		top->chosen = choice_move(choice, top->chosen, -1);
	} else if (point == '>' || point == 'J' || point == '+') {
		top->chosen = choice_move(choice, top->chosen, 1);
	} else {
		return;
	}
	top_keep_choice(top);
}

/* On its box a column goes in or out, and on the chosen one pressed again. */
static void press(struct top *top, const struct input *in)
{
	bool is_second = top_is_second_press(top, in, false);
	if (in->row < 1 || in->row + 1 >= top->canvas.rows)
		return;
	unsigned index = top->first_field + (unsigned)in->row - 1;
	if (!listed(top, top_choice(top), index))
		return;
	top->chosen = index;
	if (is_second != (in->column < BOX_COLUMNS))
		change(top,
		       ' '); /* it may stand elsewhere then: a second one on a box is too fast */
}

static void input(struct top *top, const struct input *in)
{
	int page = top->canvas.rows > 3 ? top->canvas.rows - 3 : 1;
	if (in->kind == INPUT_ESCAPE || in->kind == INPUT_ENTER || in->kind == INPUT_COLUMNS ||
	    (in->kind == INPUT_CHAR && (in->point == 'q' || in->point == 'C' || in->point == 3)))
		top->layer = NULL;
	else if (in->kind == INPUT_UP || in->kind == INPUT_WHEEL_UP)
		go(top, -1);
	else if (in->kind == INPUT_DOWN || in->kind == INPUT_WHEEL_DOWN)
		go(top, 1);
	else if (in->kind == INPUT_PAGE_UP || in->kind == INPUT_PAGE_DOWN)
		go(top, in->kind == INPUT_PAGE_UP ? -page : page);
	else if (in->kind == INPUT_HOME || in->kind == INPUT_END)
		go(top, in->kind == INPUT_HOME ? -10000 : 10000);
	else if (in->kind == INPUT_LEFT || in->kind == INPUT_RIGHT)
		change(top, in->kind == INPUT_LEFT ? '<' : '>');
	else if (in->kind == INPUT_CHAR && (in->point == 'j' || in->point == 'k'))
		go(top, in->point == 'j' ? 1 : -1);
	else if (in->kind == INPUT_PRESS || in->kind == INPUT_DOUBLE)
		press(top, in);
	else if (in->kind == INPUT_CHAR)
		change(top, in->point);
}

const struct layer layer_chooser = {.draw = draw, .input = input};

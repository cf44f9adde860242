/* A list: what is open, or the connections. */
#include <string.h>

#include "base/format.h"
#include "base/text.h"
#include "top/actions.h"
#include "top/events.h"
#include "top/state.h"
#include "view/cell.h"

#define SIGNS 2	      /* columns before the first: the sign of change, and a blank */
#define GAP 2	      /* between columns */
#define WIDTH_LEAST 6 /* to which a column that may be cut is cut */
#define WIDTH_READ 4  /* of which something can be read at the screen's end */
#define WIDTH_MOST 200
#define WIDTH_OF_LIST 21 /* of addresses: one of IPv4 with its port */

/* Of the tab that is shown, which is a list's. */
static struct list_view *list_of(struct top *top)
{
	return &top->lists[tabs[top->tab].list];
}

static struct choice *choice_of(struct top *top)
{
	return &top->choices[tabs[top->tab].list];
}

/* ---- the selection ---- */

static uint32_t count(const struct top *top)
{
	return top_has_arrangement(top) ? top->shown->n_items : 0;
}

static void scroll_to(struct top *top, struct list_view *list)
{
	uint32_t n = count(top), lines = list->n_lines ? list->n_lines : 1;
	if (list->at < list->first)
		list->first = list->at;
	if (list->at >= list->first + lines)
		list->first = list->at - lines + 1;
	if (list->first + lines > n)
		list->first = n > lines ? n - lines : 0;
}

static void choose(struct top *top, uint32_t item)
{
	struct list_view *list = list_of(top);
	uint32_t n = count(top);
	if (!n)
		return;
	list->at = item < n ? item : n - 1;
	list->id = arrangement_mark(top->shown, list->at)->id;
	list->leaves_end = list->at + 1 < n;
	scroll_to(top, list);
}

/* Where it is gone for good, what stands in its place is chosen. */
void list_follow(struct top *top)
{
	struct list_view *list = list_of(top);
	uint32_t n = count(top);
	if (!n)
		return;
	uint32_t item = list->id == ID_NONE ? 0 : arrangement_find(top->shown, list->id);
	if (item == UINT32_MAX)
		item = list->at;
	if (top->shown->is_events && !list->leaves_end && !choice_of(top)->sort[0])
		item = n - 1;
	choose(top, item);
}

bool list_chosen(struct top *top, uint32_t *ret_row)
{
	const struct list_view *list = list_of(top);
	if (tabs[top->tab].is_map || list->at >= count(top) ||
	    top->shown->items[list->at] & ITEM_GHOST)
		return false;
	*ret_row = top->shown->items[list->at];
	return true;
}

/* ---- how wide ---- */

static bool is_rate(const struct field *field)
{
	return strncmp(field->name, "rate_", 5) == 0;
}

/* A rate is told in units, for it moves too fast to be read otherwise. */
static struct shown read_cell(struct top *top, const struct row *row, struct column *column,
			      char units[EVENT_CELL_MAX])
{
	const struct table_style style = {.columns = top->canvas.columns,
					  .is_utf8 = top->options->is_utf8};
	struct shown shown = cell_read(&top->scratch, row, column, &style);
	uint64_t number = 0;
	size_t length;
	bool is_time = column->field->of == OF_EVENT && strcmp(column->field->name, "time") == 0;
	/* of a group the time of the event by which it is sorted, for all of them fit nowhere */
	if (row->record.event && (row->is_single || is_time) &&
	    events_cell(row->record.event, column->field, units, &length))
		return (struct shown){units, length, length};
	if (!is_rate(column->field) || !shown.n)
		return shown;
	for (size_t i = 0; i < shown.n && shown.bytes[i] >= '0' && shown.bytes[i] <= '9'; i++)
		number = number * 10 + (uint64_t)(shown.bytes[i] - '0');
	size_t n = format_size(units, EVENT_CELL_MAX, number);
	return (struct shown){units, n, n};
}

static struct column column_of(const struct field *field)
{
	return (struct column){.field = field, .is_holder = strcmp(field->name, "process") == 0};
}

static void widen(struct list_view *list, unsigned column, size_t columns)
{
	if (columns > list->widths[column])
		list->widths[column] = (uint16_t)(columns < WIDTH_MOST ? columns : WIDTH_MOST);
}

/* Only what is seen is measured; a column does not get narrower under the eyes. */
static void measure(struct top *top, struct list_view *list, const struct choice *choice,
		    unsigned n_rows)
{
	unsigned of =
		top->shown ? top->shown->number : 0; /* what is shown may be of before still */
	if (list->widths_number != top->number || list->widths_of != of) {
		memset(list->widths, 0, sizeof(list->widths));
		memset(list->whole, 0, sizeof(list->whole));
		memset(list->has_text, 0, sizeof(list->has_text));
	}
	bool is_known = list->widths_number == top->number && list->measured == top->shown &&
			list->measured_first == list->first && list->measured_n == n_rows;
	list->widths_number = top->number;
	list->widths_of = of;
	list->measured = top->shown;
	list->measured_first = list->first;
	list->measured_n = n_rows;
	for (unsigned i = 0; choice->columns[i] && !is_known; i++) {
		struct column column = column_of(choice->columns[i]);
		bool is_sorted = choice->sort[0] == choice->columns[i];
		widen(list, i, strlen(choice->columns[i]->title) + (is_sorted ? 1 : 0));
		for (uint32_t k = list->first; k < list->first + n_rows && k < count(top); k++) {
			uint32_t item = top->shown->items[k];
			char units[EVENT_CELL_MAX];
			struct row row;
			if (item & ITEM_GHOST)
				continue;
			row_at(&top->shown->rows, item, &row);
			row.most = MOST_LIVE;
			size_t columns = read_cell(top, &row, &column, units).columns;
			list->has_text[i] |= columns > 0;
			widen(list, i, columns);
			if (row.is_single && columns > list->whole[i])
				list->whole[i] =
					(uint16_t)(columns < WIDTH_MOST ? columns : WIDTH_MOST);
		}
	}
}

static unsigned total_of(const struct choice *choice, unsigned skipped, const uint16_t *widths)
{
	unsigned total = 0;
	for (unsigned i = skipped; choice->columns[i]; i++)
		total += widths[i] ? widths[i] + (unsigned)GAP : 0;
	return total ? total - GAP : 0;
}

/* How far a column may be cut: what never is, not at all, but for rows that have a list of it. */
static unsigned least_of(const struct field *field, unsigned width, unsigned whole)
{
	bool is_whole = field->flags & FIELD_NEVER_CUT || is_rate(field) || field->of == OF_EVENT;
	unsigned least = !is_whole ? WIDTH_LEAST : whole > WIDTH_OF_LIST ? whole : WIDTH_OF_LIST;
	return width < least ? width : least;
}

/* What would show too little of itself at the screen's end is not shown, and its room is given to
 * what was cut, the first first. */
static void use_rest(const struct list_view *list, const struct choice *choice, unsigned room,
		     uint16_t *widths)
{
	unsigned column = 0, i = list->skipped;
	for (; choice->columns[i]; i++) {
		unsigned least = widths[i] < WIDTH_READ ? widths[i] : WIDTH_READ;
		if (i > list->skipped && column + least > room)
			break;
		column += widths[i] ? widths[i] + (unsigned)GAP : 0;
	}
	for (unsigned k = i; choice->columns[k]; k++)
		widths[k] = 0;
	unsigned total = total_of(choice, list->skipped, widths), left = 0;
	if (total < room)
		left = room - total;
	for (unsigned k = list->skipped; k < i && left; k++) {
		unsigned cut = widths[k] ? list->widths[k] - (unsigned)widths[k] : 0,
			 more = cut < left ? cut : left;
		widths[k] = (uint16_t)(widths[k] + more);
		left -= more;
	}
}

/* Where not all fits, columns in which nothing stands go first; then what may be cut gives up
 * columns, the widest first. What is left over is to the right of the screen. */
static void fit(const struct top *top, const struct list_view *list, const struct choice *choice,
		unsigned room, uint16_t *widths)
{
	unsigned skipped = list->skipped;
	bool has_rows = false;
	for (unsigned i = 0; choice->columns[i] && top_has_arrangement(top); i++)
		if (!arrangement_shows(top->shown, choice->columns[i]))
			widths[i] = 0;
	for (unsigned i = skipped; choice->columns[i]; i++)
		has_rows |= list->has_text[i];
	for (unsigned i = skipped; has_rows && choice->columns[i]; i++)
		if (!list->has_text[i] && total_of(choice, skipped, widths) > room)
			widths[i] = 0;
	while (total_of(choice, skipped, widths) > room) {
		int widest = -1;
		for (unsigned i = skipped; choice->columns[i]; i++)
			if (widths[i] > least_of(choice->columns[i], widths[i], list->whole[i]) &&
			    (widest < 0 || widths[i] > widths[widest]))
				widest = (int)i;
		if (widest < 0) {
			use_rest(list, choice, room, widths);
			return;
		}
		widths[widest]--;
	}
}

/* ---- drawing ---- */

/* What is gone looks so as long as it is shown. */
static unsigned level_of(const struct mark *mark, uint32_t now_ms)
{
	unsigned level = mark_level(mark, now_ms);
	return mark->change == CHANGE_GONE && level == 3 ? 2 : level;
}

static struct style style_of(const struct mark *mark, uint32_t now_ms, bool is_chosen)
{
	static const uint8_t inks[CHANGE_MAX][3] = {
		[CHANGE_CHANGED] = {INK_CHANGED, INK_CHANGED_FADED, INK_CHANGED_GONE},
		[CHANGE_NEW] = {INK_NEW, INK_NEW_FADED, INK_NEW_GONE},
		[CHANGE_GONE] = {INK_GONE, INK_GONE_FADED, INK_GONE_GONE},
	};
	unsigned level = level_of(mark, now_ms);
	struct style style = {.ink = level < 3 ? inks[mark->change][level] : INK_PLAIN};
	if (level == 0)
		style.flags |= CELL_BOLD;
	if (mark->change == CHANGE_GONE)
		style.flags |= CELL_DIM;
	if (is_chosen) {
		style.paper = INK_SELECTED;
		style.flags |= CELL_BOLD;
	}
	return style;
}

/* The same as the colour, for who sees none. */
static char sign_of(const struct mark *mark, uint32_t now_ms)
{
	static const char signs[CHANGE_MAX] = {
		[CHANGE_CHANGED] = '~', [CHANGE_NEW] = '+', [CHANGE_GONE] = '-'};
	return level_of(mark, now_ms) < 3 && mark->change ? signs[mark->change] : ' ';
}

static bool has_two_owners(const struct rows *rows, uint32_t row)
{
	uint32_t first = rows_first(rows, row), n = rows_length(rows, row);
	for (uint32_t k = 0; k < n && k < 64; k++)
		if (snapshot_socket(rows->snapshot, rows->order[first + k])->flags &
		    SOCKET_TWO_OWNERS)
			return true;
	return false;
}

static void draw_cell(struct top *top, unsigned row, unsigned column, unsigned width, bool is_right,
		      struct style style, struct shown shown)
{
	size_t pad = is_right && shown.columns < width ? width - shown.columns : 0;
	canvas_put(&top->canvas, row, column + (unsigned)pad, width - (unsigned)pad, style,
		   shown.bytes, shown.n);
}

static struct shown text_of(const char *text)
{
	size_t n = strlen(text);
	return (struct shown){text, n, text_show(NULL, text, n)};
}

/* Of no socket: it has the whole line. */
static void draw_watching(struct top *top, const struct event *event, struct style style,
			  unsigned line)
{
	top->scratch.n = 0;
	events_tell(event, &top->scratch);
	canvas_put(&top->canvas, line, SIGNS, top->canvas.columns - (unsigned)SIGNS, style,
		   top->scratch.data, top->scratch.n);
}

static void draw_item(struct top *top, const struct choice *choice, const uint16_t *widths,
		      uint32_t k, unsigned line)
{
	const struct list_view *list = list_of(top);
	uint32_t item = top->shown->items[k];
	const struct mark *mark = arrangement_mark(top->shown, k);
	bool is_ghost = item & ITEM_GHOST, is_chosen = k == list->at && list->id != ID_NONE;
	struct style style = style_of(mark, top->now_ms, is_chosen);
	struct canvas *canvas = &top->canvas;
	struct row row = {0};
	canvas_fill(canvas, line, 0, canvas->columns, style, ' ');
	char sign = sign_of(mark, top->now_ms);
	if (!is_ghost) {
		row_at(&top->shown->rows, item, &row);
		row.most = MOST_LIVE;
	}
	const struct event *event = is_ghost ? NULL : row.record.event;
	if (event && !row.is_single) {
		sign = ' '; /* it came, and went */
	} else if (event) {
		style.ink = mark_level(mark, top->now_ms) < 1 ? style.ink : events_ink(event);
		sign = events_sign(event);
	} else if (sign == ' ' && !is_ghost && has_two_owners(&top->shown->rows, item))
		sign = '!';
	if (!is_ghost && style.ink == INK_PLAIN && row.record.socket->held_by == HELD_UNSEEN)
		style.ink = INK_DIM; /* what a right is needed for */
	canvas_fill(canvas, line, 0, 1, style, (uint32_t)sign);
	if (event && event->socket == NONE) {
		draw_watching(top, event, style, line);
		return;
	}
	if (is_ghost && top->shown->number != top->number)
		return; /* its cells are of other columns, until it is arranged anew */
	for (unsigned i = list->skipped; choice->columns[i]; i++) {
		if (!list->starts[i])
			continue;
		struct column column = column_of(choice->columns[i]);
		char units[EVENT_CELL_MAX];
		struct shown shown =
			is_ghost ? text_of(top->shown->ghosts[item & ~ITEM_GHOST].cells[i])
				 : read_cell(top, &row, &column, units);
		draw_cell(top, line, list->starts[i], widths[i],
			  choice->columns[i]->flags & FIELD_RIGHT, style, shown);
	}
}

static void draw_titles(struct top *top, const struct choice *choice, uint16_t *widths,
			unsigned line)
{
	struct list_view *list = list_of(top);
	const struct style style = {.ink = INK_TITLE, .paper = INK_BAR, .flags = CELL_BOLD};
	unsigned column = SIGNS, columns = top->canvas.columns;
	memset(list->starts, 0, sizeof(list->starts));
	canvas_fill(&top->canvas, line, 0, columns, style, ' ');
	for (unsigned i = list->skipped; choice->columns[i] && column < columns; i++) {
		const struct field *field = choice->columns[i];
		if (!widths[i])
			continue;
		char title[64];
		bool is_sorted = choice->sort[0] == field, is_down = choice->descending[0];
		snprintf(title, sizeof(title), "%s%s", field->title,
			 !is_sorted		 ? ""
			 : top->options->is_utf8 ? is_down ? "▼" : "▲"
			 : is_down		 ? "v"
						 : "^");
		list->starts[i] = (uint16_t)column;
		if (!choice->columns[i + 1] && !(field->flags & FIELD_RIGHT))
			widths[i] = (uint16_t)(columns - column); /* the last has the rest */
		draw_cell(top, line, column, widths[i], field->flags & FIELD_RIGHT, style,
			  text_of(title));
		column += widths[i] + GAP;
	}
}

static void draw_empty(struct top *top, unsigned line)
{
	bool is_pending = !top_has_arrangement(top) || top->shown->number != top->number;
	const char *text = tabs[top->tab].is_events ? events_empty(top)
			   : is_pending		    ? "looking..." /* what is shown is not of it */
			   : top->filter[0]	    ? "nothing matches the filter"
						    : "nothing is there";
	canvas_string(&top->canvas, line, SIGNS, top->canvas.columns, (struct style){INK_DIM},
		      text);
}

void list_draw(struct top *top, unsigned first_row, unsigned n_rows)
{
	struct list_view *list = list_of(top);
	const struct choice *choice = choice_of(top);
	uint16_t widths[CHOICE_COLUMNS_MAX + 1];
	if (n_rows < 2)
		return;
	list->n_lines = n_rows - 1;
	list->first_row = first_row + 1;
	scroll_to(top, list);
	if (list->skipped >= choice_count(choice))
		list->skipped = 0;
	measure(top, list, choice, n_rows - 1);
	memcpy(widths, list->widths, sizeof(list->widths));
	fit(top, list, choice, top->canvas.columns - SIGNS, widths);
	draw_titles(top, choice, widths, first_row);
	for (unsigned i = 0; i < n_rows - 1 && list->first + i < count(top); i++)
		draw_item(top, choice, widths, list->first + i, first_row + 1 + i);
	if (!count(top))
		draw_empty(top, first_row + 1);
}

/* ---- keys ---- */

static void press_title(struct top *top, int column)
{
	const struct list_view *list = list_of(top);
	struct choice *choice = choice_of(top);
	const struct field *field = NULL;
	for (unsigned i = 0; choice->columns[i]; i++)
		if (list->starts[i] && column >= list->starts[i])
			field = choice->columns[i];
	if (!field)
		return;
	choice_sort(choice, field);
	top_keep_choice(top);
}

static void press(struct top *top, const struct input *input)
{
	struct list_view *list = list_of(top);
	bool is_double = top_is_second_press(top, input, false);
	if (input->row + 1 == (int)list->first_row) {
		press_title(top, input->column);
		return;
	}
	if (input->row < (int)list->first_row ||
	    input->row >= (int)(list->first_row + list->n_lines))
		return;
	uint32_t item = list->first + (uint32_t)input->row - list->first_row;
	if (item >= count(top))
		return;
	choose(top, item);
	if (is_double && top->jobs)
		action_story(top);
}

static void move(struct top *top, int64_t by)
{
	struct list_view *list = list_of(top);
	int64_t to = (int64_t)list->at + by;
	choose(top, to < 0 ? 0 : (uint32_t)to);
}

static void escape(struct top *top)
{
	if (top->walked)
		top_walk(top, 0);
	else if (top->filter[0])
		top_set_filter(top, "", NULL);
}

void list_input(struct top *top, const struct input *input)
{
	struct list_view *list = list_of(top);
	int64_t page = list->n_lines > 1 ? list->n_lines - 1 : 1;
	switch (input->kind) {
	case INPUT_UP:
	case INPUT_DOWN:
		move(top, input->kind == INPUT_UP ? -1 : 1);
		return;
	case INPUT_PAGE_UP:
	case INPUT_PAGE_DOWN:
		move(top, input->kind == INPUT_PAGE_UP ? -page : page);
		return;
	case INPUT_WHEEL_UP:
	case INPUT_WHEEL_DOWN:
		move(top, input->kind == INPUT_WHEEL_UP ? -3 : 3);
		return;
	case INPUT_HOME:
		choose(top, 0);
		return;
	case INPUT_END:
		choose(top, UINT32_MAX);
		return;
	case INPUT_LEFT:
		list->skipped -= list->skipped > 0;
		return;
	case INPUT_RIGHT:
		list->skipped += list->skipped + 1 < choice_count(choice_of(top));
		return;
	case INPUT_PRESS:
	case INPUT_DOUBLE:
		press(top, input);
		return;
	case INPUT_ESCAPE:
		escape(top);
		return;
	default:
		if (input->kind == INPUT_CHAR && (input->point == 'j' || input->point == 'k'))
			move(top, input->point == 'k' ? -1 : 1);
	}
}

/* The one table of keys. */
#include <stdio.h>
#include <string.h>

#include "top/actions.h"
#include "top/events.h"
#include "top/keys.h"
#include "top/map.h"
#include "top/state.h"

static void leave(struct top *top)
{
	top->is_ended = true;
}

/* The next that can be shown. */
static void go_by(struct top *top, unsigned by)
{
	unsigned tab = top->tab;
	do
		tab = (tab + by) % TAB_MAX;
	while (tab_why_not(top, tab));
	top_go_to(top, tab);
}

static void next_tab(struct top *top)
{
	go_by(top, 1);
}

static void previous_tab(struct top *top)
{
	go_by(top, TAB_MAX - 1);
}

static void show_doors(struct top *top)
{
	top_go_to(top, TAB_DOORS);
}

static void show_connections(struct top *top)
{
	top_go_to(top, TAB_CONNECTIONS);
}

static void show_map(struct top *top)
{
	top_go_to(top, TAB_MAP);
}

static void show_events(struct top *top)
{
	top_go_to(top, TAB_EVENTS);
}

static void pause_or_go_on(struct top *top)
{
	top->is_paused = !top->is_paused;
	if (top->refresh)
		refresh_pause(top->refresh, top->is_paused);
	events_watch(top);
	if (!top->is_paused)
		top_walk(top, 0);
}

static void earlier(struct top *top)
{
	top_walk(top, -1);
}

static void later(struct top *top)
{
	top_walk(top, 1);
}

static void open_help(struct top *top)
{
	top->pager.first = 0;
	top->layer = &layer_help;
}

static void send_anew(struct top *top)
{
	top->functions->redraw(top->screen);
}

/* ---- what is not to be had ---- */

static const char *needs_list(const struct top *top)
{
	return tabs[top->tab].is_map ? "it is for the lists" : NULL;
}

static const char *needs_host(const struct top *top)
{
	return top->jobs ? NULL : "a saved file is shown, not this host";
}

static const char *no_story(const struct top *top)
{
	return tabs[top->tab].is_map && !top->map.is_zoomed ? NULL : needs_host(top);
}

/* Of the chosen row: what is another's needs a right that is not there. */
static const char *no_close(const struct top *top)
{
	const struct list_view *list = &top->lists[tabs[top->tab].list];
	const char *why = needs_host(top) ? needs_host(top) : needs_list(top);
	if (why || !top_has_arrangement(top) || list->at >= top->shown->n_items ||
	    top->shown->items[list->at] & ITEM_GHOST)
		return why;
	const struct rows *rows = &top->shown->rows;
	uint32_t first = rows_first(rows, top->shown->items[list->at]);
	const struct socket *socket = snapshot_socket(rows->snapshot, rows->order[first]);
	const struct event *event =
		top->shown->is_events ? events_at(rows->snapshot, rows->order[first]) : NULL;
	if (event && event->kind != EVENT_OPENED && event->kind != EVENT_ESTABLISHED)
		return "what the event tells of is no more";
	if (socket->held_by == HELD_UNSEEN)
		return rows->snapshot->is_privileged
			       ? "no process that can be seen holds it, whatever one may"
			       : "its process may not be inspected: run it with sudo";
	if (!top->may_signal && socket->held_by == HELD_PROCESS &&
	    socket->flags & SOCKET_UID_KNOWN && socket->uid != top->uid)
		return "it is another user's: run it with sudo";
	return NULL;
}

static const char *no_block(const struct top *top)
{
	const char *why = needs_host(top);
	return why ? why : top->no_block[0] ? top->no_block : NULL;
}

static const char *needs_map(const struct top *top)
{
	return tabs[top->tab].is_map ? NULL : "it is for the map";
}

static const char *no_dots(const struct top *top)
{
	return needs_map(top)		? needs_map(top)
	       : top->map.is_zoomed	? "a block is drawn door by door"
	       : !top->options->is_utf8 ? "it needs a locale of UTF-8"
					: NULL;
}

const struct key_binding top_keys[] = {
	{"Enter", "Story", "the whole story of the port; on the map first its block of 256",
	 INPUT_ENTER, 0, 0, 0, action_story, no_story},
	{"c", "Close", "close it: the plan and what follows is shown, and you are asked", 0, 0, 'c',
	 0, action_close, no_close},
	{"b", "Block", "refuse new traffic to the port, or let it in again", 0, 0, 'b', 0,
	 action_block, no_block},
	{"w", "Why", "why the port cannot be bound", 0, 0, 'w', 0, action_why, needs_host},
	{"d", "Deliver", "to whom a packet goes that comes to the port", 0, 0, 'd', 0,
	 action_deliver, needs_host},
	{"/", "Filter", "show only what matches: the language of `doorward list`", 0, 0, '/', 0,
	 action_filter, NULL},
	{"g", "Group", "group by service, process, unit or container, container, peer, or not", 0,
	 0, 'g', 0, action_group, needs_list},
	{"s", "Sort", "sort by the next column", 0, 0, 's', 0, action_sort, needs_list},
	{"r", NULL, "the other way round", 0, 0, 'r', 0, action_reverse, needs_list},
	{"C, F2", "Columns", "choose, move and sort the columns", INPUT_COLUMNS, 0, 'C', 0,
	 action_columns, needs_list},
	{"Space", "Pause", "hold still, and go on", 0, 0, ' ', 0, pause_or_go_on, NULL},
	{"<, >", NULL, "walk back: the last minutes, then the record; and forth", 0, 0, '<', 0,
	 earlier, NULL},
	{"", NULL, NULL, 0, 0, '>', 0, later, NULL},
	{"@", NULL, "as it was then: 10m, yesterday 14:00; Esc is now", 0, 0, '@', 0, action_moment,
	 needs_host},
	{"y", "Copy", "copy the row to the clipboard (OSC 52)", 0, 0, 'y', 0, action_copy, NULL},
	{"o", "Write", "write it to a file: NAME.json, .jsonl, .csv, else a table", 0, 0, 'o', 0,
	 action_write, needs_list},
	{"t", "TCP/UDP", "the doors of TCP, or of UDP", 0, 0, 't', 0, action_proto, needs_map},
	{"m", "Dots", "draw by half blocks, braille or ASCII", 0, 0, 'm', 0, action_drawing,
	 no_dots},
	{"+, -", NULL, "into the block of 256 doors, and out again", 0, 0, '+', 0, map_enter,
	 needs_map},
	{"", NULL, NULL, 0, 0, '-', 0, map_leave, needs_map},
	{"Tab, 1-4", NULL, "the next tab (Shift-Tab before); Doors, Connections, Map, Events",
	 INPUT_TAB, 0, 0, 0, next_tab, NULL},
	{"", NULL, NULL, INPUT_BACKTAB, 0, 0, 0, previous_tab, NULL},
	{"", NULL, NULL, 0, 0, '1', 0, show_doors, NULL},
	{"", NULL, NULL, 0, 0, '2', 0, show_connections, NULL},
	{"", NULL, NULL, 0, 0, '3', 0, show_map, NULL},
	{"", NULL, NULL, 0, 0, '4', 0, show_events, NULL},
	{"Up, Down, j, k", NULL,
	 "choose a row; PgUp, PgDn, Home and End too. On the map the cursor", 0, 0, 0, 0, NULL,
	 NULL},
	{"Left, Right", NULL, "columns that do not fit", 0, 0, 0, 0, NULL, NULL},
	{"mouse", NULL,
	 "click chooses, a title sorts, a key below acts, twice tells the story; the wheel scrolls",
	 0, 0, 0, 0, NULL, NULL},
	{"Esc", NULL, "back: from an answer, the past, a block of the map, the filter", 0, 0, 0, 0,
	 NULL, NULL},
	{"of C", NULL, "Space a column in or out, < > (Left, Right) move it, s sorts by it", 0, 0,
	 0, 0, NULL, NULL},
	{"of /, o, @", NULL,
	 "Enter takes it, Esc not; ^A ^E ^K ^U ^W as in a shell, Tab a field's name", 0, 0, 0, 0,
	 NULL, NULL},
	{"of c, b", NULL, "y yes, f by force, t for 10 minutes, o from outside only, Esc or n no",
	 0, 0, 0, 0, NULL, NULL},
	{"?, F1, h", "Help", "these keys", INPUT_HELP, 0, '?', 'h', open_help, NULL},
	{"^L", NULL, "send the whole screen anew", 0, 0, 'L' - 64, 0, send_anew, NULL},
	{"^Z", NULL, "suspend; `fg` comes back", 0, 0, 'Z' - 64, 0, top_suspend, NULL},
	{"q, ^C", "Quit", "leave", 0, 0, 'q', 'C' - 64, leave, NULL},
	{NULL},
};

static bool is_meant(const struct key_binding *key, const struct input *input)
{
	if (input->kind == INPUT_CHAR)
		return input->point && ((uint32_t)key->point == input->point ||
					(uint32_t)key->point2 == input->point);
	return key->kind && (key->kind == input->kind || key->kind2 == input->kind);
}

/* Whatever lies over the tab. */
bool keys_input_always(struct top *top, const struct input *input)
{
	for (const struct key_binding *key = top_keys; key->shown; key++) {
		if ((key->act != top_suspend && key->act != send_anew) || !is_meant(key, input))
			continue;
		key->act(top);
		return true;
	}
	return false;
}

static void do_key(struct top *top, const struct key_binding *key, const char *name)
{
	const char *why_not = key->why_not ? key->why_not(top) : NULL;
	if (why_not)
		top_say(top, true, "%s: %s", name, why_not);
	else
		key->act(top);
}

bool keys_input(struct top *top, const struct input *input)
{
	for (const struct key_binding *key = top_keys; key->shown; key++) {
		if (!key->act || !is_meant(key, input))
			continue;
		const char typed[] = {(char)input->point, '\0'}; /* one of several of a line */
		do_key(top, key, input->kind == INPUT_CHAR ? typed : key->shown);
		return true;
	}
	return false;
}

bool keys_press(struct top *top, const struct input *input)
{
	if (!top->n_bar || input->row != (int)top->bar_row)
		return false;
	for (unsigned i = 0; i < top->n_bar; i++) {
		if (input->column >= top->bar_ends[i])
			continue;
		const struct key_binding *key = top->bar_keys[i];
		char name[16];
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(key->shown, ","), key->shown);
		do_key(top, key, name);
		break;
	}
	return true;
}

/* Of its key and label, with a blank behind each. */
static unsigned width_in_bar(const struct key_binding *key)
{
	return (unsigned)(strcspn(key->shown, ",") + strlen(key->label) + 2);
}

/* Help and the way out are there however narrow it is: who knows them finds the others. */
static bool is_kept(const struct key_binding *key)
{
	return key->act == open_help || key->act == leave;
}

void keys_draw_bar(struct top *top, unsigned row)
{
	struct canvas *canvas = &top->canvas;
	unsigned column = 0, kept = 0;
	top->bar_row = row;
	for (const struct key_binding *key = top_keys; key->shown; key++)
		kept += key->label && is_kept(key) ? width_in_bar(key) : 0;
	canvas_fill(canvas, row, 0, canvas->columns, (struct style){.paper = INK_BAR}, ' ');
	for (const struct key_binding *key = top_keys; key->shown; key++) {
		if (!key->label)
			continue;
		bool can = !(key->why_not && key->why_not(top));
		bool is_of_map = key->why_not == needs_map || key->why_not == no_dots;
		if (!can && (key->why_not == needs_list || (is_of_map && needs_map(top))))
			continue; /* of another tab: its room is for the others */
		size_t n = strcspn(key->shown, ","), label = strlen(key->label);
		kept -= is_kept(key) ? width_in_bar(key) : 0;
		if (column + width_in_bar(key) + kept > canvas->columns)
			continue;
		struct style strong = {.ink = can ? INK_TITLE : INK_BAR_DIM,
				       .paper = INK_BAR,
				       .flags = can ? CELL_BOLD : CELL_DIM},
			     plain = {.ink = can ? INK_PLAIN : INK_BAR_DIM,
				      .paper = INK_BAR,
				      .flags = can ? 0 : CELL_DIM};
		column += canvas_put(canvas, row, column, (unsigned)n, strong, key->shown, n) + 1;
		column +=
			canvas_string(canvas, row, column, (unsigned)label, plain, key->label) + 1;
		if (top->n_bar == BAR_KEYS_MAX)
			continue;
		top->bar_keys[top->n_bar] = key;
		top->bar_ends[top->n_bar++] = (uint16_t)column;
	}
}

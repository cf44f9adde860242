/* What the screen knows: only for src/top/. */
#ifndef TOP_STATE_H
#define TOP_STATE_H

#include "collect/refresh.h"
#include "journal/journal.h"
#include "journal/recorded.h"
#include "screen/screen.h"
#include "top/arranger.h"
#include "top/jobs.h"
#include "top/line.h"
#include "top/past.h"
#include "top/top.h"

enum { TAB_DOORS, TAB_CONNECTIONS, TAB_MAP, TAB_EVENTS, TAB_MAX };

#define ID_NONE 0
#define BAR_KEYS_MAX 32

struct list_view {
	uint32_t id;	    /* of the chosen row, which it follows; ID_NONE: none yet */
	uint32_t at;	    /* where that was last */
	uint32_t first;	    /* the item at the top */
	unsigned skipped;   /* columns to the left of what is shown */
	unsigned n_lines;   /* that the list had when it was drawn */
	unsigned first_row; /* of the canvas */
	uint16_t widths[CHOICE_COLUMNS_MAX];
	uint16_t whole[CHOICE_COLUMNS_MAX]; /* to which what is never cut may be: lists may */
	bool has_text[CHOICE_COLUMNS_MAX];
	unsigned widths_number,
		widths_of; /* of the choice that they are of, and of what was shown */
	const struct arrangement *measured; /* what was measured last, from where on, how much */
	uint32_t measured_first, measured_n;
	uint16_t starts[CHOICE_COLUMNS_MAX + 1]; /* where each was drawn; 0: it was not */
	bool leaves_end; /* of events: another than the last is chosen, and stays so */
};

struct map_view {
	uint16_t port; /* under the cursor */
	uint8_t proto; /* enum door_proto */
	bool is_zoomed;
	uint8_t drawing; /* enum drawing of top/map.c */
	/* as it was drawn: where, the doors that a place has, the places of a character */
	unsigned first_row, first_column, across, down, places_across, places_down;
};

struct pager {
	struct out text;
	char title[160];
	uint32_t first, n_lines;
	unsigned n_keys; /* lines that its keys took below it */
	bool is_working;
	bool has_told;	      /* in the line of messages, which it covers */
	uint32_t number;      /* of the job that it waits for, or has shown */
	struct job *question; /* done, and asks; NULL */
};

struct top;
struct key_binding;

/* What lies over a tab and takes the keys. */
struct layer {
	void (*draw)(struct top *top);
	void (*input)(struct top *top, const struct input *input);
	bool takes_text; /* what is pasted too, which is no command elsewhere */
	/* How many lines at the end tell its keys; NULL: one. */
	unsigned (*n_key_lines)(const struct top *top);
};
extern const struct layer layer_pager, layer_help, layer_filter, layer_file, layer_moment,
	layer_chooser;

/* The walk through the record. */
struct walk {
	struct recorded_answer recalled; /* what is shown of it; snapshot NULL: nothing */
	unsigned number;		 /* of what was asked last */
	int steps;			 /* to be taken once the answer is there */
	bool is_asked;
};

/* One tab: a line of the table (top/tabs.c). */
struct tab {
	const char *name, *title;
	bool is_map, is_events;
	uint8_t list;	    /* of the lists and choices; a map has none */
	bool has_peers;	    /* only what has another end */
	uint32_t states;    /* shown where the filter names none */
	uint32_t looked_at; /* collected for it */
	uint32_t needs;
	void (*draw)(struct top *top, unsigned first_row, unsigned n_rows);
	void (*input)(struct top *top, const struct input *input);
};
extern const struct tab tabs[TAB_MAX];
extern const char *const top_list_names[CHOICE_LISTS];

struct top {
	const struct top_options *options;
	const struct screen_functions *functions;
	struct screen *screen;
	struct canvas canvas;
	struct out scratch;

	struct refresh *refresh; /* NULL: a saved file */
	struct arranger *arranger;
	struct jobs *jobs;	   /* NULL: the same */
	struct journal *journal;   /* NULL: the same */
	struct recorded *recorded; /* NULL: the same */
	struct walk walk;
	const struct snapshot *events; /* held: the latest list; NULL: none yet */
	struct journal_state journal_state;
	struct past past;
	const struct snapshot *latest,
		*walked;	   /* held; walked: what is shown of the past, or NULL */
	struct arrangement *shown; /* held; NULL: none yet */
	struct query query;	   /* as it was asked last */
	unsigned number;	   /* of what is wished */

	unsigned tab;
	uint16_t tab_ends[TAB_MAX]; /* of their titles, for the mouse */
	struct choice choices[CHOICE_LISTS];
	struct list_view lists[CHOICE_LISTS];
	struct map_view map;
	char filter[WISH_FILTER_MAX];
	char kept_filter[WISH_FILTER_MAX]; /* as it was before a line was typed */
	struct filter *parsed;		   /* of filter */

	const struct layer *layer; /* NULL: the tab itself */
	struct line line;	   /* of the filter, of a file's name */
	struct error line_error;
	struct pager pager;
	unsigned chosen, first_field; /* of the chooser; and which is at the top */
	/* the bar of keys as it was drawn: up to where each stands; 0: there is none */
	uint16_t bar_ends[BAR_KEYS_MAX];
	const struct key_binding *bar_keys[BAR_KEYS_MAX];
	unsigned bar_row, n_bar;

	char status[192], missing[192];
	bool is_unkept;	 /* that the choice is not kept has been said */
	bool is_cleared; /* it was asked for without the rows that have faded */
	bool has_many;	 /* sockets: on Doors connections are not looked at */
	bool may_trace;	 /* BPF: events as they happen */
	bool is_bad, is_paused, is_fresh, is_dirty, is_ended;
	uint32_t now_ms, status_ms, shown_ms;
	struct input last_press;
	uint32_t last_press_ms;
	char no_block[160]; /* why not; "" it can be done */
	bool may_signal;    /* others' processes */
	uid_t uid;
};

/* ---- top.c ---- */
void top_say(struct top *top, bool is_bad, const char *format, ...) printf_like(3, 4);
/* Soon behind another in the same line, and column. */
bool top_is_second_press(struct top *top, const struct input *input, bool in_column);
/* Filter, columns, order or tab are others: ask and arrange anew. */
void top_rearrange(struct top *top);
void top_keep_choice(struct top *top); /* for next time, too */
int top_set_filter(struct top *top, const char *text, struct error *err);
void top_show(struct top *top); /* arranges anew what is there */
/* What is asked of the host for the tab that is shown. */
struct query top_query(const struct top *top);
void top_go_to(struct top *top, unsigned tab);
void top_suspend(struct top *top);

static inline struct choice *top_choice(struct top *top)
{
	return tabs[top->tab].is_map ? NULL : &top->choices[tabs[top->tab].list];
}
static inline struct list_view *top_list(struct top *top)
{
	return tabs[top->tab].is_map ? NULL : &top->lists[tabs[top->tab].list];
}
static inline bool top_has_arrangement(const struct top *top)
{
	return top->shown && top->shown->is_map == tabs[top->tab].is_map &&
	       top->shown->is_events == tabs[top->tab].is_events &&
	       (top->shown->is_map || top->shown->rows.order);
}

/* ---- walk.c ---- */
/* Back, forth, 0: now. */
void top_walk(struct top *top, int by);
void walk_now(struct top *top);
void walk_at(struct top *top, uint64_t time_ns);
void walk_take(struct top *top);
void walk_want_events(struct top *top);
void walk_done(struct top *top);

/* ---- events.c ---- */
/* Why a tab cannot be shown; NULL: it can. */
const char *tab_why_not(const struct top *top, unsigned tab);

/* ---- frame.c ---- */
void frame_draw(struct top *top);
/* Where one is to be told: what a layer says of its own keys. */
void frame_draw_message(struct top *top, unsigned row);
bool frame_press(struct top *top, const struct input *input); /* false: it is none of the frame's */

/* ---- list.c ---- */
void list_draw(struct top *top, unsigned first_row, unsigned n_rows);
void list_input(struct top *top, const struct input *input);
/* After another arrangement: the selection follows its row. */
void list_follow(struct top *top);
/* The chosen row; false: there is none, or it is gone already. */
bool list_chosen(struct top *top, uint32_t *ret_row);

/* ---- map.c ---- */
void map_draw(struct top *top, unsigned first_row, unsigned n_rows);
void map_input(struct top *top, const struct input *input);

/* ---- pager.c ---- */
void pager_open(struct top *top, const char *title);
void pager_finish(struct top *top, struct job *job); /* takes it over */
void pager_done(struct top *top);

/* ---- keys.c ---- */
bool keys_input_always(struct top *top, const struct input *input); /* ^Z and ^L */
bool keys_input(struct top *top, const struct input *input); /* false: it is no key of the tab's */
void keys_draw_bar(struct top *top, unsigned row);
bool keys_press(struct top *top, const struct input *input); /* false: it is not on the bar */

/* ---- press.c ---- */
/* A press on the name of a key that does nothing to the host, below a layer: *@ret is that key. */
bool press_names_key(const struct top *top, const struct input *press, struct input *ret);

#endif

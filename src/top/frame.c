/* The frame: tabs above, what is filtered and missing below them, messages and keys at the end. On
 * a small terminal the list has the room, and the frame goes. */
#include <string.h>
#include <time.h>

#include "base/format.h"
#include "model/calendar.h"
#include "source/zone.h"
#include "top/events.h"

#define ROWS_FOR_INFO 8
#define ROWS_FOR_KEYS 7
#define STATUS_MS 6000

static void draw_clock(struct top *top, unsigned from)
{
	char text[64], clock[16] = "";
	const struct snapshot *snapshot = top->walked ? top->walked : top->latest;
	struct canvas *canvas = &top->canvas;
	if (!snapshot)
		return;
	time_t seconds = (time_t)snapshot->time;
	struct tm tm;
	if (localtime_r(&seconds, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	const char *state = top->options->saved		  ? "saved"
			    : top->walk.recalled.snapshot ? "recorded"
			    : top->walked		  ? "past"
			    : top->is_paused		  ? "paused"
							  : "";
	int n = snprintf(text, sizeof(text), "%s %s ", state, clock);
	if (*state && !top->options->saved && from + (unsigned)n >= canvas->columns) {
		/* that it is not now is told before the other tabs */
		n = snprintf(text, sizeof(text), " %s ", state);
		from = 0;
	}
	if (n > 0 && from + (unsigned)n < canvas->columns)
		canvas_string(
			canvas, 0, canvas->columns - (unsigned)n, (unsigned)n,
			(struct style){.ink = *state ? INK_WARNING : INK_PLAIN, .paper = INK_BAR},
			text);
}

static void draw_tabs(struct top *top)
{
	struct canvas *canvas = &top->canvas;
	unsigned column = 0;
	canvas_fill(canvas, 0, 0, canvas->columns, (struct style){.paper = INK_BAR}, ' ');
	if (canvas->columns >= 60)
		column += canvas_string(
			canvas, 0, 0, 12,
			(struct style){.ink = INK_TITLE, .paper = INK_BAR, .flags = CELL_BOLD},
			" doorward ");
	for (unsigned i = 0; i < TAB_MAX; i++) {
		bool is_chosen = i == top->tab;
		char title[32];
		int n = snprintf(title, sizeof(title),
				 canvas->columns < 40 && !is_chosen ? " %u " : " %u %s ", i + 1,
				 tabs[i].title);
		bool is_whole = !tab_why_not(top, i) && (!tabs[i].is_events || top->may_trace);
		struct style style = {.ink = is_whole ? INK_PLAIN : INK_BAR_DIM,
				      .paper = INK_BAR,
				      .flags = (uint8_t)(is_chosen   ? CELL_REVERSE | CELL_BOLD
							 : !is_whole ? CELL_DIM
								     : 0)};
		column += canvas_string(canvas, 0, column, n > 0 ? (unsigned)n : 0, style, title);
		top->tab_ends[i] = (uint16_t)column;
	}
	draw_clock(top, column);
}

/* Of the record, to the millisecond. */
static void tell_moment(const struct top *top, struct out *out)
{
	const struct recorded_answer *recalled = &top->walk.recalled;
	char text[RFC3339_MAX];
	if (!top_has_arrangement(top) ||
	    (!top->shown->is_events && top->shown->snapshot != recalled->snapshot))
		return; /* the rows are of another moment still */
	size_t n = calendar_plain(text, recalled->time_ns, &zone_local);
	out_format(out, "  as of %.*s.%03u (recorded%s)", (int)n, text,
		   (unsigned)(recalled->time_ns / 1000000 % 1000),
		   recalled->snapshot->is_complete ? "" : ", not complete");
}

/* What is shown, and what is not. */
static void write_info(struct top *top, struct out *out)
{
	const struct choice *choice = top_choice(top);
	const struct arrangement *shown = top->shown;
	if (tabs[top->tab].is_events)
		events_info(top, out);
	else if (top_has_arrangement(top) && !shown->is_map)
		out_format(out, "%u row%s of %u socket%s", shown->rows.n_rows,
			   shown->rows.n_rows == 1 ? "" : "s", shown->rows.n_sockets,
			   shown->rows.n_sockets == 1 ? "" : "s");
	if (choice && choice->by != ROWS_BY_NONE)
		out_format(out, "  by %s", rows_by_words[choice->by]);
	if (top->walk.recalled.snapshot) {
		tell_moment(top, out);
	} else if (top->walked) {
		char ago[32], size[32];
		double seconds = top->latest->time - top->walked->time;
		size_t n = format_duration(ago, sizeof(ago), (uint64_t)(seconds + 0.5)),
		       m = format_size(size, sizeof(size), top->past.bytes);
		out_format(out, "  %.*s ago: one of %u kept, %.*s", (int)n, ago, top->past.list.n,
			   (int)m, size);
	}
	if (top->filter[0])
		out_format(out, "  filter: %s", top->filter);
}

static void draw_info(struct top *top, unsigned row)
{
	struct canvas *canvas = &top->canvas;
	top->scratch.n = 0;
	write_info(top, &top->scratch);
	canvas_put(canvas, row, 1, canvas->columns - 1u, (struct style){INK_DIM}, top->scratch.data,
		   top->scratch.n);
}

static bool has_message(const struct top *top)
{
	return top->status[0] && top->now_ms - top->status_ms < STATUS_MS;
}

/* A message; where there is none, what could not be seen. */
static void draw_status(struct top *top, unsigned row)
{
	bool says = has_message(top);
	canvas_string(&top->canvas, row, 0, top->canvas.columns,
		      (struct style){.ink = !says	  ? INK_WARNING
					    : top->is_bad ? INK_BAD
							  : INK_GOOD},
		      says ? top->status : top->missing);
}

void frame_draw_message(struct top *top, unsigned row)
{
	if (!has_message(top))
		return;
	canvas_fill(&top->canvas, row, 0, top->canvas.columns, (struct style){INK_PLAIN}, ' ');
	draw_status(top, row);
}

void frame_draw(struct top *top)
{
	struct canvas *canvas = &top->canvas;
	unsigned rows = canvas->rows, first = 1, last = rows;
	bool says = has_message(top);
	canvas_clear(canvas);
	top->n_bar = 0;
	draw_tabs(top);
	if (rows >= ROWS_FOR_INFO)
		draw_info(top, first++);
	if (rows >= ROWS_FOR_KEYS)
		keys_draw_bar(top, --last);
	if (says || (rows >= ROWS_FOR_INFO && top->missing[0]))
		draw_status(top, --last);
	if (last > first)
		tabs[top->tab].draw(top, first, last - first);
	if (top->layer)
		top->layer->draw(top);
}

bool frame_press(struct top *top, const struct input *input)
{
	if (input->kind != INPUT_PRESS)
		return false;
	if (input->row != 0)
		return keys_press(top, input);
	for (unsigned i = 0; i < TAB_MAX; i++) {
		if (input->column >= top->tab_ends[i])
			continue;
		top_go_to(top, i);
		break;
	}
	return true;
}

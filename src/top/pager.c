/* An answer, over the list; and the help, which is one. */
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "top/actions.h"
#include "top/keys.h"
#include "top/state.h"

#define KEY_COLUMNS 18	/* before what is said of a key */
#define KEY_LINES_MAX 4 /* of the keys below an answer */
#define ROWS_FOR_KEYS 8 /* for more than one of them */

void pager_done(struct top *top)
{
	job_free(top->pager.question);
	top->pager.question = NULL;
	out_done(&top->pager.text);
}

static void clear(struct top *top)
{
	job_free(top->pager.question);
	top->pager.question = NULL;
	top->pager.text.n = 0;
	top->pager.first = 0;
	top->pager.is_working = top->pager.has_told = false;
}

void pager_open(struct top *top, const char *title)
{
	clear(top);
	snprintf(top->pager.title, sizeof(top->pager.title), "%s", title);
	top->pager.is_working = true;
	top->pager.number++;
	top->layer = &layer_pager;
}

/* The answer of a job that nobody waits for is told in the line of messages. */
static void tell_unseen(struct top *top, struct job *job)
{
	if (job->result < 0)
		top_say(top, true, "%s", job->error.what);
	else
		top_say(top, false, "%.*s", (int)strcspn(job->text.data, "\n"), job->text.data);
	top->pager.has_told = top->layer == &layer_pager;
	job_free(job);
}

void pager_finish(struct top *top, struct job *job)
{
	struct pager *pager = &top->pager;
	out_char(&job->text, '\0');
	if (job->kind == JOB_WRITE && job->result < 0)
		unlink(job->target); /* it was made for this, and half of it is nothing */
	if (job->kind == JOB_CLOSE || job->kind == JOB_BLOCK || job->kind == JOB_UNBLOCK)
		if (top->refresh)
			refresh_hurry(top->refresh);
	if (top->layer != &layer_pager || !pager->is_working || job->number != pager->number) {
		tell_unseen(top, job);
		return;
	}
	pager->is_working = false;
	pager->text.n = 0;
	if (job->result < 0) {
		out_format(&pager->text, "%s\n", job->error.what);
		if (job->error.hint[0])
			out_format(&pager->text, "%s\n", job->error.hint);
	} else {
		out_bytes(&pager->text, job->text.data, job->text.n - 1);
	}
	bool has_plan = job->kind == JOB_PLAN && job->closing && job->closing->plan.steps.n;
	if (job->result >= 0 && (job->asks || has_plan))
		pager->question = job;
	else
		job_free(job);
}

/* ---- drawing ---- */

static const char *question_of(const struct job *job)
{
	if (job->kind == JOB_PLAN && job->is_forced)
		return job->asks ? "Do it by force? y yes  f without force  Esc no"
				 : "f without force  Esc back";
	if (job->kind == JOB_PLAN)
		return job->asks ? "Do it? y yes  f by force  Esc no" : "f by force  Esc back";
	return job->is_blocked
		       ? "Let it in again? y yes  Esc no"
		       : "Refuse new traffic? y yes  t for 10 minutes  o from outside only  Esc no";
}

static size_t count_blanks(const char *bytes, size_t n)
{
	size_t blanks = 0;
	while (blanks < n && bytes[blanks] == ' ')
		blanks++;
	return blanks;
}

/* Of @n bytes as many as fit into @columns, to the last blank among them where one is; what has
 * none is cut between two characters. */
static size_t fitting(const char *bytes, size_t n, unsigned columns)
{
	size_t blank = 0, whole = 0, leading = count_blanks(bytes, n);
	if (text_show(NULL, bytes, n) <= columns)
		return n;
	for (size_t i = 1; i < n; i++) {
		if (((uint8_t)bytes[i] & 0xc0) == 0x80)
			continue;
		if (text_show(NULL, bytes, i) > columns)
			break;
		whole = i;
		if (bytes[i] == ' ' && i > leading)
			blank = i;
	}
	return blank ? blank : whole ? whole : n;
}

/* Keys from @row on; 0: nothing is drawn. How many lines they take. */
static unsigned put_wrapped(struct top *top, const char *text, struct style style, unsigned row)
{
	struct canvas *canvas = &top->canvas;
	unsigned columns = canvas->columns > 2 ? canvas->columns - 1u : 1, lines = 0;
	while (*text && lines < KEY_LINES_MAX) {
		size_t n = fitting(text, strlen(text), columns);
		if (row)
			canvas_put(canvas, row + lines, 1, columns, style, text, n);
		lines++;
		text += n;
		text += strspn(text, " ");
	}
	return lines;
}

static void draw_frame(struct top *top, const char *title, const char *keys, bool asks)
{
	struct canvas *canvas = &top->canvas;
	const struct style bar = {.ink = INK_TITLE, .paper = INK_BAR, .flags = CELL_BOLD};
	for (unsigned row = 0; row < canvas->rows; row++)
		canvas_fill(canvas, row, 0, canvas->columns, (struct style){INK_PLAIN}, ' ');
	canvas_fill(canvas, 0, 0, canvas->columns, bar, ' ');
	canvas_string(canvas, 0, 1, canvas->columns - 1u, bar, title);
	struct style last =
		asks ? (struct style){.ink = INK_WARNING, .flags = CELL_BOLD | CELL_REVERSE} : bar;
	top->pager.n_keys = canvas->rows < ROWS_FOR_KEYS ? 1 : put_wrapped(top, keys, last, 0);
	unsigned first = canvas->rows - top->pager.n_keys;
	for (unsigned row = first; row < canvas->rows; row++)
		canvas_fill(canvas, row, 0, canvas->columns, last, ' ');
	if (top->pager.n_keys == 1)
		canvas_string(canvas, first, 1, canvas->columns - 1u, last, keys);
	else
		put_wrapped(top, keys, last, first);
}

static unsigned room_of(const struct top *top)
{
	unsigned taken = 1 + (top->pager.n_keys ? top->pager.n_keys : 1);
	return top->canvas.rows > taken ? top->canvas.rows - taken : 0;
}

static bool is_too_narrow_for(const struct top *top, unsigned indent)
{
	return indent >= (top->canvas.columns - 1u) / 2;
}

/* The lines from the first that is shown. What does not fit goes on below, @hang columns from the
 * left; 0: two more than its line. */
static void draw_lines(struct top *top, const struct out *text, unsigned hang)
{
	struct canvas *canvas = &top->canvas;
	struct pager *pager = &top->pager;
	unsigned room = room_of(top), columns = canvas->columns - 1u;
	uint32_t number = 0;
	for (const char *at = text->data, *all = at + text->n; at < all;) {
		const char *end = memchr(at, '\n', (size_t)(all - at));
		size_t length = (size_t)((end ? end : all) - at), done = 0;
		bool is_heading = length && *at != ' ';
		unsigned below = hang ? hang : (unsigned)count_blanks(at, length) + 2;
		do {
			unsigned indent = done && !is_too_narrow_for(top, below) ? below : 0;
			size_t piece = fitting(at + done, length - done, columns - indent);
			if (number >= pager->first && number < pager->first + room)
				canvas_put(canvas, 1 + number - pager->first, 1 + indent,
					   columns - indent,
					   (struct style){.flags = is_heading ? CELL_BOLD : 0},
					   at + done, piece);
			number++;
			done += piece;
			done += count_blanks(at + done, length - done);
		} while (done < length);
		at += length + 1;
	}
	pager->n_lines = number;
}

static void keep_in_range(struct top *top)
{
	struct pager *pager = &top->pager;
	unsigned room = room_of(top);
	if (pager->first + room > pager->n_lines)
		pager->first = pager->n_lines > room ? pager->n_lines - room : 0;
}

static void draw(struct top *top)
{
	const struct pager *pager = &top->pager;
	const char *keys = pager->is_working ? "working...  Esc back"
			   : pager->question ? question_of(pager->question)
					     : "Esc back  Up Down PgUp PgDn";
	draw_frame(top, pager->title, keys, pager->question && pager->question->asks);
	keep_in_range(top);
	draw_lines(top, &pager->text, 0);
}

static void scroll(struct top *top, const struct input *input)
{
	struct pager *pager = &top->pager;
	uint32_t page = room_of(top) > 1 ? room_of(top) - 1 : 1, by = 1;
	switch (input->kind) {
	case INPUT_PAGE_UP:
	case INPUT_PAGE_DOWN:
		by = page;
		break;
	case INPUT_WHEEL_UP:
	case INPUT_WHEEL_DOWN:
		by = 3;
		break;
	case INPUT_HOME:
	case INPUT_END:
		by = pager->n_lines;
		break;
	default:
		break;
	}
	if (input->kind == INPUT_UP || input->kind == INPUT_PAGE_UP || input->kind == INPUT_HOME ||
	    input->kind == INPUT_WHEEL_UP || (input->kind == INPUT_CHAR && input->point == 'k'))
		pager->first -= by < pager->first ? by : pager->first;
	else if (input->kind == INPUT_DOWN || input->kind == INPUT_PAGE_DOWN ||
		 input->kind == INPUT_END || input->kind == INPUT_WHEEL_DOWN ||
		 (input->kind == INPUT_CHAR && (input->point == 'j' || input->point == ' ')))
		pager->first += by;
	keep_in_range(top);
}

static bool is_way_back(const struct input *input)
{
	return input->kind == INPUT_ESCAPE || input->kind == INPUT_ENTER ||
	       (input->kind == INPUT_CHAR &&
		(input->point == 'q' || input->point == 'n' || input->point == 3));
}

static void close_pager(struct top *top)
{
	if (top->pager.is_working && top->jobs && jobs_forget(top->jobs))
		top_say(top, true, "it was left before it had begun: nothing was done");
	if (top->pager.has_told)
		top->status_ms = top->now_ms; /* it can be read from now on */
	clear(top);
	top->layer = NULL;
}

static void input_pager(struct top *top, const struct input *input)
{
	struct job *question = top->pager.question;
	if (question && input->kind == INPUT_CHAR && !input->is_pasted) {
		top->pager.question = NULL; /* the answer opens another page */
		if (action_answer(top, question, input->point)) {
			job_free(question);
			return;
		}
		top->pager.question = question;
	}
	if (is_way_back(input))
		close_pager(top);
	else
		scroll(top, input);
}

static unsigned count_key_lines(const struct top *top)
{
	return top->pager.n_keys;
}

const struct layer layer_pager = {
	.draw = draw, .input = input_pager, .n_key_lines = count_key_lines};

/* ---- help ---- */

/* On a narrow terminal what a key does stands below it. */
static void write_key(struct top *top, const char *key, const char *help, const char *why_not)
{
	out_format(&top->scratch, is_too_narrow_for(top, KEY_COLUMNS) ? "%s\n   " : "  %-15s ",
		   key);
	out_format(&top->scratch, "%s%s%s%s\n", help, why_not ? " (not now: " : "",
		   why_not ? why_not : "", why_not ? ")" : "");
}

static void draw_help(struct top *top)
{
	top->scratch.n = 0;
	for (const struct key_binding *key = top_keys; key->shown; key++) {
		if (!key->help)
			continue;
		const char *why_not = key->why_not && key->act ? key->why_not(top) : NULL;
		write_key(top, key->shown, key->help, why_not);
	}
	out_string(&top->scratch,
		   "\n  + new   ~ changed   - gone   ! its number has another owner too\n");
	draw_frame(top, "keys", "Esc back  Up Down PgUp PgDn", false);
	keep_in_range(top);
	draw_lines(top, &top->scratch, is_too_narrow_for(top, KEY_COLUMNS) ? 3 : KEY_COLUMNS);
}

static void input_help(struct top *top, const struct input *input)
{
	if (is_way_back(input) || input->kind == INPUT_HELP ||
	    (input->kind == INPUT_CHAR && input->point == '?'))
		top->layer = NULL;
	else
		scroll(top, input);
}

const struct layer layer_help = {
	.draw = draw_help, .input = input_help, .n_key_lines = count_key_lines};

/* The screen's own thread: it waits for keys, snapshots and answers, and draws. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/module.h"
#include "base/privilege.h"
#include "model/columns.h"
#include "source/zone.h"
#include "top/events.h"
#include "top/open.h"
#include "top/state.h"

#define FADE_STEP_MS (FADE_MS / 6) /* between frames while a colour fades */
#define SIGNALS_MAX 8
#define DOUBLE_MS 400
#define MANY_SOCKETS 4096
#define KEPT_PIECE (8 << 20) /* bytes; larger pieces have pages of their own */
#define KEPT (64 << 20)

void top_say(struct top *top, bool is_bad, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(top->status, sizeof(top->status), format, arguments);
	va_end(arguments);
	top->status_ms = top->now_ms;
	top->is_bad = is_bad;
	top->is_dirty = true;
}

/* ---- asking ---- */

static uint32_t needs_of(const struct top *top)
{
	const struct tab *tab = &tabs[top->tab];
	const struct choice *choice =
		tab->is_map || tab->is_events ? NULL : &top->choices[tab->list];
	return tabs[top->tab].needs | filter_needs(top->parsed) |
	       (choice ? choice_needs(choice) : 0) | top->options->looking.needs;
}

/* What is shown; a filter that says something of states decides itself. */
static uint32_t states_of(const struct top *top)
{
	return filter_names_state(top->parsed) ? STATES_ALL : tabs[top->tab].states;
}

/* Few connections are looked at wherever one is, so that the past of a tab has them too. */
struct query top_query(const struct top *top)
{
	bool is_of_all = top->latest && !top->has_many;
	uint32_t looked_at = tabs[top->tab].looked_at;
	struct query query = {
		.bounds = BOUNDS_ALL,
		.needs = needs_of(top),
		.scope = top->options->looking.scope,
		.source = top->options->looking.source,
	};
	for (unsigned i = 0; is_of_all && i < TAB_MAX; i++) {
		looked_at |= tabs[i].looked_at;
		query.needs |= tabs[i].needs;
		if (!tabs[i].is_map && !tabs[i].is_events)
			query.needs |= choice_needs(&top->choices[tabs[i].list]);
	}
	query.bounds.states = filter_names_state(top->parsed) ? STATES_ALL : looked_at;
	return query;
}

static void ask(struct top *top)
{
	struct query query = top_query(top);
	bool is_same =
		query.needs == top->query.needs && query.bounds.states == top->query.bounds.states;
	top->query = query;
	if (top->refresh && !is_same && !top->walked)
		refresh_ask(top->refresh, &query);
}

static const struct snapshot *before(const struct top *top, const struct snapshot *snapshot)
{
	if (top->walk.recalled.snapshot)
		return top->walk.recalled.older;
	for (uint32_t i = 1; i < top->past.list.n; i++)
		if (past_at(&top->past, i) == snapshot)
			return past_at(&top->past, i - 1);
	return NULL;
}

static const struct snapshot *shown(const struct top *top)
{
	if (tabs[top->tab].is_events)
		return events_shown(top);
	return top->walked ? top->walked : top->latest;
}

void top_show(struct top *top)
{
	const struct snapshot *snapshot = shown(top);
	open_tell_missing(top, tabs[top->tab].is_events || top->walked ? snapshot : top->latest);
	if (!snapshot)
		return;
	bool is_in_memory = top->walked && !top->walk.recalled.snapshot;
	struct wish wish = {
		.snapshot = snapshot,
		.older = top->walked && !tabs[top->tab].is_events ? before(top, top->walked) : NULL,
		.is_past = top->walked != NULL,
		.is_fresh = top->is_fresh,
		.is_map = tabs[top->tab].is_map,
		.is_events = tabs[top->tab].is_events,
		.now_ns = zone_now_ns(),
		.until_ns = is_in_memory ? (uint64_t)(top->walked->time * 1e9) : 0,
		.now_ms = top->now_ms,
		.number = top->number,
		.states = states_of(top),
		.has_peers = tabs[top->tab].has_peers,
		.is_utf8 = top->options->is_utf8,
	};
	memcpy(wish.filter, top->filter, sizeof(wish.filter));
	if (top_choice(top))
		wish.choice = *top_choice(top);
	top->is_fresh = false;
	arranger_ask(top->arranger, &wish);
}

void top_rearrange(struct top *top)
{
	top->number++;
	top->is_dirty = true;
	events_watch(top);
	ask(top);
	top_show(top);
}

void top_go_to(struct top *top, unsigned tab)
{
	const char *why_not = tab_why_not(top, tab);
	if (why_not) {
		top_say(top, true, "%s: %s", tabs[tab].title, why_not);
		return;
	}
	if (top->tab == tab)
		return;
	top->tab = tab;
	top_rearrange(top);
}

int top_set_filter(struct top *top, const char *text, struct error *err)
{
	struct filter *parsed = NULL;
	int r = filter_parse(text, top->options->looking.services, &parsed, err);
	if (r < 0)
		return r;
	filter_free(top->parsed);
	top->parsed = parsed;
	if (strcmp(top->filter, text) != 0) {
		snprintf(top->filter, sizeof(top->filter), "%s", text);
		top_rearrange(top);
	}
	return 0;
}

void top_keep_choice(struct top *top)
{
	arranger_keep(top->arranger, top->choices);
	top_rearrange(top);
}

/* ---- what comes ---- */

/* Where there are many, those that a tab does not show are not looked at for it. */
static void count_sockets(struct top *top)
{
	uint32_t states = top->latest->states;
	if (states && (states & STATES_ALL) != STATES_ALL && top->has_many)
		return;
	top->has_many = top->latest->sockets.n >= MANY_SOCKETS;
	ask(top);
}

static void take_snapshot(struct top *top)
{
	const struct snapshot *taken = refresh_take(top->refresh, NULL);
	struct error err = {0};
	if (refresh_error(top->refresh, &err) < 0)
		top_say(top, true, "%s", err.what);
	if (!taken || taken == top->latest) {
		snapshot_release(taken);
		return;
	}
	arranger_release_snapshot(top->arranger, top->latest);
	top->latest = taken;
	past_add(&top->past, taken);
	count_sockets(top);
	if (!top->walked && !tabs[top->tab].is_events)
		top_show(top);
	top->is_dirty = true;
}

static void tell_unkept(struct top *top)
{
	struct error err = {0};
	if (arranger_kept(top->arranger, &err) >= 0 || top->is_unkept)
		return;
	top_say(top, true, "not kept for next time: %s", err.what);
	top->is_unkept = true;
}

static void take_arrangement(struct top *top)
{
	struct arrangement *taken = arranger_take(top->arranger);
	tell_unkept(top);
	if (!taken)
		return;
	arranger_release(top->arranger, top->shown);
	for (unsigned i = 0; i < CHOICE_LISTS; i++)
		top->lists[i].measured = NULL; /* its address may come again */
	top->shown = taken;
	top->shown_ms = top->now_ms;
	top->is_cleared = false;
	if (top_list(top) && top_has_arrangement(top))
		list_follow(top);
	top->is_dirty = true;
}

static void take_answer(struct top *top)
{
	struct job *job = jobs_take(top->jobs);
	if (!job)
		return;
	pager_finish(top, job);
	top->is_dirty = true;
}

static void take_keys(struct top *top)
{
	struct input input;
	for (;;) {
		top->functions->read(top->screen, &input);
		if (input.kind == INPUT_NONE)
			return;
		top->is_dirty = true;
		if (input.is_pasted && !(top->layer && top->layer->takes_text))
			continue;
		if (!input.is_pasted && keys_input_always(top, &input))
			continue;
		struct input named;
		if (press_names_key(top, &input, &named))
			input = named;
		if (top->layer)
			top->layer->input(top, &input);
		else if (!frame_press(top, &input) && !keys_input(top, &input))
			tabs[top->tab].input(top, &input);
	}
}

bool top_is_second_press(struct top *top, const struct input *input, bool in_column)
{
	bool is_second = input->kind == INPUT_DOUBLE ||
			 (input->row == top->last_press.row &&
			  (!in_column || input->column == top->last_press.column) &&
			  top->now_ms - top->last_press_ms < DOUBLE_MS && top->last_press_ms);
	top->last_press = *input;
	top->last_press_ms = is_second ? 0 : top->now_ms;
	return is_second;
}

static int measure(struct top *top)
{
	unsigned rows, columns;
	top->functions->measure(top->screen, &rows, &columns);
	if (rows == top->canvas.rows && columns == top->canvas.columns && top->canvas.cells)
		return 0;
	canvas_done(&top->canvas);
	top->is_dirty = true;
	for (unsigned i = 0; i < CHOICE_LISTS; i++)
		top->lists[i].widths_number = 0;
	return canvas_init(&top->canvas, rows, columns, top->options->is_utf8);
}

static bool is_guarded(const struct top *top)
{
	struct pollfd guardian = {.fd = top->options->guardian, .events = POLLIN};
	return poll(&guardian, 1, 0) == 0;
}

void top_suspend(struct top *top)
{
	top->functions->suspend(top->screen);
	raise(SIGSTOP); /* the guard stops with us, and the shell has the terminal */
	if (!is_guarded(top)) {
		top->is_ended = true; /* the terminal is the shell's */
		return;
	}
	top->functions->resume(top->screen);
	top->is_dirty = true;
}

static int take_signals(struct top *top, int fd)
{
	struct signalfd_siginfo signals[SIGNALS_MAX];
	ssize_t n = read(fd, signals, sizeof(signals));
	for (ssize_t i = 0; i < n / (ssize_t)sizeof(signals[0]); i++) {
		if (signals[i].ssi_signo == SIGTSTP)
			top_suspend(top);
		top->functions->redraw(top->screen);
	}
	return measure(top);
}

/* ---- the loop ---- */

/* On the map what has changed since the look before; of the past that stays. */
static bool is_map_fading(const struct top *top, bool *ret_is_faded)
{
	const struct arrangement *shown = top->shown;
	bool has_changes = top_has_arrangement(top) && !shown->is_past &&
			   (shown->n_new || shown->n_changed || shown->n_gone);
	*ret_is_faded = has_changes && top->now_ms - top->shown_ms >= FADE_MS;
	return has_changes && !*ret_is_faded;
}

/* Something that is seen still fades. *@ret_is_faded: a row that is gone has, or the
 * map. */
static bool is_fading(const struct top *top, bool *ret_is_faded)
{
	const struct tab *tab = &tabs[top->tab];
	const struct list_view *list = tab->is_map ? NULL : &top->lists[tab->list];
	bool is_moving = false;
	if (!list)
		return is_map_fading(top, ret_is_faded);
	*ret_is_faded = false;
	if (!top_has_arrangement(top))
		return false;
	for (uint32_t i = list->first; i < list->first + list->n_lines && i < top->shown->n_items;
	     i++) {
		bool is_faded = mark_level(arrangement_mark(top->shown, i), top->now_ms) == 3;
		is_moving |= !is_faded;
		*ret_is_faded |= is_faded && top->shown->items[i] & ITEM_GHOST;
	}
	return is_moving;
}

/* How long to wait. What has faded goes with the next look; where none comes soon, now. */
static int wait_of(struct top *top)
{
	bool has_status = top->status[0] && top->now_ms - top->status_ms < 6500,
	     is_slow = top->is_paused || top->options->interval_ms > FADE_MS / 2, is_faded,
	     is_moving = is_fading(top, &is_faded) && (is_slow || !tabs[top->tab].is_map);
	if (is_faded && is_slow && !top->is_cleared) {
		top->is_cleared = true;
		top_show(top);
	}
	return is_moving ? FADE_STEP_MS : has_status ? 1000 : -1;
}

enum {
	FD_KEYS,
	FD_STOP,
	FD_GUARD,
	FD_SIGNALS,
	FD_SNAPSHOT,
	FD_ARRANGED,
	FD_ANSWER,
	FD_EVENTS,
	FD_RECORDED,
	FD_MAX
};

static bool is_readable(const struct pollfd *fds, unsigned which)
{
	return fds[which].fd >= 0 && fds[which].revents;
}

static void set_fds(const struct top *top, int signals, struct pollfd fds[FD_MAX])
{
	const int numbers[FD_MAX] = {
		[FD_KEYS] = STDIN_FILENO,
		[FD_STOP] = top->options->stop ? top->options->stop->fd : -1,
		[FD_GUARD] = top->options->guardian,
		[FD_SIGNALS] = signals,
		[FD_SNAPSHOT] = top->refresh ? refresh_fd(top->refresh) : -1,
		[FD_ARRANGED] = arranger_fd(top->arranger),
		[FD_ANSWER] = top->jobs ? jobs_fd(top->jobs) : -1,
		[FD_EVENTS] = top->journal ? journal_fd(top->journal) : -1,
		[FD_RECORDED] = top->recorded ? recorded_fd(top->recorded) : -1,
	};
	for (unsigned i = 0; i < FD_MAX; i++)
		fds[i] = (struct pollfd){.fd = numbers[i], .events = POLLIN};
}

static int turn(struct top *top, struct pollfd fds[FD_MAX])
{
	int r = 0;
	if (is_readable(fds, FD_GUARD))
		signal(SIGTTOU, SIG_IGN); /* a shell may have the terminal already: it is put back
					     all the same */
	if (stop_wanted(top->options->stop) || is_readable(fds, FD_GUARD) ||
	    fds[FD_KEYS].revents & (POLLHUP | POLLERR | POLLNVAL))
		top->is_ended = true;
	if (is_readable(fds, FD_SIGNALS))
		r = take_signals(top, fds[FD_SIGNALS].fd);
	if (is_readable(fds, FD_KEYS))
		take_keys(top);
	if (is_readable(fds, FD_SNAPSHOT))
		take_snapshot(top);
	if (is_readable(fds, FD_ARRANGED))
		take_arrangement(top);
	if (is_readable(fds, FD_ANSWER))
		take_answer(top);
	if (is_readable(fds, FD_EVENTS))
		events_take(top);
	if (is_readable(fds, FD_RECORDED))
		walk_take(top);
	return r;
}

static int loop(struct top *top, int signals)
{
	struct pollfd fds[FD_MAX];
	set_fds(top, signals, fds);
	while (!top->is_ended) {
		int n = poll(fds, FD_MAX, wait_of(top));
		top->now_ms = (uint32_t)clock_ms();
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			top->is_dirty = true;
		int r = n > 0 || stop_wanted(top->options->stop) ? turn(top, fds) : 0;
		if (r < 0)
			return r;
		if (top->is_dirty && !top->is_ended) {
			top->is_dirty = false;
			frame_draw(top);
			top->functions->draw(top->screen, &top->canvas);
		}
	}
	return 0;
}

static int signals_open(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGCONT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static int run(struct top *top, struct error *err)
{
	cleanup(closep) int signals = signals_open();
	if (signals < 0)
		return error_set(err, signals, "wait for signals");
	const struct screen_options options = {.has_colour = top->options->has_colour,
					       .is_utf8 = top->options->is_utf8};
	top->functions = module_get("screen", SCREEN_VERSION, err);
	if (!top->functions)
		return -ENOTSUP;
	int r = open_threads(top, err);
	if (r >= 0)
		r = top->functions->open(&options, &top->screen, err);
	if (r < 0)
		return r;
	r = measure(top);
	if (r >= 0) {
		top->is_dirty = true;
		events_watch(top);
		top_show(top);
		take_keys(top); /* those that were typed while it opened: no read is to come */
		r = loop(top, signals);
	}
	top->functions->close(top->screen);
	return r < 0 ? error_set(err, r, "show the screen") : 0;
}

/* What a look has let go of is what the next one takes: to touch new memory each time costs more
 * than all that is done in it. */
static void keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, KEPT_PIECE);
	mallopt(M_TRIM_THRESHOLD, KEPT);
}

int top_run(const struct top_options *options, struct error *err)
{
	keep_memory();
	struct top *top = calloc(1, sizeof(*top));
	if (!top)
		return error_set(err, -ENOMEM, "show the screen");
	top->options = options;
	top->now_ms = (uint32_t)clock_ms(); /* what is said while it opens is said now */
	int r = open_state(top, err);
	if (r >= 0) {
		top->query = top_query(top);
		r = run(top, err);
	}
	open_done(top);
	free(top);
	return r;
}

/* What the screen has, made and given back. */
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/module.h"
#include "base/privilege.h"
#include "model/columns.h"
#include "top/open.h"
#include "view/missing.h"

#define PAST_SECONDS 600

/* ---- which columns there are where nobody chose ---- */

static int set_usual(struct choice *choice, enum columns_of of)
{
	struct arena arena;
	arena_init(&arena);
	const struct field **usual = columns_usual(&arena, of);
	unsigned n = 0;
	for (unsigned i = 0; usual && usual[i] && n + 1 < CHOICE_COLUMNS_MAX; i++) {
		choice->columns[n++] = usual[i];
		if (strcmp(usual[i]->name, "user") == 0)
			choice->columns[n++] = field_find("namespace");
	}
	choice->columns[n] = NULL;
	arena_done(&arena);
	return usual ? 0 : -ENOMEM;
}

/* Both ends, who, and how much; on a narrow terminal what is to the right is left out. */
static void set_connections(struct choice *choice)
{
	static const char *const names[] = {"proto",	 "local",   "remote",	"role",
					    "process",	 "rate_in", "rate_out", "state",
					    "namespace", "pid",	    "user",	"peer_process"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (field_find(names[i]))
			choice_toggle(choice, field_find(names[i]));
}

/* What happened, to what, who did it, and how it went; the rest is to the right. */
static void set_events(struct choice *choice)
{
	static const char *const names[] = {
		"time",	 "event", "proto",	"local",    "remote",	  "process",	    "pid",
		"state", "by",	  "errno_name", "duration", "bytes_sent", "bytes_received", "how"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (field_find(names[i]))
			choice_toggle(choice, field_find(names[i]));
}

static int set_choices(struct top *top)
{
	set_events(&top->choices[tabs[TAB_EVENTS].list]);
	set_connections(&top->choices[tabs[TAB_CONNECTIONS].list]);
	top->choices[tabs[TAB_DOORS].list].by = ROWS_BY_SERVICE;
	return set_usual(&top->choices[tabs[TAB_DOORS].list], COLUMNS_OPEN);
}

/* ---- what cannot be done, and why ---- */

static void set_reasons(struct top *top)
{
	top->may_signal = privilege_has(CAP_KILL);
	top->may_trace = (privilege_has(CAP_BPF) && privilege_has(CAP_PERFMON)) ||
			 privilege_has(CAP_SYS_ADMIN);
	top->uid = getuid();
	const char *absent = module_absent("nft");
	if (absent)
		snprintf(top->no_block, sizeof(top->no_block), "the module nft is %s", absent);
	else if (!privilege_has(CAP_NET_ADMIN))
		snprintf(top->no_block, sizeof(top->no_block),
			 "it needs CAP_NET_ADMIN: run it with sudo");
}

void open_tell_missing(struct top *top, const struct snapshot *snapshot)
{
	top->scratch.n = 0;
	if (snapshot)
		missing_text(&top->scratch, snapshot);
	snprintf(top->missing, sizeof(top->missing), "%.*s", (int)top->scratch.n,
		 top->scratch.data);
}

/* ---- all of it ---- */

int open_state(struct top *top, struct error *err)
{
	struct error told = {0};
	past_init(&top->past, top->options->past_bytes, PAST_SECONDS);
	top->tab = top->options->tab;
	int r = out_init(&top->scratch, -1);
	if (r >= 0)
		r = out_init(&top->pager.text, -1);
	if (r >= 0)
		r = set_choices(top);
	if (r < 0)
		return error_set(err, r, "show the screen");
	if (choices_load(top_list_names, top->choices, CHOICE_LISTS, &told) < 0 && told.code)
		top_say(top, true, "%s", told.what);
	if (top->options->filter) {
		r = filter_parse(top->options->filter, top->options->looking.services, &top->parsed,
				 err);
		snprintf(top->filter, sizeof(top->filter), "%s", top->options->filter);
	} else {
		r = filter_parse("", NULL, &top->parsed, err);
	}
	set_reasons(top);
	return r;
}

int open_threads(struct top *top, struct error *err)
{
	const struct top_options *options = top->options;
	int r = 0;
	if (options->saved) {
		top->latest = snapshot_hold(options->saved);
	} else {
		const struct journal_wish journal = {.looking = &options->looking,
						     .record = options->db,
						     .wants_record = options->db};
		r = refresh_start(&top->query, options->interval_ms, false, &top->refresh, err);
		if (r >= 0)
			r = jobs_start(&options->looking, &top->jobs, err);
		if (r >= 0)
			r = journal_start(&journal, &top->journal, err);
		if (r >= 0)
			r = recorded_start(options->db, &top->recorded, err);
	}
	if (r >= 0)
		r = arranger_start(options->looking.services, &top->arranger, err);
	top->past.arranger = top->arranger;
	privilege_drop();
	return r;
}

void open_done(struct top *top)
{
	refresh_free(top->refresh);
	jobs_free(top->jobs);
	arranger_free(top->arranger);
	top->past.arranger = NULL;
	arrangement_release(top->shown);
	journal_free(top->journal);
	recorded_free(top->recorded);
	walk_done(top);
	snapshot_release(top->events);
	snapshot_release(top->latest);
	past_done(&top->past);
	pager_done(top);
	canvas_done(&top->canvas);
	out_done(&top->scratch);
	filter_free(top->parsed);
}

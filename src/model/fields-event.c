/* The fields of what happened. Its socket and its holders have theirs, as in a listing. */
#include "model/diagnosis.h"
#include "model/fields.h"
#include "model/get.h"

#define E record->event

static void get_event(const struct record *record, struct value *ret)
{
	set_word(ret, E ? event_words[E->kind] : NULL);
}

/* RFC 3339 in UTC, with nanoseconds. */
static void get_time(const struct record *record, struct value *ret)
{
	if (!E) {
		set_null(ret);
		return;
	}
	event_time_text(E->time_ns, ret->scratch);
	set_string(ret, ret->scratch);
}

static void set_seconds(struct value *ret, uint64_t ns)
{
	ret->kind = ns == EVENT_UNKNOWN ? VALUE_NULL : VALUE_TIME;
	ret->real = (double)ns / 1e9;
}

static void get_uptime(const struct record *record, struct value *ret)
{
	set_seconds(ret, E ? E->uptime_ns : EVENT_UNKNOWN);
}

static void get_duration(const struct record *record, struct value *ret)
{
	set_seconds(ret, E ? E->duration_ns : EVENT_UNKNOWN);
}

static void get_sure(const struct record *record, struct value *ret)
{
	set_word(ret, E ? sure_words[E->sure] : NULL);
}

static const struct process *by_of(const struct record *record)
{
	return E ? snapshot_process(E->snapshot, E->by) : NULL;
}

static void get_by(const struct record *record, struct value *ret)
{
	const struct process *process = by_of(record);
	set_object(ret, process ? process_title(process, ret->scratch, 256) : NULL);
}

static bool is_by_called(const struct record *record, const char *text)
{
	const struct process *process = by_of(record);
	return field_process_is(process, text) ||
	       (process && field_is_number((uint64_t)process->pid, text));
}

static void write_by(const struct record *record, struct out *out)
{
	field_process_json(by_of(record), out);
}

static void get_errno(const struct record *record, struct value *ret)
{
	if (E && E->error)
		set_uint(ret, (uint64_t)E->error);
	else
		set_null(ret);
}

static void get_errno_name(const struct record *record, struct value *ret)
{
	set_string(ret, E ? errno_name(E->error) : NULL);
}

static void get_errno_sure(const struct record *record, struct value *ret)
{
	set_word(ret, E && E->error ? sure_words[E->error_sure] : NULL);
}

static void get_bytes_sent(const struct record *record, struct value *ret)
{
	if (E && E->bytes_sent != EVENT_UNKNOWN)
		set_uint(ret, E->bytes_sent);
	else
		set_null(ret);
}

static void get_how(const struct record *record, struct value *ret)
{
	set_word(ret, E ? how_words[E->how] : NULL);
}

static void get_source(const struct record *record, struct value *ret)
{
	set_word(ret, E ? told_by_words[E->told_by] : NULL);
}

static void get_count(const struct record *record, struct value *ret)
{
	if (E && (E->kind == EVENT_LOST || E->kind == EVENT_GAP || E->kind == EVENT_KNOCK))
		set_uint(ret, E->count);
	else
		set_null(ret);
}

static void get_reason(const struct record *record, struct value *ret)
{
	set_string(ret, E ? E->why : NULL);
}

#define ENTRY(name, title, help, words, flags, kind)                                            \
	{                                                                                       \
#name, #name, title, help, get_##name, NULL, words, 0, OF_EVENT, MERGE_LIST, 6, \
			flags, kind                                                             \
	}

const struct field fields_event[] = {
	ENTRY(event, N_("EVENT"),
	      N_("what happened: started, opened, closed, established, ended, refused, "
		 "connect_failed, lost, gap, knock"),
	      event_words, 0, VALUE_WORD),
	ENTRY(time, N_("TIME"), N_("when, in UTC (RFC 3339, nanoseconds)"), NULL, 0, VALUE_STRING),
	ENTRY(uptime, N_("UPTIME"), N_("when, in seconds since the boot: for order and length"),
	      NULL, FIELD_RIGHT, VALUE_TIME),
	{"by", "by", N_("BY"), N_("who did it, where that is not the holder"), get_by, write_by,
	 NULL, 0, OF_EVENT, MERGE_LIST, 6, 0, VALUE_OBJECT, .is_called = is_by_called},
	ENTRY(sure, N_("SURE"),
	      N_("exact: the holder was seen in its own context; probable: it follows from others"),
	      sure_words, 0, VALUE_WORD),
	ENTRY(errno, N_("ERRNO"), N_("of what was refused or failed: the error's number"), NULL,
	      FIELD_RIGHT, VALUE_UINT),
	ENTRY(errno_name, N_("ERROR"), N_("the same as a word: EADDRINUSE"), NULL, 0, VALUE_STRING),
	ENTRY(errno_sure, N_("ERRNO SURE"),
	      N_("exact: the errno was seen; probable: it follows from what was seen"), sure_words,
	      0, VALUE_WORD),
	ENTRY(duration, N_("DURATION"),
	      N_("of what closed or ended, and of a gap, in seconds; null where its beginning was "
		 "not seen"),
	      NULL, FIELD_RIGHT, VALUE_TIME),
	ENTRY(bytes_sent, N_("SENT"), N_("payload that the ended connection sent, in bytes"), NULL,
	      FIELD_RIGHT, VALUE_UINT),
	ENTRY(how, N_("HOW"),
	      N_("how a connection ended: closed, reset, aborted (this end sent the reset), "
		 "timed_out, destroyed"),
	      how_words, 0, VALUE_WORD),
	ENTRY(source, N_("SOURCE"),
	      N_("who told it: bpf, netlink, or resync, the difference of two snapshots after a "
		 "loss"),
	      told_by_words, 0, VALUE_WORD),
	ENTRY(count, N_("COUNT"),
	      N_("how many were lost; of a knock how often since it was told last"), NULL,
	      FIELD_RIGHT, VALUE_UINT),
	ENTRY(reason, N_("REASON"),
	      N_("why it was lost or not watched; of a knock the kernel's reason"), NULL, 0,
	      VALUE_STRING),
	{0},
};

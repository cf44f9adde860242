/* The fields of a holder: its descriptor and its process. */
#include <stdio.h>

#include "base/format.h"
#include "model/ancestry.h"
#include "model/fields.h"
#include "model/get.h"

#define P record->process
#define CONTAINER_ID_LEAST 8 /* characters of an id that name its container */

const char *field_container_text(const struct container *container, char *scratch)
{
	if (!container)
		return NULL;
	const char *id = container->id ? container->id : "?";
	const char *name = container->name ? container->name : id;
	size_t n = strnlen(name, container->name ? 200 : 12), at = 0;
	for (const char *engine = engine_words[container->engine]; *engine; engine++)
		scratch[at++] = *engine;
	scratch[at++] = ' ';
	memcpy(scratch + at, name, n);
	scratch[at + n] = '\0';
	return scratch;
}

void field_container_json(const struct container *container, struct out *out)
{
	if (!container) {
		out_string(out, "null");
		return;
	}
	out_string(out, "{\"engine\":\"");
	out_string(out, engine_words[container->engine]);
	out_string(out, "\",\"id\":");
	if (container->id)
		json_quote(out, container->id, strlen(container->id));
	else
		out_string(out, "null");
	out_string(out, ",\"name\":");
	if (container->name)
		json_quote(out, container->name, strlen(container->name));
	else
		out_string(out, "null");
	out_char(out, '}');
}

bool field_container_is(const struct container *container, const char *text)
{
	if (!container)
		return false;
	size_t n = strlen(text);
	return strcmp(engine_words[container->engine], text) == 0 ||
	       (container->name && strcmp(container->name, text) == 0) ||
	       (container->id && n >= CONTAINER_ID_LEAST && strncmp(container->id, text, n) == 0);
}

bool field_process_is(const struct process *process, const char *text)
{
	return process && ((process->name && strcmp(process->name, text) == 0) ||
			   (process->runs && strcmp(process->runs, text) == 0));
}

bool field_unit_is(const char *unit, const char *text)
{
	const char *dot = unit ? strrchr(unit, '.') : NULL;
	size_t n = strlen(text);
	return unit && strncmp(unit, text, n) == 0 && (!unit[n] || unit + n == dot);
}

bool field_is_number(uint64_t number, const char *text)
{
	char digits[FORMAT_NUMBER_MAX];
	size_t n = format_u64(digits, number);
	return strlen(text) == n && memcmp(digits, text, n) == 0;
}

static void get_pid(const struct record *record, struct value *ret)
{
	if (P)
		set_uint(ret, (uint64_t)P->pid);
	else
		set_null(ret);
}

static void get_fd(const struct record *record, struct value *ret)
{
	if (record->holder && record->holder->fd >= 0)
		set_uint(ret, (uint64_t)record->holder->fd);
	else
		set_null(ret);
}

static void get_name(const struct record *record, struct value *ret)
{
	set_string(ret, P ? P->name : NULL);
}

/* What a person calls it: an interpreter by what it runs. */
static void get_title(const struct record *record, struct value *ret)
{
	if (!P || !P->name)
		set_null(ret);
	else if (!P->runs)
		set_string(ret, P->name);
	else
		set_string(ret, process_title(P, ret->scratch, 256));
}

static bool is_title_called(const struct record *record, const char *text)
{
	return field_process_is(P, text);
}

static void get_runs(const struct record *record, struct value *ret)
{
	set_string(ret, P ? P->runs : NULL);
}

static void get_exe(const struct record *record, struct value *ret)
{
	set_string(ret, P ? P->exe : NULL);
}

static void get_exe_deleted(const struct record *record, struct value *ret)
{
	if (P && P->known & KNOWN_EXE)
		set_bool(ret, P->exe_deleted);
	else
		set_null(ret);
}

static void get_cmdline(const struct record *record, struct value *ret)
{
	set_string(ret, P ? P->cmdline : NULL);
}

static void get_cwd(const struct record *record, struct value *ret)
{
	set_string(ret, P ? P->cwd : NULL);
}

static void get_process_uid(const struct record *record, struct value *ret)
{
	if (P && P->known & KNOWN_UID)
		set_uint(ret, P->uid);
	else
		set_null(ret);
}

static void get_process_user(const struct record *record, struct value *ret)
{
	set_string(ret, P && P->known & KNOWN_UID ? snapshot_user(record->snapshot, P->uid) : NULL);
}

static bool is_process_users_number(const struct record *record, const char *text)
{
	return P && P->known & KNOWN_UID && field_is_number(P->uid, text);
}

static void get_start_time(const struct record *record, struct value *ret)
{
	ret->kind = P && P->known & KNOWN_STAT ? VALUE_TIME : VALUE_NULL;
	if (ret->kind == VALUE_TIME)
		ret->real = P->start_time;
}

static void get_ppid(const struct record *record, struct value *ret)
{
	if (P && P->known & KNOWN_STAT)
		set_uint(ret, (uint64_t)P->ppid);
	else
		set_null(ret);
}

static void get_unit(const struct record *record, struct value *ret)
{
	set_string(ret, P ? P->unit : NULL);
}

static bool is_unit_called(const struct record *record, const char *text)
{
	return P && field_unit_is(P->unit, text);
}

static const struct container *container_of_process(const struct record *record)
{
	return P ? snapshot_container(record->snapshot, P->container) : NULL;
}

static void get_process_container(const struct record *record, struct value *ret)
{
	set_object(ret, field_container_text(container_of_process(record), ret->scratch));
}

static bool is_process_container_called(const struct record *record, const char *text)
{
	return field_container_is(container_of_process(record), text);
}

static void write_process_container(const struct record *record, struct out *out)
{
	field_container_json(container_of_process(record), out);
}

#define PARENTS_MAX 64

static void get_parents(const struct record *record, struct value *ret)
{
	size_t n = 0;
	const struct process *parent = P ? snapshot_process(record->snapshot, P->parent) : NULL;
	for (unsigned i = 0; parent && n + 32 < 256 && i < PARENTS_MAX; i++) {
		n += (size_t)snprintf(ret->scratch + n, 256 - n, "%s%.15s (%d)", i ? ", " : "",
				      parent->name ? parent->name : "?", parent->pid);
		parent = snapshot_process(record->snapshot, parent->parent);
	}
	set_object(ret, n ? ret->scratch : NULL);
}

static void write_text(struct out *out, const char *key, const char *text)
{
	out_string(out, key);
	if (text)
		json_quote(out, text, strlen(text));
	else
		out_string(out, "null");
}

/* From the parent up to the first process. */
static void write_parents(const struct record *record, struct out *out)
{
	const struct process *parent = P ? snapshot_process(record->snapshot, P->parent) : NULL;
	out_char(out, '[');
	for (unsigned i = 0; parent && i < PARENTS_MAX; i++) {
		const char *user = parent->known & KNOWN_UID
					   ? snapshot_user(record->snapshot, parent->uid)
					   : NULL;
		out_format(out, "%s{\"pid\":%d,\"uid\":", i ? "," : "", parent->pid);
		if (parent->known & KNOWN_UID)
			out_u64(out, parent->uid);
		else
			out_string(out, "null");
		write_text(out, ",\"name\":", parent->name);
		char words[128];
		write_text(out,
			   ",\"is\":", ancestor_words(parent, words, sizeof(words)) ? words : NULL);
		write_text(out, ",\"from\":", parent->from);
		write_text(out, ",\"user\":", user);
		write_text(out, ",\"unit\":", parent->unit);
		out_string(out, ",\"container\":");
		field_container_json(snapshot_container(record->snapshot, parent->container), out);
		out_char(out, '}');
		parent = snapshot_process(record->snapshot, parent->parent);
	}
	out_char(out, ']');
}

#define J FIELD_JSON

const struct field fields_process[] = {
	{"process", NULL, N_("PROCESS"), N_("the holder's name; an interpreter with what it runs"),
	 get_title, NULL, NULL, NEED_HOLDERS | NEED_STAT | NEED_RUNS | NEED_EXE, OF_HOLDER,
	 MERGE_COUNT, 12, FIELD_DEFAULT | FIELD_CONNECTIONS | FIELD_WIDE, VALUE_STRING,
	 .is_called = is_title_called},
	{"pid", "pid", N_("PID"), N_("the holder's process id"), get_pid, NULL, NULL, NEED_HOLDERS,
	 OF_HOLDER, MERGE_LIST, 5, J | FIELD_DEFAULT | FIELD_CONNECTIONS | FIELD_WIDE | FIELD_RIGHT,
	 VALUE_UINT},
	{"fd", "fd", N_("FD"), N_("the holder's descriptor; null where only its io_uring has it"),
	 get_fd, NULL, NULL, NEED_HOLDERS, OF_HOLDER, MERGE_LIST, 3, J | FIELD_WIDE | FIELD_RIGHT,
	 VALUE_UINT},
	{"name", "name", N_("NAME"), N_("the holder's name as the kernel has it"), get_name, NULL,
	 NULL, NEED_HOLDERS | NEED_STAT, OF_HOLDER, MERGE_COUNT, 8, J, VALUE_STRING},
	{"runs", "runs", N_("RUNS"), N_("what an interpreter runs: its script, module or jar"),
	 get_runs, NULL, NULL, NEED_HOLDERS | NEED_RUNS | NEED_EXE, OF_HOLDER, MERGE_LIST, 8, J,
	 VALUE_STRING},
	{"exe", "exe", N_("EXECUTABLE"), N_("the holder's executable"), get_exe, NULL, NULL,
	 NEED_HOLDERS | NEED_EXE, OF_HOLDER, MERGE_LIST, 12, J | FIELD_WIDE, VALUE_STRING},
	{"exe_deleted", "exe_deleted", N_("DELETED"),
	 N_("the executable's file is gone or replaced"), get_exe_deleted, NULL, NULL,
	 NEED_HOLDERS | NEED_EXE, OF_HOLDER, MERGE_LIST, 3, J, VALUE_BOOL},
	{"cmdline", "cmdline", N_("COMMAND"), N_("the holder's command line"), get_cmdline, NULL,
	 NULL, NEED_HOLDERS | NEED_CMDLINE, OF_HOLDER, MERGE_LIST, 20, J | FIELD_WIDE,
	 VALUE_STRING},
	{"cwd", "cwd", N_("DIRECTORY"), N_("the holder's working directory"), get_cwd, NULL, NULL,
	 NEED_HOLDERS | NEED_CWD, OF_HOLDER, MERGE_LIST, 8, J, VALUE_STRING},
	{"process_uid", "uid", N_("PROCESS UID"), N_("the holder's effective uid"), get_process_uid,
	 NULL, NULL, NEED_HOLDERS | NEED_UID, OF_HOLDER, MERGE_LIST, 4, J | FIELD_RIGHT,
	 VALUE_UINT},
	{"process_user", "user", N_("PROCESS USER"), N_("the holder's user"), get_process_user,
	 NULL, NULL, NEED_HOLDERS | NEED_UID | NEED_USERS, OF_HOLDER, MERGE_LIST, 6, J,
	 VALUE_STRING, .is_called = is_process_users_number},
	{"start_time", "start_time", N_("STARTED"), N_("when the holder started, in Unix seconds"),
	 get_start_time, NULL, NULL, NEED_HOLDERS | NEED_STAT, OF_HOLDER, MERGE_LIST, 10,
	 J | FIELD_RIGHT, VALUE_TIME},
	{"ppid", "ppid", N_("PPID"), N_("the holder's parent"), get_ppid, NULL, NULL,
	 NEED_HOLDERS | NEED_STAT, OF_HOLDER, MERGE_LIST, 5, J | FIELD_RIGHT, VALUE_UINT},
	{"unit", "unit", N_("UNIT"), N_("the holder's systemd unit"), get_unit, NULL, NULL,
	 NEED_HOLDERS | NEED_CGROUP, OF_HOLDER, MERGE_LIST, 10, J | FIELD_DEFAULT | FIELD_WIDE,
	 VALUE_STRING, .is_called = is_unit_called},
	{"process_container", "container", N_("PROCESS CONTAINER"),
	 N_("the holder's own container"), get_process_container, write_process_container, NULL,
	 NEED_HOLDERS | NEED_CGROUP, OF_HOLDER, MERGE_LIST, 10, J, VALUE_OBJECT,
	 .is_called = is_process_container_called},
	{"parents", "parents", N_("PARENTS"), N_("who started the holder, up to the first process"),
	 get_parents, write_parents, NULL,
	 NEED_HOLDERS | NEED_STAT | NEED_CGROUP | NEED_UID | NEED_USERS | NEED_PARENTS, OF_HOLDER,
	 MERGE_LIST, 12, FIELD_ON_REQUEST | FIELD_NO_FILTER, VALUE_OBJECT},
	{0},
};

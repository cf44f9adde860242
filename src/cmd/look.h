/* What list, show, deliver and the classic views have in common: where the sockets come from. */
#ifndef CMD_LOOK_H
#define CMD_LOOK_H

#include "cmd/archive.h"
#include "cmd/command.h"
#include "collect/collect.h"
#include "model/query.h"
#include "model/stream.h"

/* Part of the settings of every command that looks; its options are LOOK_OPTIONS. */
struct look {
	const char *netns;   /* "self", "all", a name or a pid; NULL: all where that may be */
	int source;	     /* enum source_choice */
	bool is_numeric;     /* no name service */
	const char *read;    /* a saved file instead of this host */
	const char *at, *db; /* as it was then, by a record */
	uint64_t at_ns;
	const char *debug;
	bool asks_again; /* the capabilities stay: the caller asks the kernel once more, then drops
			    them */
};

extern const char *const look_source_words[];

#define LOOK_OPTIONS(settings, member)                                                \
	{OPTION_TEXT,                                                                 \
	 0,                                                                           \
	 "netns",                                                                     \
	 offsetof(settings, member.netns),                                            \
	 "WHICH",                                                                     \
	 N_("network namespaces: self, all, a name, a container or a pid"),           \
	 .completes = "netns"},                                                       \
		{OPTION_WORD,                                                         \
		 0,                                                                   \
		 "source",                                                            \
		 offsetof(settings, member.source),                                   \
		 "SOURCE",                                                            \
		 N_("where holders come from: auto, bpf or proc"),                    \
		 .words = look_source_words},                                         \
		{OPTION_FLAG, 'n',                                                    \
		 "numeric",   offsetof(settings, member.is_numeric),                  \
		 NULL,	      N_("ask no name service: users by /etc/passwd alone")}, \
	{                                                                             \
		OPTION_TEXT, 0, "debug", offsetof(settings, member.debug), "PARTS",   \
			N_("say what the program does: plan,join,source,bpf,netns"),  \
			.is_hidden = true                                             \
	}

/* What a filter says in every command that takes one. */
#define LOOK_FILTER_MEANT                                                                \
	OPTION_IS_MEANT(0, "port", N_("a filter says it: 'port = 80'")),                 \
		OPTION_IS_MEANT(0, "pid", N_("a filter says it: 'pid = 640'")),          \
		OPTION_IS_MEANT(0, "user", N_("a filter says it: 'user = root'")),       \
		OPTION_IS_MEANT(0, "process", N_("a filter says it: 'process = sshd'")), \
		OPTION_IS_MEANT(0, "proto", N_("a filter says it: 'proto = tcp'")),      \
		OPTION_IS_MEANT(0, "tcp", N_("a filter says it: 'proto = tcp'")),        \
		OPTION_IS_MEANT(0, "udp", N_("a filter says it: 'proto = udp'")),        \
		OPTION_IS_MEANT(0, "state", N_("a filter says it: 'state = listen'")),   \
		OPTION_IS_MEANT(0, "address", N_("a filter says it: 'address = 127.0.0.1'"))

#define LOOK_JSON_OPTION(settings, member)                                             \
	{                                                                              \
		.kind = OPTION_FLAG, .name = "json", .at = offsetof(settings, member), \
		.help = N_("print it as JSON")                                         \
	}

/* The one namespace that --netns names, to @ret (struct found_netns, one). 0 or negative errno with
 * @err told: all are not one. */
int look_place(struct context *context, const struct look *look, struct vector *ret,
	       struct error *err);

/* TCP and UDP are two doors: words of a --proto, and which each is. */
extern const char *const look_door_words[];
extern const enum proto look_doors[];

#define LOOK_READ_OPTION(settings, member)                                                        \
	{                                                                                         \
		OPTION_TEXT, 0, "read", offsetof(settings, member.read), "FILE",                  \
			N_("a saved --json, or a dump that `ss -D` wrote, instead of this host"), \
			.completes = "file"                                                       \
	}

#define LOOK_AT_OPTIONS(settings, member)                                                          \
	{.kind = OPTION_TEXT,                                                                      \
	 .name = "at",                                                                             \
	 .at = offsetof(settings, member.at),                                                      \
	 .argument = "TIME",                                                                       \
	 .help = N_(                                                                               \
		 "as it was then, by what was recorded: 10m, yesterday 14:00, 2026-03-01 03:00")}, \
		ARCHIVE_DB_OPTION(settings, member.db)

/* Of a command with LOOK_AT_OPTIONS, to be called by its `prepare`: opens the record that --at
 * asks. 0 or negative errno with @err told. */
int look_prepare(struct context *context, struct look *look, struct error *err);
/* "as it was on 2026-03-01 03:00:00 CET (UTC+01:00)", a line; nothing without --at. */
void look_tell_at(struct context *context, const struct look *look);

/* The services of this host, for names of ports in filters and targets; NULL where there are none.
 * Kept for the life of the program. */
const struct services *look_services(struct context *context);

/* The namespaces that --netns names. 0, or -EINVAL with @err told. */
int look_scope(const struct look *look, struct netns_scope *ret, struct error *err);

/* What looks again and again has a namespace of that name to look at: 0, or what netns_find() says.
 */
int look_has_place(struct context *context, const struct netns_scope *scope, struct error *err);

/* A sealed snapshot for @needs and @filter, from this host or the file. Afterwards the capabilities
 * are gone. 0 or negative errno with @err told. */
int look_collect(struct context *context, const struct look *look, const struct filter *filter,
		 struct bounds bounds, uint32_t needs, struct snapshot **ret, struct error *err);

/* The same, from this host, as sockets that come one after another. */
int look_stream(struct context *context, const struct look *look, const struct filter *filter,
		struct bounds bounds, uint32_t needs, struct stream **ret, struct error *err);

/* What --netns, --source and --numeric say, for who collects by itself (collect_for). The
 * capabilities stay. 0 or negative errno with @err told. */
int look_looking(struct context *context, const struct look *look, struct looking *ret,
		 struct error *err);

/* The words of a filter as one text, a blank between, in the context's arena; NULL: no memory. */
const char *look_join_words(struct context *context, char **words);

/* One line on stderr that says what could not be seen, and how to see it; none where nothing is
 * missing. */
void look_tell_missing(const struct context *context, const struct snapshot *snapshot);
/* The same of a list of struct missing (NULL: of nothing), for a @command that names itself. */
void look_tell_missing_list(const struct context *context, const char *command,
			    const struct vector *missing);

#endif

/* doorward record: what happens, kept. */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "base/numbers.h"
#include "base/privilege.h"
#include "cmd/archive.h"
#include "cmd/look.h"
#include "cmd/record-status.h"
#include "cmd/recording.h"
#include "cmd/tell.h"
#include "source/zone.h"

struct settings {
	const char *path;
	struct look look;
	const char *retain, *pin;
	uint32_t ring;
	bool is_status, is_json;
};

static const struct option options[] = {
	ARCHIVE_DB_OPTION(struct settings, path),
	{.kind = OPTION_TEXT,
	 .name = "retain",
	 .at = offsetof(struct settings, retain),
	 .argument = "BOUND",
	 .help = N_("keep at most this long or this much: 30d, 2GB, or both: 30d,2GB")},
	{.kind = OPTION_FLAG,
	 .name = "status",
	 .at = offsetof(struct settings, is_status),
	 .help = N_("tell how a recording fares, and what there is: lag, losses, size, dates")},
	{.kind = OPTION_FLAG,
	 .letter = 'j',
	 .name = "json",
	 .at = offsetof(struct settings, is_json),
	 .help = N_("the same as JSON")},
	{.kind = OPTION_TEXT,
	 .name = "pin",
	 .at = offsetof(struct settings, pin),
	 .argument = "FOLDER",
	 .help = N_("on a bpffs: there the kernel goes on watching while no recorder runs"),
	 .completes = "file"},
	{.kind = OPTION_NUMBER,
	 .name = "ring",
	 .at = offsetof(struct settings, ring),
	 .argument = "KIB",
	 .help = N_("room for what is not read yet, in KiB, a power of two"),
	 .min = 4,
	 .max = 1 << 20,
	 .is_hidden = true},
	LOOK_OPTIONS(struct settings, look),
	{.kind = OPTION_END},
};

/* "30d", "2GB", "30d,2GB". */
static int parse_bound(const char *text, uint64_t *time_ns, uint64_t *size, struct error *err)
{
	uint64_t ms, bytes;
	if (text[strspn(text, "0123456789")] == '\0')
		return -EINVAL; /* of what? */
	if (number_duration(text, &ms) == 0 && ms > 0 && ms < UINT64_MAX / 1000000) {
		*time_ns = ms * 1000000;
		return 0;
	}
	if (number_size(text, &bytes) < 0 || !bytes)
		return -EINVAL;
	if (bytes < 1 << 20) {
		error_text(err, -EINVAL, "--retain %.60s: a record needs 1MB at least", text);
		return -ERANGE;
	}
	*size = bytes;
	return 0;
}

static int parse_retain(const char *text, struct recording_wish *wish, struct error *err)
{
	char part[32];
	for (const char *at = text; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		size_t n = strcspn(at, ",");
		int r = -EINVAL;
		if (n && n < sizeof(part)) {
			snprintf(part, sizeof(part), "%.*s", (int)n, at);
			r = parse_bound(part, &wish->retain_ns, &wish->retain_size, err);
		}
		if (r == -ERANGE)
			return -EINVAL;
		if (r < 0) {
			error_text(err, -EINVAL, "--retain %.60s: it takes a time, a size, or both",
				   text);
			error_hint(err, "such as 30d, 2GB or 30d,2GB");
			return -EINVAL;
		}
	}
	return 0;
}

static int wish_of(const struct settings *settings, struct recording_wish *ret, struct error *err)
{
	*ret = (struct recording_wish){
		.path = settings->path ? settings->path : HISTORY_PATH,
		.source = (enum source_choice)settings->look.source,
		.pin_path = settings->pin,
		.ring_size = settings->ring * 1024,
	};
	if (settings->ring & (settings->ring - 1))
		return error_text(err, -EINVAL, "--ring %u: it is no power of two", settings->ring);
	int r = look_scope(&settings->look, &ret->scope, err);
	return r < 0 || !settings->retain ? r : parse_retain(settings->retain, ret, err);
}

/* Who asks for what cannot be is told before anything is made. */
static int prepare(struct context *context, void *data, char **arguments unused_argument,
		   struct error *err)
{
	const struct settings *settings = data;
	struct recording_wish wish;
	int r = wish_of(settings, &wish, err);
	if (r < 0)
		return r;
	if (settings->is_status)
		return archive_open(context, settings->path, err);
	if (settings->is_json)
		return error_text(err, -EINVAL, "--json: it is for --status");
	return recording_prepare(wish.path, err);
}

static int tell_status(struct context *context, const struct settings *settings, struct error *err)
{
	const struct archived *archived = context->archived;
	const char *path = settings->path ? settings->path : HISTORY_PATH;
	struct history_status status;
	privilege_keep(ARCHIVE_CAPS);
	int r = archived->history->status(archived->archive, &status, err);
	privilege_drop();
	if (r < 0)
		return r;
	if (settings->is_json) {
		record_status_json(&context->out, path, &status);
		return EXIT_DONE;
	}
	struct page page = tell_page(context);
	record_status_print(&page, path, &status, &zone_local);
	return EXIT_DONE;
}

static int run(struct context *context, const void *data, char **arguments unused_argument,
	       struct error *err)
{
	const struct settings *settings = data;
	struct recording_wish wish;
	if (settings->is_status)
		return tell_status(context, settings, err);
	int r = wish_of(settings, &wish, err);
	return r < 0 ? r : recording_run(context, &wish, err);
}

static const char *const examples[] = {
	"doorward record --retain 30d,2GB",
	"doorward record --db /tmp/today.db",
	"doorward record --status",
	NULL,
};

const struct command cmd_record = {
	.name = "record",
	.summary = N_("keep what happens, for history and for list --at"),
	.arguments = "",
	.options = options,
	.settings_size = sizeof(struct settings),
	.capabilities = CAPS_SEE,
	.examples = examples,
	.prepare = prepare,
	.run = run,
};

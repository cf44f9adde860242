/* How a recording fares: for a person, and as JSON. */
#include <string.h>

#include "base/format.h"
#include "cmd/record-status.h"
#include "view/history.h"
#include "view/json.h"

static void put_count(struct out *out, uint64_t n, const char *one, const char *many)
{
	out_u64(out, n);
	out_char(out, ' ');
	out_string(out, n == 1 ? one : many);
}

static void put_date(struct out *out, uint64_t ns, const struct zone *zone)
{
	char date[HISTORY_DATE_MAX];
	out_bytes(out, date, history_date(date, ns, zone));
}

static void put_length(struct out *out, uint64_t ns)
{
	char text[32];
	if (ns < NS_PER_SECOND)
		out_format(out, "%u ms", (unsigned)(ns / 1000000));
	else
		out_bytes(out, text, format_duration(text, sizeof(text), ns / NS_PER_SECOND));
}

static void tell_recorder(const struct page *page, struct out *text,
			  const struct history_status *status, const struct zone *zone)
{
	if (status->recorder) {
		out_format(text, "by process %d, ", (int)status->recorder);
		put_length(text, status->lag_ns);
		out_string(text, " behind");
		page_flush(page, "recording", text);
	} else {
		out_string(text, "no");
		if (status->alive_ns) {
			out_string(text, ", not since ");
			put_date(text, status->alive_ns, zone);
		}
		page_flush(page, "recording", text);
	}
	if (!status->is_full)
		return;
	const char *full = "there is no room on the disk: what happens is not kept";
	page_warning(page, "", full, strlen(full));
}

static void tell_losses(const struct page *page, struct out *text,
			const struct history_status *status)
{
	put_count(text, status->n_gaps, "gap", "gaps");
	out_string(text, ", ");
	put_count(text, status->lost, "event", "events");
	out_string(text, " lost in them");
	if (status->n_dropped) {
		out_string(text, "; ");
		put_count(text, status->n_dropped, "event", "events");
		out_string(text, " dropped for want of room");
	}
	page_flush(page, "losses", text);
}

void record_status_print(const struct page *page, const char *path,
			 const struct history_status *status, const struct zone *zone)
{
	cleanup(out_done) struct out text = {.fd = -1};
	char size[32];
	if (out_init(&text, -1) < 0)
		return;
	page_heading(page, path);
	tell_recorder(page, &text, status, zone);
	if (status->oldest_ns) {
		out_string(&text, "from ");
		put_date(&text, status->oldest_ns, zone);
	}
	if (status->oldest_ns && status->newest_ns) {
		page_flush(page, "known", &text);
		out_string(&text, "to ");
		put_date(&text, status->newest_ns, zone);
	} else {
		out_string(&text, status->oldest_ns ? ", nothing yet" : "nothing yet");
	}
	page_flush(page, status->oldest_ns && status->newest_ns ? "" : "known", &text);
	put_count(&text, status->n_intervals, "closed interval", "closed intervals");
	out_string(&text, ", ");
	out_u64(&text, status->n_open);
	out_string(&text, " open; ");
	put_count(&text, status->n_events, "refusal or failure", "refusals and failures");
	out_string(&text, "; ");
	put_count(&text, status->n_boots, "boot", "boots");
	page_flush(page, "kept", &text);
	if (status->pruned_ns) {
		out_string(&text, "what ended before ");
		put_date(&text, status->pruned_ns, zone);
		page_flush(page, "dropped", &text);
	}
	tell_losses(page, &text, status);
	out_bytes(&text, size, format_size(size, sizeof(size), status->size));
	page_flush(page, "size", &text);
}

static void put_moment(struct out *out, const char *key, uint64_t ns)
{
	char text[RFC3339_MAX];
	out_format(out, ",\"%s\":", key);
	if (!ns) {
		out_string(out, "null");
		return;
	}
	calendar_rfc3339(text, ns, &zone_utc, 9);
	out_format(out, "\"%s\"", text);
}

static void put_number(struct out *out, const char *key, uint64_t number)
{
	out_format(out, ",\"%s\":", key);
	out_u64(out, number);
}

void record_status_json(struct out *out, const char *path, const struct history_status *status)
{
	out_string(out, "{\"schema\":\"" JSON_SCHEMA "\",\"db\":");
	json_text(out, path);
	out_format(out, ",\"running\":%s,\"pid\":", status->recorder ? "true" : "false");
	if (status->recorder)
		out_i64(out, status->recorder);
	else
		out_string(out, "null");
	if (status->recorder)
		out_format(out, ",\"lag\":%.3f", (double)status->lag_ns / NS_PER_SECOND);
	else
		out_string(out, ",\"lag\":null");
	put_moment(out, "alive", status->alive_ns);
	put_moment(out, "oldest", status->oldest_ns);
	put_moment(out, "newest", status->newest_ns);
	put_moment(out, "pruned", status->pruned_ns);
	put_number(out, "size", status->size);
	put_number(out, "intervals", status->n_intervals);
	put_number(out, "open", status->n_open);
	put_number(out, "events", status->n_events);
	put_number(out, "gaps", status->n_gaps);
	put_number(out, "lost", status->lost);
	put_number(out, "dropped", status->n_dropped);
	put_number(out, "segments", status->n_segments);
	put_number(out, "boots", status->n_boots);
	out_format(out, ",\"full\":%s}\n", status->is_full ? "true" : "false");
}

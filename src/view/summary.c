/* The summary of a watch. */
#include <string.h>

#include "base/format.h"
#include "base/text.h"
#include "view/json.h"
#include "view/summary.h"

#define SHOWN 10
#define LABEL_COLUMNS 40

static void put_lines(struct out *out, struct summary *summary, enum summary_by by)
{
	uint32_t n;
	uint64_t others;
	const struct summary_line *lines = summary_lines(summary, by, &n, &others);
	if (!n)
		return;
	out_format(out, "\n%s\n", summary_words[by]);
	for (uint32_t i = 0; i < n && i < SHOWN; i++) {
		char count[FORMAT_NUMBER_MAX];
		size_t digits = format_u64(count, lines[i].count);
		out_spaces(out, digits < 10 ? 10 - digits : 0);
		out_bytes(out, count, digits);
		out_string(out, "  ");
		text_show_cut(out, lines[i].label, strlen(lines[i].label), LABEL_COLUMNS, true);
		out_char(out, '\n');
	}
	for (uint32_t i = SHOWN; i < n; i++)
		others += lines[i].count;
	if (others)
		out_format(out, "%10llu  others\n", (unsigned long long)others);
}

void summary_text(struct out *out, struct summary *summary, uint64_t seconds)
{
	char text[32];
	out_format(out, "in %.*s\n\nevents\n", (int)format_duration(text, sizeof(text), seconds),
		   text);
	for (unsigned kind = 0; kind < EVENT_MAX; kind++) {
		uint64_t n = summary_kind(summary, (enum event_kind)kind);
		if (n && kind != EVENT_STARTED)
			out_format(out, "%10llu  %s\n", (unsigned long long)n, event_words[kind]);
	}
	for (unsigned by = 0; by < SUMMARY_MAX; by++)
		put_lines(out, summary, (enum summary_by)by);
}

static void put_json_lines(struct out *out, struct summary *summary, enum summary_by by)
{
	static const char *const keys[SUMMARY_MAX] = {"port", "process", "peer"};
	uint32_t n;
	uint64_t others;
	const struct summary_line *lines = summary_lines(summary, by, &n, &others);
	out_format(out, ",\"%s\":[", summary_words[by]);
	for (uint32_t i = 0; i < n; i++) {
		out_format(out, "%s{\"%s\":", i ? "," : "", keys[by]);
		json_text(out, lines[i].label);
		out_format(out, ",\"count\":%llu}", (unsigned long long)lines[i].count);
	}
	out_format(out, "],\"other_%s\":%llu", summary_words[by], (unsigned long long)others);
}

void summary_json(struct out *out, struct summary *summary, uint64_t seconds)
{
	out_format(out,
		   "{\"schema\":\"" JSON_SCHEMA "\",\"summary\":true,\"duration\":%llu,"
		   "\"events\":{",
		   (unsigned long long)seconds);
	for (unsigned kind = EVENT_OPENED; kind < EVENT_MAX; kind++)
		if (kind != EVENT_STANDING)
			out_format(
				out, "%s\"%s\":%llu", kind == EVENT_OPENED ? "" : ",",
				event_words[kind],
				(unsigned long long)summary_kind(summary, (enum event_kind)kind));
	out_char(out, '}');
	for (unsigned by = 0; by < SUMMARY_MAX; by++)
		put_json_lines(out, summary, (enum summary_by)by);
	out_string(out, "}\n");
}

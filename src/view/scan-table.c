/* What a scan found, for a person. */
#include <stdio.h>
#include <string.h>

#include "base/format.h"
#include "base/text.h"
#include "view/scan.h"

#define PORT_COLUMNS 10
#define STATE_COLUMNS 14
#define REASON_COLUMNS 13
#define RTT_COLUMNS 10
#define SERVICE_COLUMNS 16
#define RANGES_SHOWN 60

/* @text padded to @columns, and one space behind it at least. */
static void put_cell(struct out *out, const char *text, size_t columns)
{
	size_t n = text_show(out, text, strlen(text));
	out_spaces(out, n < columns ? columns - n : 1);
}

static void put_mark(const struct page *page, const char *code)
{
	if (page->has_colour)
		out_format(page->out, "\033[%sm", code);
}

static const char *colour_of(const struct scan_door *door)
{
	if (door->verdict > VERDICT_EXPECTED)
		return "33";
	return door->answer.state == DOOR_OPEN ? "32" : "0";
}

static void put_rtt(const struct answer *answer, char to[24])
{
	if (!answer->rtt_us)
		snprintf(to, 24, "-");
	else if (answer->rtt_us < 1000)
		snprintf(to, 24, "%u µs", answer->rtt_us);
	else if (answer->rtt_us < 10000)
		snprintf(to, 24, "%u.%u ms", answer->rtt_us / 1000, answer->rtt_us / 100 % 10);
	else
		snprintf(to, 24, "%u ms", answer->rtt_us / 1000);
}

/* Who holds it, in few words: name and pid of the first. */
static void put_holder(struct out *out, const struct snapshot *snapshot, uint32_t index)
{
	const struct socket *socket =
		snapshot && index != NONE ? snapshot_socket(snapshot, index) : NULL;
	const struct holder *holder = socket ? snapshot_holder(snapshot, socket->holder) : NULL;
	if (!holder)
		return;
	char title[128];
	const struct process *process = snapshot_process(snapshot, holder->process);
	process_title(process, title, sizeof(title));
	text_show(out, title, strlen(title));
	out_format(out, " (%d)", process->pid);
	if (holder->next != NONE)
		out_string(out, " …");
}

/* "OpenSSH 9.2p1, ssh 2.0 in TLSv1.3", or why nothing is known. */
static void put_identified(struct out *out, const struct identified *its)
{
	const char *words[] = {its->product, its->version};
	bool is_named = its->service[0];
	out_string(out, "  ");
	if (!is_named) {
		out_string(out, identify_outcome_words[its->outcome]);
		return;
	}
	text_show(out, its->service, strlen(its->service));
	if (its->protocol_version[0]) {
		out_char(out, ' ');
		text_show(out, its->protocol_version, strlen(its->protocol_version));
	}
	if (its->tls.is_there) {
		out_string(out, its->tls.is_upgraded ? ", STARTTLS with " : " in ");
		const char *version = its->tls.version[0] ? its->tls.version : "TLS";
		text_show(out, version, strlen(version));
	}
	for (unsigned i = 0; i < 2; i++) {
		if (!words[i][0])
			continue;
		out_string(out, i ? " " : ": ");
		text_show(out, words[i], strlen(words[i]));
	}
}

static void put_findings(const struct page *page, const struct identified *its)
{
	for (unsigned i = 0; i < FINDING_MAX; i++) {
		if (!(its->findings & UINT32_C(1) << i))
			continue;
		out_string(page->out, "  ");
		put_mark(page, "33");
		out_string(page->out, finding_words[i]);
		put_mark(page, "0");
	}
}

static void put_door(const struct page *page, const struct scan_show *show,
		     const struct scan_door *door)
{
	struct out *out = page->out;
	char text[64];
	const char *service = service_name(show->services, door->proto, door->port);
	snprintf(text, sizeof(text), "%s/%u", proto_words[door->proto], door->port);
	out_string(out, "  ");
	put_cell(out, text, PORT_COLUMNS);
	put_mark(page, colour_of(door));
	put_cell(out, door_words[door->answer.state], STATE_COLUMNS);
	put_mark(page, "0");
	answer_reason(&door->answer, text, sizeof(text));
	put_cell(out, text, REASON_COLUMNS);
	put_rtt(&door->answer, text);
	put_cell(out, text, RTT_COLUMNS);
	put_cell(out, service ? service : "-", SERVICE_COLUMNS);
	put_holder(out, show->scan->snapshot, door->socket);
	if (door->identified) {
		put_identified(out, door->identified);
		put_findings(page, door->identified);
	}
	if (door->verdict > VERDICT_EXPECTED || (door->verdict && door->detail)) {
		out_string(out, "  ");
		put_mark(page, colour_of(door));
		out_string(out, verdict_words[door->verdict]);
		put_mark(page, "0");
		if (door->detail) {
			out_string(out, ": ");
			text_show(out, door->detail, strlen(door->detail));
		}
	}
	while (out->n && out->data[out->n - 1] == ' ') /* of cells with nothing behind them */
		out->n--;
	out_char(out, '\n');
}

static void put_others(const struct page *page, const struct scan_result *result,
		       const struct scan_others *others)
{
	struct out *out = page->out, ranges;
	char reason[32];
	answer_reason(&others->answer, reason, sizeof(reason));
	out_format(out, "  %u %s %s (%s): ", others->count, proto_words[others->proto],
		   door_words[others->answer.state], reason);
	if (out_init(&ranges, -1) < 0)
		return;
	scan_others_ports(result, others, &ranges);
	size_t n = ranges.n < RANGES_SHOWN ? ranges.n : RANGES_SHOWN;
	while (n < ranges.n && n && ranges.data[n] != ',')
		n--;
	out_bytes(out, ranges.data, n);
	if (n < ranges.n)
		out_string(out, ",…");
	out_char(out, '\n');
	out_done(&ranges);
}

static void put_head(const struct page *page, const struct scan_result *result)
{
	char text[FORMAT_IP_MAX + 160], address[FORMAT_IP_MAX];
	size_t n = ip_format(address, &result->target.ip, result->target.is_v4);
	snprintf(text, sizeof(text), "%.*s%s%s%s%s%s, seen from %s", (int)n, address,
		 result->target.link ? "%" : "", result->target.link ? result->target.link : "",
		 result->target.name ? " (" : "", result->target.name ? result->target.name : "",
		 result->target.name ? ")" : "", result->from);
	page_heading(page, text);
}

#define CHANGES_SHOWN 50

/* "open, was closed"; "version 9.2, was 9.1"; "no longer: no password". */
static void put_change(struct out *out, const struct scan_change *change)
{
	const char *now = change->now ? change->now : "not known";
	if (change->field == CHANGE_FINDING) {
		out_string(out, change->now ? "new: " : "no longer: ");
		out_string(out, change->now ? change->now : change->was);
		return;
	}
	if (change->field != CHANGE_STATE) {
		for (const char *at = scan_field_words[change->field]; *at; at++)
			out_char(out, *at == '_' ? ' ' : *at);
		out_char(out, ' ');
	}
	text_show(out, now, strlen(now));
	if (!change->was)
		return;
	out_string(out, ", was ");
	text_show(out, change->was, strlen(change->was));
}

static void put_changes(const struct page *page, const struct scan *scan)
{
	char text[FORMAT_IP_MAX];
	page_heading(page,
		     scan->changes.n ? "changed since then" : "nothing has changed since then");
	for (uint32_t i = 0; i < scan->changes.n && i < CHANGES_SHOWN; i++) {
		const struct scan_change *change = vector_at(&scan->changes, i);
		const struct scan_target *target = &scan_result(scan, change->result)->target;
		size_t n = ip_format(text, &target->ip, target->is_v4);
		out_format(page->out, "  %.*s %s/%u: ", (int)n, text, proto_words[change->proto],
			   change->port);
		put_change(page->out, change);
		out_char(page->out, '\n');
	}
	if (scan->changes.n > CHANGES_SHOWN)
		out_format(page->out, "  and %u more\n", scan->changes.n - CHANGES_SHOWN);
	out_char(page->out, '\n');
}

void scan_table(const struct page *page, const struct scan_show *show)
{
	const struct scan *scan = show->scan;
	for (uint32_t i = 0; i < scan->results.n; i++) {
		const struct scan_result *result = scan_result(scan, i);
		if (i)
			out_char(page->out, '\n');
		put_head(page, result);
		for (uint32_t k = 0; k < result->doors.n; k++)
			put_door(page, show, vector_at(&result->doors, k));
		for (uint32_t k = 0; k < result->others.n; k++) {
			const struct scan_others *others = vector_at(&result->others, k);
			if (others->count)
				put_others(page, result, others);
		}
	}
	if (scan->results.n)
		out_char(page->out, '\n');
	if (scan->has_changes)
		put_changes(page, scan);
	for (uint32_t i = 0; i < scan->notes.n; i++) {
		const char *note = *(const char **)vector_at(&scan->notes, i);
		text_show(page->out, note, strlen(note));
		out_char(page->out, '\n');
	}
	out_format(page->out, "%llu open, %llu closed, %llu filtered",
		   (unsigned long long)scan_count(scan, DOOR_OPEN),
		   (unsigned long long)scan_count(scan, DOOR_CLOSED),
		   (unsigned long long)scan_count(scan, DOOR_FILTERED));
	uint64_t n_silent = scan_count(scan, DOOR_OPEN_FILTERED);
	if (n_silent)
		out_format(page->out, ", %llu open|filtered", (unsigned long long)n_silent);
	uint64_t n_unknown = scan_count(scan, DOOR_UNKNOWN);
	if (n_unknown)
		out_format(page->out, ", %llu unknown", (unsigned long long)n_unknown);
	if (!scan->is_complete)
		out_string(page->out, ": it was broken off");
	out_format(page->out, "; %.2f s\n", (double)scan->took_us / 1e6);
}

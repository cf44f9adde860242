/* What a scan found in JSON. */
#include "base/format.h"
#include "view/json.h"
#include "view/scan.h"

static void put_address(struct out *out, const struct scan_target *target)
{
	char text[FORMAT_IP_MAX];
	out_char(out, '"');
	out_bytes(out, text, ip_format(text, &target->ip, target->is_v4));
	if (target->link) { /* of the kernel's, but a name may have any byte */
		out_char(out, '%');
		for (const char *at = target->link; *at; at++)
			if (*at > ' ' && *at < 0x7f && *at != '"' && *at != '\\')
				out_char(out, *at);
	}
	out_char(out, '"');
}

static void put_answer(struct out *out, const struct answer *answer)
{
	char reason[32];
	answer_reason(answer, reason, sizeof(reason));
	out_format(out, "\"state\":\"%s\",\"reason\":\"%s\"", door_words[answer->state], reason);
}

static void put_text(struct out *out, const char *key, const char *text)
{
	out_string(out, key);
	json_text(out, text);
}

static void put_holder(struct out *out, const struct snapshot *snapshot,
		       const struct holder *holder, bool is_first)
{
	const struct process *process = snapshot_process(snapshot, holder->process);
	if (!is_first)
		out_char(out, ',');
	out_string(out, "{\"pid\":");
	out_i64(out, process->pid);
	put_text(out, ",\"name\":", process->name);
	put_text(out, ",\"user\":",
		 process->known & KNOWN_UID ? snapshot_user(snapshot, process->uid) : NULL);
	put_text(out, ",\"exe\":", process->exe);
	put_text(out, ",\"unit\":", process->unit);
	out_string(out, ",\"fd\":");
	if (holder->fd >= 0)
		out_i64(out, holder->fd);
	else
		out_string(out, "null");
	out_char(out, '}');
}

static void put_holders(struct out *out, const struct snapshot *snapshot, uint32_t index)
{
	out_string(out, ",\"holders\":[");
	bool is_first = true;
	const struct socket *socket =
		snapshot && index != NONE ? snapshot_socket(snapshot, index) : NULL;
	const struct holder *holder = socket ? snapshot_holder(snapshot, socket->holder) : NULL;
	for (; holder; holder = snapshot_holder(snapshot, holder->next)) {
		put_holder(out, snapshot, holder, is_first);
		is_first = false;
	}
	out_char(out, ']');
}

static void put_compare(struct out *out, const struct scan_door *door)
{
	if (door->verdict == VERDICT_NONE) {
		out_string(out, ",\"compare\":null");
		return;
	}
	out_format(out, ",\"compare\":{\"verdict\":\"%s\"", verdict_words[door->verdict]);
	put_text(out, ",\"detail\":", door->detail);
	out_char(out, '}');
}

/* "" is unknown, and so null. */
static void put_known(struct out *out, const char *key, const char *text)
{
	put_text(out, key, text[0] ? text : NULL);
}

static void put_tls(struct out *out, const struct identified_tls *tls)
{
	if (!tls->is_there) {
		out_string(out, ",\"tls\":null");
		return;
	}
	put_known(out, ",\"tls\":{\"version\":", tls->version);
	put_known(out, ",\"cipher\":", tls->cipher);
	out_string(out, ",\"names\":[");
	for (unsigned i = 0; i < tls->n_names && i < IDENTIFIED_NAMES_MAX; i++)
		put_text(out, i ? "," : "", tls->names[i]);
	out_string(out, "],\"not_after\":");
	if (tls->not_after)
		out_i64(out, tls->not_after);
	else
		out_string(out, "null");
	out_string(out, tls->is_upgraded ? ",\"starttls\":true}" : ",\"starttls\":false}");
}

static void put_identified(struct out *out, const struct identified *its)
{
	if (!its) {
		out_string(out, ",\"identified\":null");
		return;
	}
	put_known(out, ",\"identified\":{\"service\":", its->service);
	put_known(out, ",\"product\":", its->product);
	put_known(out, ",\"version\":", its->version);
	put_known(out, ",\"protocol_version\":", its->protocol_version);
	put_tls(out, &its->tls);
	put_known(out, ",\"outcome\":", identify_outcome_words[its->outcome]);
	out_string(out, ",\"findings\":[");
	bool is_first = true;
	for (unsigned i = 0; i < FINDING_MAX; i++) {
		if (!(its->findings & UINT32_C(1) << i))
			continue;
		put_text(out, is_first ? "" : ",", finding_words[i]);
		is_first = false;
	}
	out_string(out, "]}");
}

/* Without the braces around. */
static void put_door(struct out *out, const struct scan_show *show, const struct scan_door *door)
{
	out_format(out, "\"proto\":\"%s\",\"port\":%u,", proto_words[door->proto], door->port);
	put_answer(out, &door->answer);
	out_string(out, ",\"rtt_us\":");
	if (door->answer.rtt_us)
		out_u64(out, door->answer.rtt_us);
	else
		out_string(out, "null");
	put_text(out, ",\"service\":", service_name(show->services, door->proto, door->port));
	put_identified(out, door->identified);
	put_compare(out, door);
	put_holders(out, show->scan->snapshot, door->socket);
}

static void put_others(struct out *out, const struct scan_result *result,
		       const struct scan_others *others)
{
	out_format(out, "\"proto\":\"%s\",", proto_words[others->proto]);
	put_answer(out, &others->answer);
	out_format(out, ",\"count\":%u,\"ports\":\"", others->count);
	scan_others_ports(result, others, out);
	out_char(out, '"');
}

static void put_result(struct out *out, const struct scan_show *show,
		       const struct scan_result *result)
{
	out_string(out, "{\"address\":");
	put_address(out, &result->target);
	put_text(out, ",\"name\":", result->target.name);
	put_text(out, ",\"from\":", result->from);
	out_string(out, ",\"ports\":[");
	for (uint32_t i = 0; i < result->doors.n; i++) {
		out_string(out, i ? ",\n{" : "\n{");
		put_door(out, show, vector_at(&result->doors, i));
		out_char(out, '}');
	}
	out_string(out, "],\"others\":[");
	bool is_first = true;
	for (uint32_t i = 0; i < result->others.n; i++) {
		const struct scan_others *others = vector_at(&result->others, i);
		if (!others->count)
			continue;
		out_string(out, is_first ? "\n{" : ",\n{");
		is_first = false;
		put_others(out, result, others);
		out_char(out, '}');
	}
	out_string(out, "]}");
}

static void put_head(struct out *out, const struct scan *scan)
{
	put_text(out, "\"schema\":\"" JSON_SCHEMA "\",\"host\":", scan->host);
	out_format(out, ",\"time\":%.3f", scan->time);
	put_text(out, ",\"boot_id\":", scan->boot_id);
	out_format(out, ",\"complete\":%s,\"seconds\":%.3f,\"sent\":%llu,\"notes\":[",
		   scan->is_complete ? "true" : "false", (double)scan->took_us / 1e6,
		   (unsigned long long)scan->n_sent);
	for (uint32_t i = 0; i < scan->notes.n; i++)
		put_text(out, i ? "," : "", *(const char **)vector_at(&scan->notes, i));
	out_char(out, ']');
}

static void put_changes(struct out *out, const struct scan *scan)
{
	if (!scan->has_changes)
		return;
	out_string(out, ",\"changes\":[");
	for (uint32_t i = 0; i < scan->changes.n; i++) {
		const struct scan_change *change = vector_at(&scan->changes, i);
		out_string(out, i ? ",\n{\"address\":" : "\n{\"address\":");
		put_address(out, &scan_result(scan, change->result)->target);
		out_format(out, ",\"proto\":\"%s\",\"port\":%u,\"field\":\"%s\"",
			   proto_words[change->proto], change->port,
			   scan_field_words[change->field]);
		put_text(out, ",\"was\":", change->was);
		put_text(out, ",\"now\":", change->now);
		out_char(out, '}');
	}
	out_char(out, ']');
}

void scan_json(struct out *out, const struct scan_show *show)
{
	out_char(out, '{');
	put_head(out, show->scan);
	put_changes(out, show->scan);
	out_string(out, ",\"results\":[");
	for (uint32_t i = 0; i < show->scan->results.n; i++) {
		out_string(out, i ? ",\n" : "\n");
		put_result(out, show, scan_result(show->scan, i));
	}
	out_string(out, "\n]}\n");
}

static void put_line_head(struct out *out, const struct scan_result *result)
{
	out_string(out, "{\"address\":");
	put_address(out, &result->target);
	put_text(out, ",\"from\":", result->from);
	out_char(out, ',');
}

void scan_jsonl(struct out *out, const struct scan_show *show)
{
	for (uint32_t i = 0; i < show->scan->results.n; i++) {
		const struct scan_result *result = scan_result(show->scan, i);
		for (uint32_t k = 0; k < result->doors.n; k++) {
			put_line_head(out, result);
			put_door(out, show, vector_at(&result->doors, k));
			out_string(out, "}\n");
		}
		for (uint32_t k = 0; k < result->others.n; k++) {
			const struct scan_others *others = vector_at(&result->others, k);
			if (!others->count)
				continue;
			put_line_head(out, result);
			put_others(out, result, others);
			out_string(out, "}\n");
		}
	}
	out_string(out, "{\"end\":true,");
	put_head(out, show->scan);
	put_changes(out, show->scan);
	out_string(out, "}\n");
}

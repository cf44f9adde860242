/* Why a port cannot be had: for a tired person first, and the same words as JSON. */
#include <errno.h>
#include <inttypes.h>

#include "base/error.h"
#include "base/format.h"
#include "view/diagnosis.h"
#include "view/holders.h"

#define HOLDERS_MAX 3 /* causes whose holders are told at length */

static void write_end(struct out *out, const struct question *question, const struct ip *ip,
		      bool has_port)
{
	ip_put(out, ip, question->is_v4);
	if (has_port)
		out_format(out, ":%u", question->port);
}

static void write_options(struct out *out, const struct question *question)
{
	if (question->reuseaddr)
		out_string(out, " with SO_REUSEADDR");
	if (question->reuseport)
		out_string(out, question->reuseaddr ? " and SO_REUSEPORT" : " with SO_REUSEPORT");
	if (!question->is_v4 && !question->v6only && ip_is_any(&question->address))
		out_string(out, " (IPv6 and IPv4)");
	else if (question->v6only)
		out_string(out, " (IPv6 only)");
}

static void write_user(struct out *out, const struct snapshot *snapshot,
		       const struct question *question)
{
	const char *name = snapshot_user(snapshot, question->uid);
	name = name ? name : question->user;
	if (name || !question->uid)
		out_string(out, name ? name : "root");
	else
		out_format(out, "user %u", question->uid);
}

static void print_title(const struct page *page, const struct snapshot *snapshot,
			const struct diagnosis *diagnosis, struct out *text)
{
	const struct question *question = &diagnosis->question;
	static const char *const verbs[ATTEMPT_MAX] = {"be made", "be bound", "be listened on",
						       "be reached"};
	out_format(text, "%s ", proto_words[question->proto]);
	write_end(text, question, &question->address, true);
	if (question->attempt != ATTEMPT_CONNECT)
		write_options(text, question);
	out_format(text, " %s %s", diagnosis_can(diagnosis) ? "can" : "cannot",
		   verbs[question->attempt]);
	if (question->attempt == ATTEMPT_CONNECT && question->has_from) {
		out_string(text, " from ");
		write_end(text, question, &question->from, false);
	}
	if (question->pid)
		out_format(text, " by process %d, of ", question->pid);
	else
		out_string(text, " by ");
	write_user(text, snapshot, question);
	out_char(text, '\0');
	if (!text->error)
		page_heading(page, text->data);
	text->n = 0;
}

static void write_tried(struct out *out, const struct tried *tried)
{
	const char *name = errno_name(tried->error);
	if (!tried->error) {
		out_string(out, "grants it");
		return;
	}
	out_string(out, error_reason(-tried->error));
	if (name)
		out_format(out, " (%s, %d)", name, tried->error);
	else
		out_format(out, " (%d)", tried->error);
}

static void print_option(const struct page *page, const struct diagnosis *diagnosis,
			 const struct tried *tried, const char *name, struct out *text)
{
	if (!tried->is_tried || (tried->error == diagnosis->answer.error &&
				 diagnosis->reuseaddr.error == diagnosis->reuseport.error))
		return;
	out_format(text, "%s: ", name);
	if (tried->error == diagnosis->answer.error)
		out_string(text, "the same");
	else
		write_tried(text, tried);
	page_flush(page, "with", text);
}

static void print_tried(const struct page *page, const struct diagnosis *diagnosis,
			struct out *text)
{
	const struct tried *answer = &diagnosis->answer;
	if (diagnosis->untried)
		page_warning(page, "not tried", diagnosis->untried, strlen(diagnosis->untried));
	if (!answer->is_tried)
		return;
	if (answer->error)
		out_format(text, "%s(): ", attempt_words[answer->at]);
	write_tried(text, answer);
	page_flush(page, "the kernel", text);
	if (!answer->error || diagnosis->question.attempt != ATTEMPT_BIND)
		return;
	if (!diagnosis->question.reuseaddr)
		print_option(page, diagnosis, &diagnosis->reuseaddr, "SO_REUSEADDR", text);
	if (!diagnosis->question.reuseport)
		print_option(page, diagnosis, &diagnosis->reuseport, "SO_REUSEPORT", text);
}

static void print_cause(const struct page *page, const struct snapshot *snapshot,
			const struct diagnosis *diagnosis, uint32_t index, struct out *text)
{
	const struct cause *cause = vector_at(&diagnosis->causes, index);
	const uint32_t *sockets = vector_at(&diagnosis->sockets, cause->first_socket);
	out_string(text, cause->because);
	if (cause->certainty == SIGHT_READ)
		out_string(text, cause->error ? " [read: the try did not come so far]" : " [read]");
	page_flush(page, cause->error ? index ? "and" : "because" : "mind", text);
	if (cause->rule_text)
		page_line(page, "rule", cause->rule_text, strlen(cause->rule_text));
	if (cause->n_sockets && index < HOLDERS_MAX &&
	    snapshot_socket(snapshot, *sockets)->held_by != HELD_NOBODY)
		holders_print(page, snapshot, NULL, sockets, cause->n_sockets);
	if (cause->remedy)
		page_line(page, "do", cause->remedy, strlen(cause->remedy));
}

static void print_agreement(const struct page *page, const struct diagnosis *diagnosis)
{
	static const char unexplained[] =
		"The kernel refuses, and no cause of that errno was found: what stands above, if "
		"anything, is not the reason. A security module, or something that has gone "
		"meanwhile?";
	static const char unborne[] =
		"The kernel grants it although a cause was found: either that has gone meanwhile, "
		"or it is no cause here.";
	if (diagnosis->agreement == AGREEMENT_UNEXPLAINED)
		page_warning(page, "!", unexplained, sizeof(unexplained) - 1);
	if (diagnosis->agreement == AGREEMENT_UNBORNE)
		page_warning(page, "!", unborne, sizeof(unborne) - 1);
}

void diagnosis_print(const struct page *page, const struct snapshot *snapshot,
		     const struct diagnosis *diagnosis)
{
	struct out text;
	if (out_init(&text, -1) < 0) {
		page->out->error = -ENOMEM;
		return;
	}
	print_title(page, snapshot, diagnosis, &text);
	print_tried(page, diagnosis, &text);
	for (uint32_t i = 0; i < diagnosis->causes.n; i++)
		print_cause(page, snapshot, diagnosis, i, &text);
	print_agreement(page, diagnosis);
	for (uint32_t i = 0; i < diagnosis->notes.n; i++) {
		const char *note = *(const char *const *)vector_at(&diagnosis->notes, i);
		page_line(page, "-", note, strlen(note));
	}
	out_done(&text);
}

/* ---- JSON ---- */

static void json_ip(struct out *out, const struct ip *ip, bool is_v4)
{
	char address[FORMAT_IP_MAX];
	size_t n = ip_format(address, ip, is_v4);
	out_format(out, "\"%.*s\"", (int)n, address);
}

static void json_bool(struct out *out, const char *key, bool value)
{
	out_format(out, ",\"%s\":%s", key, value ? "true" : "false");
}

static void json_question(struct out *out, const struct question *question)
{
	out_format(out, "\"question\":{\"attempt\":\"%s\",\"proto\":\"%s\",\"address\":",
		   attempt_words[question->attempt], proto_words[question->proto]);
	json_ip(out, &question->address, question->is_v4);
	out_format(out, ",\"port\":%u,\"family\":\"%s\"", question->port,
		   question->is_v4 ? "ipv4" : "ipv6");
	json_bool(out, "v6only", question->v6only);
	json_bool(out, "reuseaddr", question->reuseaddr);
	json_bool(out, "reuseport", question->reuseport);
	out_string(out, ",\"from\":");
	if (question->has_from)
		json_ip(out, &question->from, question->is_v4);
	else
		out_string(out, "null");
	if (question->pid)
		out_format(out, ",\"pid\":%d", question->pid);
	else
		out_string(out, ",\"pid\":null");
	out_format(out, ",\"uid\":%u}", question->uid);
}

static void json_errno(struct out *out, int error)
{
	const char *name = errno_name(error);
	out_format(out, "\"errno\":%d,\"error\":", error);
	json_text(out, error ? name : NULL);
}

static void json_tried(struct out *out, const char *key, const struct tried *tried)
{
	out_format(out, ",\"%s\":", key);
	if (!tried->is_tried) {
		out_string(out, "null");
		return;
	}
	out_format(out, "{\"call\":\"%s\",", attempt_words[tried->at]);
	json_errno(out, tried->error);
	out_char(out, '}');
}

static void json_rule(struct out *out, const struct cause *cause)
{
	out_string(out, ",\"rule\":");
	if (!cause->rule_table) {
		out_string(out, "null");
		return;
	}
	out_string(out, "{\"family\":");
	json_text(out, cause->rule_family);
	out_string(out, ",\"table\":");
	json_text(out, cause->rule_table);
	out_string(out, ",\"chain\":");
	json_text(out, cause->rule_chain);
	out_format(out, ",\"handle\":%" PRIu64 ",\"text\":", cause->rule_handle);
	json_text(out, cause->rule_text);
	out_char(out, '}');
}

static void json_cause(struct out *out, struct json_shape *shape, const struct snapshot *snapshot,
		       const struct diagnosis *diagnosis, const struct cause *cause)
{
	out_format(out, "{\"cause\":\"%s\",\"certainty\":\"%s\",", cause_words[cause->what],
		   sight_words[cause->certainty]);
	json_errno(out, cause->error);
	out_string(out, ",\"because\":");
	json_text(out, cause->because);
	out_string(out, ",\"remedy\":");
	json_text(out, cause->remedy);
	json_rule(out, cause);
	out_string(out, ",\"sockets\":[");
	for (uint32_t i = 0; i < cause->n_sockets; i++) {
		const uint32_t *socket = vector_at(&diagnosis->sockets, cause->first_socket + i);
		if (i)
			out_char(out, ',');
		json_socket(out, shape, snapshot, *socket);
	}
	out_string(out, "]}");
}

static void diagnosis_json(struct out *out, struct json_shape *shape,
			   const struct snapshot *snapshot, const struct diagnosis *diagnosis)
{
	json_question(out, &diagnosis->question);
	json_bool(out, "can", diagnosis_can(diagnosis));
	json_tried(out, "kernel", &diagnosis->answer);
	json_tried(out, "bind_plain", &diagnosis->plain);
	json_tried(out, "bind_reuseaddr", &diagnosis->reuseaddr);
	json_tried(out, "bind_reuseport", &diagnosis->reuseport);
	out_format(out,
		   ",\"agreement\":\"%s\",\"untried\":", agreement_words[diagnosis->agreement]);
	json_text(out, diagnosis->untried);
	out_string(out, ",\"causes\":[");
	for (uint32_t i = 0; i < diagnosis->causes.n; i++) {
		if (i)
			out_char(out, ',');
		json_cause(out, shape, snapshot, diagnosis, vector_at(&diagnosis->causes, i));
	}
	out_string(out, "],\"notes\":[");
	for (uint32_t i = 0; i < diagnosis->notes.n; i++) {
		if (i)
			out_char(out, ',');
		json_text(out, *(const char *const *)vector_at(&diagnosis->notes, i));
	}
	out_char(out, ']');
}

int diagnosis_document(struct out *out, const struct snapshot *snapshot,
		       const struct diagnosis *diagnosis)
{
	struct json_shape *shape = json_shape_all(true);
	if (!shape)
		return -ENOMEM;
	json_envelope(out, snapshot);
	out_char(out, ',');
	diagnosis_json(out, shape, snapshot, diagnosis);
	json_shape_free(shape);
	return 0;
}

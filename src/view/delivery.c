/* To whom a packet goes, as prose and as JSON. */
#include <errno.h>
#include <inttypes.h>

#include "base/format.h"
#include "base/text.h"
#include "view/delivery.h"

static const char *const kinds_in_words[CANDIDATE_MAX] = {
	[CANDIDATE_CONNECTION] = "connection",
	[CANDIDATE_ADDRESS] = "one address",
	[CANDIDATE_WILDCARD] = "any address",
	[CANDIDATE_DUAL_STACK] = "dual stack",
};

static void write_end(struct out *out, const struct ip *ip, bool is_v4, uint16_t port)
{
	ip_put(out, ip, is_v4);
	out_char(out, ':');
	if (port)
		out_u64(out, port);
	else
		out_char(out, '*');
}

static void write_socket(struct out *out, const struct socket *socket)
{
	write_end(out, &socket->local,
		  socket->family == FAMILY_IPV4 || ip_is_mapped(&socket->local),
		  socket->local_port);
	if (socket->state && state_words[socket->state])
		out_format(out, " %s", state_words[socket->state]);
}

/* "nginx ×5 (pid 812, 813, ...)" */
static void write_holders(const struct page *page, struct out *out, const struct snapshot *snapshot,
			  const struct socket *socket)
{
	const struct holder *holder = snapshot_holder(snapshot, socket->holder);
	char title[256];
	unsigned n = 0;

	if (!holder) {
		out_string(out, socket->held_by == HELD_KERNEL	 ? "the kernel itself"
				: socket->held_by == HELD_NOBODY ? "no process"
								 : "an unseen process");
		return;
	}
	const struct process *process = snapshot_process(snapshot, holder->process);
	out_string(out, process_title(process, title, sizeof(title)));
	for (; holder && n < 8; holder = snapshot_holder(snapshot, holder->next), n++)
		out_format(out, n ? ", %d" : " (pid %d",
			   snapshot_process(snapshot, holder->process)->pid);
	if (holder)
		out_string(out, page->is_utf8 ? ", …" : ", ...");
	out_char(out, ')');
}

static void write_question(const struct page *page, struct out *out,
			   const struct delivery *delivery)
{
	out_format(out, "%s ", proto_words[delivery->proto]);
	if (delivery->has_from) {
		write_end(out, &delivery->from, delivery->is_v4, delivery->from_port);
		out_string(out, page->is_utf8 ? " → " : " -> ");
	}
	write_end(out, &delivery->to, delivery->is_v4, delivery->to_port);
}

static void write_answer(const struct page *page, struct out *out, const struct snapshot *snapshot,
			 const struct delivery *delivery)
{
	if (delivery->chosen == NONE)
		out_string(out, "nobody");
	else
		write_holders(page, out, snapshot, snapshot_socket(snapshot, delivery->chosen));
}

static void print_candidate(const struct page *page, const struct snapshot *snapshot,
			    const struct candidate *candidate, struct out *text)
{
	const struct socket *socket = snapshot_socket(snapshot, candidate->socket);
	write_socket(text, socket);
	out_format(text, ", %s%s, ", kinds_in_words[candidate->kind],
		   candidate->is_reuseport ? ", REUSEPORT group" : "");
	write_holders(page, text, snapshot, socket);
	page_flush(page, candidate->is_chosen ? "chosen" : "not", text);
	if (candidate->reason) {
		out_string(text, candidate->reason);
		page_flush(page, "", text);
	}
}

static void print_namespace(const struct page *page, const struct snapshot *snapshot,
			    const struct delivery *delivery, struct out *text)
{
	if (delivery->netns == NONE)
		return;
	const struct netns *netns = snapshot_netns(snapshot, delivery->netns);
	if (netns->is_self)
		return;
	out_format(text, "network namespace %s%s%" PRIu64, netns->name ? netns->name : "",
		   netns->name ? ", net:" : "net:", netns->inode);
	page_flush(page, "inside", text);
}

static void print_candidates(const struct page *page, const struct snapshot *snapshot,
			     const struct delivery *delivery, struct out *text)
{
	for (int chosen = 1; chosen >= 0; chosen--) {
		for (uint32_t i = 0; i < delivery->candidates.n; i++) {
			const struct candidate *candidate = vector_at(&delivery->candidates, i);
			if (candidate->is_chosen == chosen)
				print_candidate(page, snapshot, candidate, text);
		}
	}
}

void delivery_print(const struct page *page, const struct snapshot *snapshot,
		    const struct delivery *delivery)
{
	struct out text;
	if (out_init(&text, -1) < 0) {
		page->out->error = -ENOMEM;
		return;
	}
	write_question(page, &text, delivery);
	out_char(&text, '\0');
	if (!text.error)
		page_heading(page, text.data);
	text.n = 0;

	print_namespace(page, snapshot, delivery, &text);
	write_answer(page, &text, snapshot, delivery);
	page_flush(page, "goes to", &text);
	if (delivery->note)
		page_line(page, "", delivery->note, strlen(delivery->note));
	out_string(&text, delivery->is_by_kernel
				  ? "the kernel's own answer; its packet filter was not asked"
				  : "worked out from the sockets; the kernel was not asked");
	page_flush(page, "known by", &text);
	print_candidates(page, snapshot, delivery, &text);
	out_done(&text);
}

void delivery_print_none(const struct page *page)
{
	out_string(page->out, "there is no address to which a packet could come\n");
}

void delivery_print_short(const struct page *page, const struct snapshot *snapshot,
			  const struct delivery *delivery)
{
	struct out text;
	if (out_init(&text, -1) < 0) {
		page->out->error = -ENOMEM;
		return;
	}
	write_question(page, &text, delivery);
	size_t width = text_show(page->out, text.data, text.n);
	out_spaces(page->out, width < 34 ? 34 - width : 2);
	text.n = 0;

	write_answer(page, &text, snapshot, delivery);
	if (delivery->chosen != NONE) {
		out_string(&text, ", by ");
		write_socket(&text, snapshot_socket(snapshot, delivery->chosen));
	}
	text_show(page->out, text.data, text.n);
	out_char(page->out, '\n');
	out_done(&text);
}

/* ---- JSON ---- */

static void json_address(struct out *out, const char *key, const struct ip *ip, bool is_v4)
{
	char address[FORMAT_IP_MAX];
	size_t n = ip_format(address, ip, is_v4);
	out_format(out, "\"%s\":\"%.*s\"", key, (int)n, address);
}

static void json_ends(struct out *out, const struct snapshot *snapshot,
		      const struct delivery *delivery)
{
	out_format(out, "{\"proto\":\"%s\",", proto_words[delivery->proto]);
	json_address(out, "to_address", &delivery->to, delivery->is_v4);
	out_format(out, ",\"to_port\":%u,", delivery->to_port);
	if (delivery->has_from)
		json_address(out, "from_address", &delivery->from, delivery->is_v4);
	else
		out_string(out, "\"from_address\":null");
	out_string(out, ",\"from_port\":");
	if (delivery->has_from && delivery->from_port)
		out_u64(out, delivery->from_port);
	else
		out_string(out, "null");
	out_string(out, ",\"netns\":");
	if (delivery->netns == NONE)
		out_string(out, "null");
	else
		out_u64(out, snapshot_netns(snapshot, delivery->netns)->inode);
}

void delivery_json(struct out *out, struct json_shape *shape, const struct snapshot *snapshot,
		   const struct delivery *delivery)
{
	json_ends(out, snapshot, delivery);
	out_string(out, ",\"chosen\":");
	if (delivery->chosen == NONE)
		out_string(out, "null");
	else
		json_socket(out, shape, snapshot, delivery->chosen);
	out_format(out, ",\"by_kernel\":%s,\"steered\":%s,\"candidates\":[",
		   delivery->is_by_kernel ? "true" : "false",
		   delivery->is_steered ? "true" : "false");
	for (uint32_t i = 0; i < delivery->candidates.n; i++) {
		const struct candidate *candidate = vector_at(&delivery->candidates, i);
		out_format(out, "%s{\"kind\":\"%s\",\"chosen\":%s,\"reuseport\":%s,\"reason\":",
			   i ? "," : "", candidate_words[candidate->kind],
			   candidate->is_chosen ? "true" : "false",
			   candidate->is_reuseport ? "true" : "false");
		json_text(out, candidate->reason);
		out_string(out, ",\"socket\":");
		json_socket(out, shape, snapshot, candidate->socket);
		out_char(out, '}');
	}
	out_string(out, "],\"note\":");
	json_text(out, delivery->note);
	out_char(out, '}');
}

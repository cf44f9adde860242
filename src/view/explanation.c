/* What a port's number means, as prose and as JSON. */
#include <errno.h>
#include <strings.h>

#include "view/explanation.h"
#include "view/json.h"

static const char *const class_ranges[CLASS_MAX] = {
	[CLASS_WELL_KNOWN] = "0-1023",
	[CLASS_REGISTERED] = "1024-49151",
	[CLASS_DYNAMIC] = "49152-65535",
};

static void print_here(const struct page *page, const struct explanation *explanation,
		       struct out *text)
{
	if (!explanation->is_range_known)
		return;
	if (!explanation->port) {
		out_format(text, "any user may bind it, and gets one of the ephemeral range %u-%u",
			   explanation->ephemeral.first, explanation->ephemeral.last);
		page_flush(page, "here", text);
		return;
	}
	out_format(text, "%s the ephemeral range %u-%u",
		   explanation->is_ephemeral ? "in" : "outside", explanation->ephemeral.first,
		   explanation->ephemeral.last);
	if (explanation->is_reserved)
		out_string(text, "; reserved: the kernel gives it to no outgoing connection");
	else if (explanation->is_ephemeral)
		out_string(text, ": the kernel may give it to any outgoing connection");
	out_string(text, explanation->is_privileged
				 ? "; binding it needs root or CAP_NET_BIND_SERVICE"
				 : "; any user may bind it");
	page_flush(page, "here", text);
}

/* The registry describes many a service by its name again. */
static bool says_more(const struct explained_proto *proto)
{
	return proto->description && proto->description[0] &&
	       (!proto->service || strcasecmp(proto->description, proto->service) != 0);
}

static void print_proto(const struct page *page, const struct explanation *explanation,
			const struct explained_proto *proto, struct out *text)
{
	char label[16];
	snprintf(label, sizeof(label), "%s/%u", proto_words[proto->proto], explanation->port);

	if (proto->service)
		out_string(text, proto->service);
	else
		out_string(text, "no service is registered");
	if (proto->iana && proto->service && strcmp(proto->iana, proto->service) != 0)
		out_format(text, " (IANA: %s)", proto->iana);
	if (says_more(proto))
		out_format(text, ", %s", proto->description);
	page_flush(page, label, text);

	for (unsigned i = 0; i < proto->n_uses; i++) {
		out_format(text, "used by: %s", proto->uses[i]);
		page_flush(page, "", text);
	}
	for (unsigned i = 0; i < proto->n_risks; i++) {
		out_format(text, "beware: %s", proto->risks[i]);
		page_warning(page, "", text->data, text->n);
		text->n = 0;
	}
}

void explanation_print(const struct page *page, const struct explanation *explanation)
{
	struct out text;
	if (out_init(&text, -1) < 0) {
		page->out->error = -ENOMEM;
		return;
	}
	if (explanation->port)
		out_format(&text, "%s port (%s)", class_words[explanation->class],
			   class_ranges[explanation->class]);
	else
		out_string(&text, "no port: to bind 0 is to have the kernel choose one");
	page_flush(page, "number", &text);
	print_here(page, explanation, &text);
	for (unsigned i = 0; i < ARRAY_SIZE(explanation->protos); i++)
		if (explanation->asked & 1u << explanation->protos[i].proto)
			print_proto(page, explanation, &explanation->protos[i], &text);
	out_done(&text);
}

static void json_member(struct out *out, const char *key, const char *text)
{
	out_format(out, "\"%s\":", key);
	json_text(out, text);
}

static void json_list(struct out *out, const char *key, const char *const *texts, unsigned n)
{
	out_format(out, ",\"%s\":[", key);
	for (unsigned i = 0; i < n; i++) {
		if (i)
			out_char(out, ',');
		json_text(out, texts[i]);
	}
	out_char(out, ']');
}

static void json_bool(struct out *out, const char *key, bool is_known, bool value)
{
	out_format(out, ",\"%s\":%s", key, !is_known ? "null" : value ? "true" : "false");
}

static void json_proto(struct out *out, const struct explained_proto *proto)
{
	out_format(out, ",\"%s\":{", proto_words[proto->proto]);
	json_member(out, "service", proto->service);
	out_char(out, ',');
	json_member(out, "iana_name", proto->iana);
	out_char(out, ',');
	json_member(out, "iana_description",
		    proto->description && proto->description[0] ? proto->description : NULL);
	json_list(out, "uses", proto->uses, proto->n_uses);
	json_list(out, "risks", proto->risks, proto->n_risks);
	out_char(out, '}');
}

void explanation_json(struct out *out, const struct explanation *explanation)
{
	bool is_known = explanation->is_range_known;
	out_format(out, "{\"port\":%u,\"class\":\"%s\"", explanation->port,
		   class_words[explanation->class]);
	json_bool(out, "ephemeral", is_known, explanation->is_ephemeral);
	json_bool(out, "reserved", is_known, explanation->is_reserved);
	json_bool(out, "privileged", is_known, explanation->is_privileged);
	if (is_known)
		out_format(out, ",\"ephemeral_first\":%u,\"ephemeral_last\":%u",
			   explanation->ephemeral.first, explanation->ephemeral.last);
	else
		out_string(out, ",\"ephemeral_first\":null,\"ephemeral_last\":null");
	for (unsigned i = 0; i < ARRAY_SIZE(explanation->protos); i++)
		json_proto(out, &explanation->protos[i]);
	out_char(out, '}');
}

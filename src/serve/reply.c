/* Replies to the front. */
#include <stdio.h>
#include <string.h>

#include "model/value.h"
#include "serve/state.h"

size_t reply_begin(struct desk *desk, uint32_t id, enum reply_kind kind, unsigned status)
{
	const struct reply reply = {.id = id, .status = (uint16_t)status, .kind = (uint8_t)kind};
	size_t began = desk->out.n;
	out_bytes(&desk->out, &reply, sizeof(reply));
	return began;
}

void reply_end(struct desk *desk, size_t began, bool is_last)
{
	struct reply reply;
	if (desk->out.error)
		return;
	memcpy(&reply, desk->out.data + began, sizeof(reply));
	reply.length = (uint32_t)(desk->out.n - began - sizeof(reply));
	reply.is_last = is_last;
	memcpy(desk->out.data + began, &reply, sizeof(reply));
}

static void put_text(struct out *out, const char *key, const char *text, size_t n)
{
	out_format(out, "\"%s\":", key);
	if (n)
		json_quote(out, text, n);
	else
		out_string(out, "null");
}

/* Of a filter's error the lines are what is wrong, the text, and the caret's under the place. */
void reply_error_json(struct out *out, const struct error *err)
{
	size_t n = strcspn(err->what, "\n");
	const char *second = err->what[n] ? err->what + n + 1 : "";
	out_char(out, '{');
	put_text(out, "what", err->what, n);
	out_char(out, ',');
	put_text(out, "why", second, strlen(second));
	out_char(out, ',');
	put_text(out, "hint", err->hint, strlen(err->hint));
	out_string(out, ",\"at\":");
	if (err->place)
		out_u64(out, err->place - 1);
	else
		out_string(out, "null");
	out_char(out, '}');
}

void reply_error(struct desk *desk, uint32_t id, unsigned status, const struct error *err)
{
	size_t began = reply_begin(desk, id, REPLY_JSON, status);
	out_string(&desk->out, "{\"error\":");
	reply_error_json(&desk->out, err);
	out_string(&desk->out, "}\n");
	reply_end(desk, began, true);
}

void reply_nothing(struct desk *desk, uint32_t id, unsigned status)
{
	reply_end(desk, reply_begin(desk, id, REPLY_NOTHING, status), true);
}

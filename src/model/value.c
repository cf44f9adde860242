/* Typed values as text, bytes and JSON. */
#include <string.h>

#include "base/format.h"
#include "base/text.h"
#include "model/value.h"

static size_t format_endpoint(char *to, const struct value *value)
{
	size_t n = 0;
	if (!value->ip) {
		to[n++] = '*';
	} else {
		bool has_colons = !(value->is_v4 && ip_is_mapped(value->ip));
		if (has_colons)
			to[n++] = '[';
		n += ip_format(to + n, value->ip, value->is_v4);
		if (has_colons)
			to[n++] = ']';
	}
	to[n++] = ':';
	if (!value->port)
		to[n++] = '*';
	else
		n += format_u64(to + n, value->port);
	return n;
}

/* Centiseconds are enough for a process's start. */
static size_t format_time(char *to, double seconds)
{
	uint64_t centiseconds = seconds > 0 ? (uint64_t)(seconds * 100 + 0.5) : 0;
	size_t n = format_u64(to, centiseconds / 100);
	to[n++] = '.';
	to[n++] = (char)('0' + centiseconds / 10 % 10);
	to[n++] = (char)('0' + centiseconds % 10);
	return n;
}

#define PLAIN_MAX 64

/* Values that are no foreign text, at @to of PLAIN_MAX bytes. */
static size_t format_plain(char *to, const struct value *value)
{
	switch ((enum value_kind)value->kind) {
	case VALUE_UINT:
		return format_u64(to, value->number);
	case VALUE_INT:
		return format_i64(to, value->integer);
	case VALUE_BOOL:
		memcpy(to, value->number ? "yes" : "no", 3);
		return value->number ? 3 : 2;
	case VALUE_TIME:
		return format_time(to, value->real);
	case VALUE_IP:
		return ip_format(to, value->ip, value->is_v4);
	case VALUE_ENDPOINT:
		return format_endpoint(to, value);
	case VALUE_NULL:
	case VALUE_WORD:
	case VALUE_STRING:
	case VALUE_OBJECT:
		break;
	}
	return 0;
}

static bool is_text(const struct value *value)
{
	return value->kind == VALUE_WORD || value->kind == VALUE_STRING ||
	       value->kind == VALUE_OBJECT;
}

size_t value_text(struct out *out, const struct value *value)
{
	if (value->kind == VALUE_NULL)
		return 0;
	if (value->kind == VALUE_WORD) {
		if (out)
			out_bytes(out, value->text, value->length);
		return value->length;
	}
	if (is_text(value))
		return text_show(out, value->text, value->length);
	char plain[PLAIN_MAX];
	size_t n = format_plain(plain, value);
	if (out)
		out_bytes(out, plain, n);
	return n;
}

/* As \uXXXX, above U+FFFF as a pair of surrogates (RFC 8259, 7). */
static void escape(struct out *out, uint32_t point)
{
	static const char hex[] = "0123456789abcdef";
	if (point > 0xffff) {
		escape(out, 0xd7c0 + (point >> 10));
		point = 0xdc00 + (point & 0x3ff);
	}
	const char text[6] = {
		'\\',		'u', hex[point >> 12], hex[point >> 8 & 15], hex[point >> 4 & 15],
		hex[point & 15]};
	out_bytes(out, text, sizeof(text));
}

/* One character that is not plain ASCII; returns its bytes. What a terminal would obey is escaped,
 * so that JSON may be looked at: a parser gives it back whole. */
static size_t quote_one(struct out *out, const char *bytes, size_t n)
{
	size_t length;
	int32_t point = text_decode(bytes, n, &length);
	if (point == '"' || point == '\\') {
		out_char(out, '\\');
		out_char(out, (char)point);
	} else if (point < 0) {
		out_bytes(out, "\xef\xbf\xbd", 3); /* U+FFFD: JSON is UTF-8 */
	} else if (!text_is_printable(point)) {
		escape(out, (uint32_t)point);
	} else {
		out_bytes(out, bytes, length);
	}
	return length;
}

void json_quote(struct out *out, const char *bytes, size_t n)
{
	if (!out_room(out, n + 2))
		return;
	out->data[out->n++] = '"';
	for (size_t i = 0; i < n;) {
		size_t plain = i;
		while (plain < n && (unsigned char)(bytes[plain] - 0x20) < 0x5f &&
		       bytes[plain] != '"' && bytes[plain] != '\\')
			plain++;
		if (plain > i) {
			out_bytes(out, bytes + i, plain - i);
			i = plain;
			continue;
		}
		i += quote_one(out, bytes + i, n - i);
	}
	out_char(out, '"');
}

void value_json(struct out *out, const struct value *value)
{
	char plain[PLAIN_MAX];
	switch ((enum value_kind)value->kind) {
	case VALUE_NULL:
		out_bytes(out, "null", 4);
		return;
	case VALUE_BOOL:
		out_bytes(out, value->number ? "true" : "false", value->number ? 4 : 5);
		return;
	case VALUE_UINT:
	case VALUE_INT:
	case VALUE_TIME:
		out_bytes(out, plain, format_plain(plain, value));
		return;
	case VALUE_WORD:
		if (!out_room(out, value->length + 2u))
			return;
		out->data[out->n++] = '"';
		memcpy(out->data + out->n, value->text, value->length);
		out->n += value->length;
		out->data[out->n++] = '"';
		return;
	case VALUE_IP:
	case VALUE_ENDPOINT:
		plain[0] = '"';
		size_t n = 1 + format_plain(plain + 1, value);
		plain[n++] = '"';
		out_bytes(out, plain, n);
		return;
	case VALUE_STRING:
	case VALUE_OBJECT:
		json_quote(out, value->text, value->length);
		return;
	}
}

static int compare_text(const struct value *a, const struct value *b)
{
	size_t n = a->length < b->length ? a->length : b->length;
	int r = memcmp(a->text, b->text, n);
	return r ? r : (a->length > b->length) - (a->length < b->length);
}

int value_compare(const struct value *a, const struct value *b)
{
	if (a->kind == VALUE_NULL || b->kind == VALUE_NULL)
		return (a->kind == VALUE_NULL) - (b->kind == VALUE_NULL);
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (is_text(a))
		return compare_text(a, b);
	switch ((enum value_kind)a->kind) {
	case VALUE_INT:
		return (a->integer > b->integer) - (a->integer < b->integer);
	case VALUE_TIME:
		return (a->real > b->real) - (a->real < b->real);
	case VALUE_IP:
	case VALUE_ENDPOINT:
		if (!a->ip || !b->ip)
			return (a->ip != NULL) - (b->ip != NULL);
		int r = memcmp(a->ip, b->ip, sizeof(*a->ip));
		return r ? r : (int)a->port - (int)b->port;
	default:
		return (a->number > b->number) - (a->number < b->number);
	}
}

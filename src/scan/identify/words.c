/* What the parsers of identification are written with: bounded texts, numbers, what is sent. */
#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "scan/identify/protocol.h"

void say_bytes(struct talk *talk, const void *bytes, size_t n)
{
	if (n > sizeof(talk->say) - talk->n_say)
		return;
	memcpy(talk->say + talk->n_say, bytes, n);
	talk->n_say += n;
}

void say_text(struct talk *talk, const char *text)
{
	say_bytes(talk, text, strlen(text));
}

void say_format(struct talk *talk, const char *format, ...)
{
	char text[SAY_MAX];
	va_list arguments;
	va_start(arguments, format);
	int n = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (n > 0 && (size_t)n < sizeof(text))
		say_bytes(talk, text, (size_t)n);
}

void say_u8(struct talk *talk, uint8_t number)
{
	say_bytes(talk, &number, 1);
}

void say_u16(struct talk *talk, uint16_t number)
{
	say_bytes(talk, (uint8_t[]){number >> 8, number & 0xff}, 2);
}

void say_u32(struct talk *talk, uint32_t number)
{
	say_u16(talk, number >> 16);
	say_u16(talk, number & 0xffff);
}

void keep_text(char *to, size_t size, const void *bytes, size_t n)
{
	const char *from = bytes;
	size_t used = 0;
	while (n > 0 && (*from == ' ' || *from == '\t'))
		from++, n--;
	for (size_t i = 0; i < n;) {
		size_t length = 1;
		int32_t c = text_decode(from + i, n - i, &length);
		bool is_shown = c > 0 && text_is_printable(c);
		if (used + (is_shown ? length : 1) >= size)
			break;
		if (is_shown)
			memcpy(to + used, from + i, length);
		else
			to[used] = '?';
		used += is_shown ? length : 1;
		i += length;
	}
	while (used > 0 && to[used - 1] == ' ')
		used--;
	to[used] = '\0';
}

/* A version begins with a digit, maybe behind a v. */
static bool begins_version(const char *text, size_t n)
{
	if (n > 1 && (*text == 'v' || *text == 'V'))
		text++, n--;
	return n > 0 && isdigit((unsigned char)*text);
}

void keep_product(struct identified *seen, const char *text, size_t n, const char *parts,
		  const char *ends)
{
	size_t name = 0, bare = 0;
	while (name < n && !(text[name] && strchr(parts, text[name]) &&
			     begins_version(text + name + 1, n - name - 1)))
		name++;
	if (name == n) { /* no version */
		while (bare < n && !(text[bare] && strchr("(;,", text[bare])))
			bare++;
		KEEP(seen->product, text, bare);
		seen->version[0] = '\0';
		return;
	}
	size_t from = name + 1, to = from;
	while (to < n && !(ends && text[to] && strchr(ends, text[to])))
		to++;
	KEEP(seen->product, text, name);
	KEEP(seen->version, text + from, to - from);
}

void keep_service(struct identified *seen, const char *service)
{
	KEEP(seen->service, service, strlen(service));
}

void mark_clear(struct talk *talk)
{
	if (!talk->place->is_tls)
		talk->seen->findings |= FINDING(CLEAR_TEXT);
}

bool begins(const void *in, size_t n, const char *text)
{
	size_t length = strlen(text);
	return n >= length && memcmp(in, text, length) == 0;
}

bool may_begin(const void *in, size_t n, const char *text)
{
	size_t length = strlen(text);
	return memcmp(in, text, n < length ? n : length) == 0;
}

bool begins_folded(const void *in, size_t n, const char *text)
{
	size_t length = strlen(text);
	return n >= length && strncasecmp(in, text, length) == 0;
}

const char *find_text(const void *in, size_t n, const char *text)
{
	return memmem(in, n, text, strlen(text));
}

const char *find_folded(const void *in, size_t n, const char *text)
{
	const char *at = in;
	for (; n > 0 && !begins_folded(at, n, text); n--)
		at++;
	return n > 0 ? at : NULL;
}

size_t line_length(const void *in, size_t n)
{
	const char *end = memchr(in, '\n', n);
	n = end ? (size_t)(end - (const char *)in) : n;
	return n > 0 && ((const char *)in)[n - 1] == '\r' ? n - 1 : n;
}

bool keep_json(const void *in, size_t n, const char *key, char *to, size_t size)
{
	const char *end = (const char *)in + n, *at = in;
	size_t length = strlen(key);
	to[0] = '\0';
	while ((at = memmem(at, (size_t)(end - at), key, length))) {
		bool is_key = at > (const char *)in && at[-1] == '"' && at + length < end &&
			      at[length] == '"';
		at += length;
		if (!is_key)
			continue;
		at++;
		while (at < end && isspace((unsigned char)*at))
			at++;
		if (at == end || *at++ != ':')
			continue;
		while (at < end && isspace((unsigned char)*at))
			at++;
		bool is_quoted = at < end && *at == '"';
		const char *value = at + is_quoted;
		for (at = value; at < end; at++)
			if (is_quoted ? *at == '"' : strchr(",}] \r\n\t", *at) != NULL)
				break;
		if (is_quoted && at == end)
			return false;
		keep_text(to, size, value, (size_t)(at - value));
		return true;
	}
	return false;
}

bool keep_named(struct identified *seen, const char *text, size_t n, const char *const *names)
{
	for (; *names; names++) {
		const char *at = find_text(text, n, *names);
		if (!at)
			continue;
		const char *behind = at + strlen(*names), *end = text + n;
		KEEP(seen->product, *names, strlen(*names));
		while (behind < end && strchr(" /-(", *behind) && *behind)
			behind++;
		size_t length = 0;
		while (behind + length < end && !strchr(" )]\r\n;,", behind[length]))
			length++;
		if (begins_version(behind, length))
			KEEP(seen->version, behind, length);
		return true;
	}
	return false;
}

int reply_code(const void *line, size_t n)
{
	const char *text = line;
	if (n < 4 || !isdigit((unsigned char)text[0]) || !isdigit((unsigned char)text[1]) ||
	    !isdigit((unsigned char)text[2]))
		return -1;
	if (text[3] == '-')
		return 0;
	return (text[0] - '0') * 100 + (text[1] - '0') * 10 + text[2] - '0';
}

enum verdict look_begins(struct look *look, const char *text)
{
	if (!may_begin(look->in, look->n, text))
		return VERDICT_NOT;
	look->want = strlen(text);
	return look->n >= look->want ? VERDICT_MINE : VERDICT_MORE;
}

const uint8_t *get_bytes(struct cursor *cursor, size_t n)
{
	if (n > cursor_left(cursor)) {
		cursor->is_short = true;
		cursor->at = cursor->end;
		return NULL;
	}
	cursor->at += n;
	return cursor->at - n;
}

static uint32_t get(struct cursor *cursor, unsigned n)
{
	const uint8_t *bytes = get_bytes(cursor, n);
	uint32_t number = 0;
	for (unsigned i = 0; bytes && i < n; i++)
		number = number << 8 | bytes[i];
	return number;
}

uint32_t get_u8(struct cursor *cursor)
{
	return get(cursor, 1);
}

uint32_t get_u16(struct cursor *cursor)
{
	return get(cursor, 2);
}

uint32_t get_u32(struct cursor *cursor)
{
	return get(cursor, 4);
}

uint32_t get_u32_little(struct cursor *cursor)
{
	return __builtin_bswap32(get_u32(cursor));
}

/* LDAP (RFC 4511): the root DSE by an anonymous search, StartTLS where it is offered, unbind. */
#include <string.h>

#include "scan/identify/protocol.h"

#define SEQUENCE 0x30
#define OCTETS 0x04
#define ENTRY 0x64
#define SEARCH_DONE 0x65
#define EXTENDED 0x78

enum { STEP_BEGUN, STEP_ENTRY, STEP_STARTTLS };

static const char start_tls[] = "1.3.6.1.4.1.1466.20037"; /* RFC 4511, 4.14 */

struct memory {
	bool has_starttls;
};

/* One BER element: its tag and content; false: it is not whole. Lengths of at most three bytes. */
static bool get_element(struct cursor *cursor, uint8_t *tag, struct cursor *content)
{
	*tag = (uint8_t)get_u8(cursor);
	size_t length = get_u8(cursor);
	if (length > 0x80 && length <= 0x84) {
		unsigned n = length & 0x7f;
		for (length = 0; n > 0; n--)
			length = length << 8 | get_u8(cursor);
	} else if (length >= 0x80) {
		return false;
	}
	const uint8_t *bytes = get_bytes(cursor, length);
	if (cursor->is_short || !bytes)
		return false;
	*content = cursor_of(bytes, length);
	return true;
}

static void hello(struct talk *talk)
{
	static const char *const attributes[] = {"objectClass", "vendorName", "vendorVersion",
						 "supportedLDAPVersion", "supportedExtension"};
	static const uint8_t search[] = {
		/* base "", scope base, never deref, no limits, all values */
		0x04, 0, 0x0a, 1, 0, 0x0a, 1, 0, 2, 1, 0, 2, 1, 5, 1, 1, 0,
		/* present: objectClass */
		0x87, 11, 'o', 'b', 'j', 'e', 'c', 't', 'C', 'l', 'a', 's', 's'};
	size_t list = 0;
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		list += 2 + strlen(attributes[i]);
	size_t request = sizeof(search) + 2 + list;
	say_bytes(talk, (uint8_t[]){SEQUENCE, 3 + 2 + request, 2, 1, 1, 0x63, request}, 7);
	say_bytes(talk, search, sizeof(search));
	say_bytes(talk, (uint8_t[]){SEQUENCE, list}, 2);
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		say_bytes(talk, (uint8_t[]){OCTETS, strlen(attributes[i])}, 2);
		say_text(talk, attributes[i]);
	}
}

/* SEQUENCE, length, INTEGER, 1, id, then an answer's tag. */
static enum verdict recognise(struct look *look)
{
	struct cursor cursor = cursor_of(look->in, look->n);
	look->want = 12;
	if (look->in[0] != SEQUENCE)
		return VERDICT_NOT;
	if (look->n < 12)
		return VERDICT_MORE;
	get_u8(&cursor);
	uint32_t length = get_u8(&cursor);
	if (length > 0x84)
		return VERDICT_NOT;
	get_bytes(&cursor, length > 0x80 ? length & 0x7f : 0);
	bool has_id = get_u8(&cursor) == 2 && get_u8(&cursor) == 1 && get_u8(&cursor) <= 1;
	uint32_t tag = get_u8(&cursor);
	return has_id && (tag == ENTRY || tag == SEARCH_DONE || tag == EXTENDED) ? VERDICT_MINE
										 : VERDICT_NOT;
}

static void note(struct talk *talk, const char *type, size_t n_type, const char *value, size_t n)
{
	struct identified *seen = talk->seen;
	struct memory *memory = (void *)talk->memory;
	if (n_type == 18 && begins_folded(type, n_type, "supportedExtension") &&
	    n == strlen(start_tls) && begins(value, n, start_tls))
		memory->has_starttls = true;
	if (n_type == 10 && begins_folded(type, n_type, "vendorName"))
		KEEP(seen->product, value, n);
	if (n_type == 13 && begins_folded(type, n_type, "vendorVersion"))
		KEEP(seen->version, value, n);
	if (n_type == 11 && begins_folded(type, n_type, "objectClass") && n == 15 &&
	    begins(value, n, "OpenLDAProotDSE"))
		KEEP(seen->product, "OpenLDAP", 8);
	if (n_type == 20 && begins_folded(type, n_type, "supportedLDAPVersion") && n == 1 &&
	    (!seen->protocol_version[0] || *value > seen->protocol_version[0]))
		KEEP(seen->protocol_version, value, n);
}

/* The entry: its name, then attributes of type and set of values. */
static void read_entry(struct talk *talk, struct cursor entry)
{
	struct cursor name, list, attribute, type, values, value;
	uint8_t tag;
	if (!get_element(&entry, &tag, &name) || !get_element(&entry, &tag, &list))
		return;
	while (cursor_left(&list) > 0 && get_element(&list, &tag, &attribute)) {
		if (!get_element(&attribute, &tag, &type) ||
		    !get_element(&attribute, &tag, &values))
			return;
		while (cursor_left(&values) > 0 && get_element(&values, &tag, &value))
			note(talk, (const char *)type.at, cursor_left(&type),
			     (const char *)value.at, cursor_left(&value));
	}
}

static enum verdict finish(struct talk *talk)
{
	if (!talk->is_secured)
		mark_clear(talk);
	say_bytes(talk, (uint8_t[]){SEQUENCE, 5, 2, 1, 3, 0x42, 0}, 7); /* unbind */
	return VERDICT_DONE;
}

/* An extended request, of which all that is known is its name. */
static enum verdict say_start_tls(struct talk *talk)
{
	size_t n = strlen(start_tls);
	say_bytes(talk, (uint8_t[]){SEQUENCE, 3 + 4 + n, 2, 1, 2, 0x77, 2 + n, 0x80, n}, 9);
	say_text(talk, start_tls);
	talk->step = STEP_STARTTLS;
	return VERDICT_MORE;
}

/* ExtendedResponse begins with its result: an enumeration, 0 is success. */
static enum verdict read_start_tls(struct talk *talk, uint8_t tag, const struct cursor *answer)
{
	bool is_agreed = tag == EXTENDED && cursor_left(answer) >= 3 &&
			 memcmp(answer->at, "\x0a\1\0", 3) == 0;
	return is_agreed ? VERDICT_TLS : finish(talk);
}

/* How long the element is in all; 0: its length is not there yet, or is none. */
static size_t whole_length(const uint8_t *in, size_t n, bool *is_bad)
{
	if (n < 2)
		return 0;
	size_t count = in[1] & 0x80 ? in[1] & 0x7f : 0, length = count ? 0 : in[1];
	*is_bad = count > 3 || in[1] == 0x80;
	if (*is_bad || n < 2 + count)
		return 0;
	for (size_t i = 0; i < count; i++)
		length = length << 8 | in[2 + i];
	return 2 + count + length;
}

static enum verdict converse(struct talk *talk)
{
	struct cursor cursor = cursor_of(talk->in, talk->n), message, id, answer;
	uint8_t tag = 0;
	bool is_bad = false;
	size_t length = whole_length(talk->in, talk->n, &is_bad);
	const struct memory *memory = (const void *)talk->memory;
	talk->want = length > 0 ? length : talk->n + 1;
	if (talk->is_secured)
		return finish(talk);
	if (is_bad)
		return talk->step == STEP_BEGUN ? VERDICT_NOT : finish(talk);
	if (length == 0 || talk->n < length)
		return talk->ended ? finish(talk) : VERDICT_MORE;
	talk->taken = length;
	talk->step = talk->step == STEP_BEGUN ? STEP_ENTRY : talk->step;
	talk->want = 2;
	if (!get_element(&cursor, &tag, &message) || tag != SEQUENCE ||
	    !get_element(&message, &tag, &id) || !get_element(&message, &tag, &answer))
		return VERDICT_NOT;
	if (talk->step == STEP_STARTTLS)
		return read_start_tls(talk, tag, &answer);
	if (tag != ENTRY)
		return memory->has_starttls && may_start_tls(talk) ? say_start_tls(talk)
								   : finish(talk);
	read_entry(talk, answer);
	return VERDICT_MORE;
}

const struct protocol protocol_ldap = {
	.service = "ldap",
	.ports = {389, 636, 3268},
	.over_tcp = true,
	.hello = hello,
	.recognise = recognise,
	.converse = converse,
};

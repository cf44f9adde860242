/* The typed value of a field: what a table shows, JSON writes, a filter compares. */
#ifndef MODEL_VALUE_H
#define MODEL_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/out.h"
#include "model/ip.h"

enum value_kind {
	VALUE_NULL,
	VALUE_UINT,
	VALUE_INT,
	VALUE_BOOL,
	VALUE_TIME,	/* number: Unix seconds in real */
	VALUE_WORD,	/* one of a field's fixed words; text points to it */
	VALUE_STRING,	/* text, length: foreign bytes; not NUL-terminated where length says so */
	VALUE_IP,	/* ip; is_v4 says how it is shown */
	VALUE_ENDPOINT, /* ip and port: "127.0.0.1:80", "[::1]:80", "*" where there is none */
	VALUE_OBJECT,	/* JSON made by the field's write_json (container, peer_process, ...); text
			   for tables in text */
};

struct value {
	enum value_kind kind;
	uint32_t length;
	union {
		uint64_t number;
		int64_t integer;
		double real;
		const char *text;
		const struct ip *ip;
	};
	uint16_t port;
	bool is_v4;
	char *scratch; /* of 256 bytes, lent by the caller: a getter may build its text here */
};

/* The only way of foreign text to a terminal: escaped (text_show). Returns columns; @out may be
 * NULL. */
size_t value_text(struct out *out, const struct value *value);
/* JSON: null, number, true, "string" (valid UTF-8 always; what is none becomes U+FFFD). */
void value_json(struct out *out, const struct value *value);
void json_quote(struct out *out, const char *bytes, size_t n);

/* Order for --sort: null last; numbers by size, addresses by bytes, text by bytes. */
int value_compare(const struct value *a, const struct value *b);

#endif

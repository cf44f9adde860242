/* What getters are made of: a value of each kind set in one line. Only for model/fields-*.c. */
#ifndef MODEL_GET_H
#define MODEL_GET_H

#include <string.h>

#include "model/field.h"

static inline void set_null(struct value *ret)
{
	ret->kind = VALUE_NULL;
}

static inline void set_uint(struct value *ret, uint64_t number)
{
	ret->kind = VALUE_UINT;
	ret->number = number;
}

static inline void set_bool(struct value *ret, bool is)
{
	ret->kind = VALUE_BOOL;
	ret->number = is;
}

static inline void set_word(struct value *ret, const char *word)
{
	ret->kind = word && word[0] ? VALUE_WORD : VALUE_NULL;
	ret->text = word;
	ret->length = word ? (uint32_t)strlen(word) : 0;
}

static inline void set_string(struct value *ret, const char *text)
{
	ret->kind = text ? VALUE_STRING : VALUE_NULL;
	ret->text = text;
	ret->length = text ? (uint32_t)strlen(text) : 0;
}

static inline void set_object(struct value *ret, const char *text)
{
	set_string(ret, text);
	ret->kind = text ? VALUE_OBJECT : VALUE_NULL;
}

static inline void set_ip(struct value *ret, const struct ip *ip, bool is_v4)
{
	ret->kind = VALUE_IP;
	ret->ip = ip;
	ret->is_v4 = is_v4;
}

static inline void set_endpoint(struct value *ret, const struct ip *ip, uint16_t port)
{
	ret->kind = VALUE_ENDPOINT;
	ret->ip = ip;
	ret->port = port;
	ret->is_v4 = ip && ip_is_mapped(ip);
}

#endif

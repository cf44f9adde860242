/* The words of an enum of the running kernel, from its BTF. */
#include <linux/btf.h>
#include <stdio.h>
#include <string.h>

#include "source/btf-enum.h"

#define KIND_ENUM64 19

struct btf {
	const char *types, *strings;
	size_t n_types, n_strings;
};

static bool open_btf(const char *bytes, size_t n, struct btf *ret)
{
	struct btf_header header;
	if (n < sizeof(header))
		return false;
	memcpy(&header, bytes, sizeof(header));
	if (header.magic != BTF_MAGIC || header.hdr_len > n)
		return false;
	n -= header.hdr_len;
	if (header.type_off > n || header.type_len > n - header.type_off || header.str_off > n ||
	    header.str_len > n - header.str_off)
		return false;
	*ret = (struct btf){.types = bytes + header.hdr_len + header.type_off,
			    .strings = bytes + header.hdr_len + header.str_off,
			    .n_types = header.type_len,
			    .n_strings = header.str_len};
	return true;
}

/* The string at @offset; NULL where it does not end within. */
static const char *string_at(const struct btf *btf, uint32_t offset)
{
	if (offset >= btf->n_strings ||
	    !memchr(btf->strings + offset, '\0', btf->n_strings - offset))
		return NULL;
	return btf->strings + offset;
}

/* What stands behind a type, by its kind and number of members. */
static size_t size_behind(uint32_t kind, size_t members)
{
	switch (kind) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return 12;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_DATASEC:
	case KIND_ENUM64:
		return 12 * members;
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		return 8 * members;
	default:
		return 0;
	}
}

static bool find_word(const struct btf *btf, const char *at, size_t members, uint32_t value,
		      char *to, size_t size)
{
	for (size_t i = 0; i < members; i++) {
		struct btf_enum member;
		memcpy(&member, at + i * sizeof(member), sizeof(member));
		const char *word =
			(uint32_t)member.val == value ? string_at(btf, member.name_off) : NULL;
		if (!word)
			continue;
		snprintf(to, size, "%s", word);
		return true;
	}
	return false;
}

bool btf_enum_word(const void *bytes, size_t n, const char *name, uint32_t value, char *to,
		   size_t size)
{
	struct btf btf;
	struct btf_type type;
	if (!open_btf(bytes, n, &btf))
		return false;
	for (size_t at = 0; btf.n_types - at >= sizeof(type);) {
		memcpy(&type, btf.types + at, sizeof(type));
		at += sizeof(type);
		uint32_t kind = type.info >> 24 & 0x1f;
		size_t members = type.info & 0xffff, behind = size_behind(kind, members);
		if (behind > btf.n_types - at)
			return false;
		const char *called = kind == BTF_KIND_ENUM ? string_at(&btf, type.name_off) : NULL;
		if (called && strcmp(called, name) == 0)
			return find_word(&btf, btf.types + at, members, value, to, size);
		at += behind;
	}
	return false;
}

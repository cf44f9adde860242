/* The words of an enum of the running kernel, from its BTF (docs.kernel.org/bpf/btf.html). */
#ifndef SOURCE_BTF_ENUM_H
#define SOURCE_BTF_ENUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The enumerator of enum @name with @value, at @to with NUL. False: none. Pure; @bytes are foreign.
 */
bool btf_enum_word(const void *bytes, size_t n, const char *name, uint32_t value, char *to,
		   size_t size);

#endif

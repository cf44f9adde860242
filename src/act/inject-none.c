/* Another processor: nothing is injected, and whoever asks is told so. */
#if !defined(__x86_64__) && !defined(__aarch64__)
#include "act/registers.h"
#include "base/attributes.h"

const struct machine machine = {.name = NULL};

bool registers_are_native(unused_argument const struct registers *registers)
{
	return false;
}

uint64_t registers_call_site(unused_argument const struct registers *registers)
{
	return 0;
}

bool registers_rewind(unused_argument struct registers *registers,
		      unused_argument const struct waiting *waiting)
{
	return false;
}

void registers_call(unused_argument struct registers *registers, unused_argument uint64_t at,
		    unused_argument int64_t number, unused_argument const uint64_t arguments[6])
{
}

int64_t registers_result(unused_argument const struct registers *registers)
{
	return -1;
}
#endif

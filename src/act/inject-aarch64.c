/* System calls of another's thread on arm64: arguments in x0 to x5, the number in x8, the
 * instruction `svc #0`. See syscall(2), and arch/arm64/kernel/signal.c: a call that begins again is
 * wound back before the stop that we see, so all that is left to do is for calls that said EINTR.
 * The result has then taken the place of the first argument, which is known from before. */
#ifdef __aarch64__
#include <asm/ptrace.h>
#include <errno.h>
#include <sys/syscall.h>

#include "act/registers.h"
#include "base/attributes.h"

#define BTYPE \
	(UINT64_C(3) << 10) /* a branch is under way: the next instruction must be its landing */
#define MODE_32 0x10

enum word { X0 = 0, X8 = 8, PC = 32, PSTATE = 33 };
_Static_assert(offsetof(struct user_pt_regs, pc) == PC * 8, "user_pt_regs");
_Static_assert(offsetof(struct user_pt_regs, pstate) == PSTATE * 8, "user_pt_regs");

const struct machine machine = {
	.name = "arm64",
	.registers_size = sizeof(struct user_pt_regs),
	.instruction = "\x01\x00\x00\xd4",
	.instruction_size = 4,
	.instruction_align = 4,
	.needs_waiting = true,
};

/* As in inject-x86_64.c. */
static const int rewound[] = {
	SYS_epoll_pwait, SYS_epoll_pwait2, SYS_io_uring_enter,	SYS_io_getevents, SYS_io_pgetevents,
	SYS_semop,	 SYS_semtimedop,   SYS_rt_sigtimedwait, SYS_accept,	  SYS_accept4,
	SYS_connect,	 SYS_read,	   SYS_readv,		SYS_recvfrom,	  SYS_recvmsg,
	SYS_recvmmsg,	 SYS_write,	   SYS_writev,		SYS_sendto,	  SYS_sendmsg,
	SYS_sendmmsg,
};

bool registers_are_native(const struct registers *registers)
{
	return registers->size == machine.registers_size && !(registers->word[PSTATE] & MODE_32);
}

/* The kernel has forgotten the call by now, and whether pc was wound back: the instruction at
 * either place is looked at by the caller. */
uint64_t registers_call_site(const struct registers *registers)
{
	return registers->word[PC] - machine.instruction_size;
}

bool registers_rewind(struct registers *registers, const struct waiting *waiting)
{
	if (!waiting->is_known || (int64_t)registers->word[X0] != -EINTR ||
	    (int64_t)registers->word[X8] != waiting->number)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(rewound); i++)
		if (waiting->number == rewound[i]) {
			registers->word[X0] = waiting->first_argument;
			registers->word[PC] -= machine.instruction_size;
			return true;
		}
	return false;
}

void registers_call(struct registers *registers, uint64_t at, int64_t number,
		    const uint64_t arguments[6])
{
	for (unsigned i = 0; i < 6; i++)
		registers->word[X0 + i] = arguments[i];
	registers->word[X8] = (uint64_t)number;
	registers->word[PC] = at;
	registers->word[PSTATE] &= ~BTYPE;
}

int64_t registers_result(const struct registers *registers)
{
	return (int64_t)registers->word[X0];
}
#endif

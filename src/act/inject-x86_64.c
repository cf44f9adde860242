/* System calls of another's thread on x86-64: arguments in rdi, rsi, rdx, r10, r8, r9, the number
 * in rax, the instruction `syscall`. See syscall(2), and arch/x86/kernel/signal.c for how a call
 * that was interrupted begins again: while orig_rax is a call's number and rax is one of -512 to
 * -516. */
#ifdef __x86_64__
#include <errno.h>
#include <sys/syscall.h>
#include <sys/user.h>

#include "act/registers.h"
#include "base/attributes.h"

#define ERESTARTNOHAND 514 /* include/linux/errno.h: again, unless a handler runs */
#define CS_64 0x33	   /* arch/x86/include/asm/segment.h, __USER_CS */
#define X32_BIT 0x40000000

enum word {
	R10 = 7,
	R9 = 8,
	R8 = 9,
	RAX = 10,
	RDX = 12,
	RSI = 13,
	RDI = 14,
	ORIG_RAX = 15,
	RIP = 16,
	CS = 17,
};
_Static_assert(offsetof(struct user_regs_struct, rip) == RIP * 8, "user_regs_struct");
_Static_assert(offsetof(struct user_regs_struct, orig_rax) == ORIG_RAX * 8, "user_regs_struct");
_Static_assert(offsetof(struct user_regs_struct, cs) == CS * 8, "user_regs_struct");

const struct machine machine = {
	.name = "x86-64",
	.registers_size = sizeof(struct user_regs_struct),
	.instruction = "\x0f\x05",
	.instruction_size = 2,
	.instruction_align = 1,
};

/* Calls that say EINTR after any stop (signal(7): "interruption of system calls by stop signals"),
 * those of sockets where they have a time-out. All may begin again; the time-out then does, too. */
static const int rewound[] = {
	SYS_epoll_wait,	   SYS_epoll_pwait, SYS_epoll_pwait2, SYS_io_uring_enter,  SYS_io_getevents,
	SYS_io_pgetevents, SYS_semop,	    SYS_semtimedop,   SYS_rt_sigtimedwait, SYS_accept,
	SYS_accept4,	   SYS_connect,	    SYS_read,	      SYS_readv,	   SYS_recvfrom,
	SYS_recvmsg,	   SYS_recvmmsg,    SYS_write,	      SYS_writev,	   SYS_sendto,
	SYS_sendmsg,	   SYS_sendmmsg,
};

bool registers_are_native(const struct registers *registers)
{
	return registers->size == machine.registers_size && registers->word[CS] == CS_64;
}

uint64_t registers_call_site(const struct registers *registers)
{
	return (int64_t)registers->word[ORIG_RAX] < 0
		       ? 0
		       : registers->word[RIP] - machine.instruction_size;
}

bool registers_rewind(struct registers *registers, unused_argument const struct waiting *waiting)
{
	int64_t number = (int64_t)registers->word[ORIG_RAX];
	if (number < 0 || (int64_t)registers->word[RAX] != -EINTR)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(rewound); i++)
		if ((number & ~X32_BIT) == rewound[i]) {
			registers->word[RAX] = (uint64_t)-ERESTARTNOHAND;
			return true;
		}
	return false;
}

void registers_call(struct registers *registers, uint64_t at, int64_t number,
		    const uint64_t arguments[6])
{
	static const enum word places[6] = {RDI, RSI, RDX, R10, R8, R9};
	for (unsigned i = 0; i < 6; i++)
		registers->word[places[i]] = arguments[i];
	registers->word[RAX] = (uint64_t)number;
	registers->word[ORIG_RAX] = UINT64_MAX; /* what was interrupted does not begin here */
	registers->word[RIP] = at;
}

int64_t registers_result(const struct registers *registers)
{
	return (int64_t)registers->word[RAX];
}
#endif

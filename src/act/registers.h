/* The registers of a stopped thread, and what a processor wants for a system call: one file
 * act/inject-MACHINE.c each. The words are the kernel's NT_PRSTATUS (ptrace(2), PTRACE_GETREGSET).
 */
#ifndef ACT_REGISTERS_H
#define ACT_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGISTERS_MAX 40

struct registers {
	uint64_t word[REGISTERS_MAX];
	size_t size; /* bytes that the kernel gave */
};

/* What was seen of a thread before it was stopped (/proc/PID/task/TID/syscall): where the processor
 * does not keep the first argument beside the result, it comes from here. */
struct waiting {
	bool is_known;
	int64_t number;
	uint64_t first_argument;
};

struct machine {
	const char *name;
	size_t registers_size;	 /* other sizes are of another kind of program: 32-bit */
	const char *instruction; /* that makes a system call */
	unsigned instruction_size, instruction_align;
	bool needs_waiting; /* see struct waiting */
};

/* The one that this program was built for; name NULL: nothing can be injected here. */
extern const struct machine machine;

/* It is a program of the machine's own kind: no 32-bit one. */
bool registers_are_native(const struct registers *registers);

/* The address of the instruction by which the thread came into the kernel; 0: it did not come by a
 * system call. */
uint64_t registers_call_site(const struct registers *registers);

/* The call that the thread was in gave EINTR, or would have, only because it was stopped: lets the
 * kernel begin it again. A handler that is due makes EINTR of it all the same, as without us.
 * False: nothing to change. */
bool registers_rewind(struct registers *registers, const struct waiting *waiting);

/* Lets the thread make system call @number at the instruction at @at. */
void registers_call(struct registers *registers, uint64_t at, int64_t number,
		    const uint64_t arguments[6]);

/* What the call returned: a value or negative errno. */
int64_t registers_result(const struct registers *registers);

#endif

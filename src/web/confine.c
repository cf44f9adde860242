/* A list of what may be, so that what is not thought of may not. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/attributes.h"
#include "web/confine.h"

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

#if defined(OWN_ARCH) && !defined(IS_SANITIZED)

static const int allowed[] = {
	/* bytes in and out, of what is open */
	SYS_read,
	SYS_write,
	SYS_readv,
	SYS_writev,
	SYS_recvfrom,
	SYS_recvmsg,
	SYS_sendto,
	SYS_sendmsg,
	SYS_close,
	SYS_shutdown,
	SYS_ioctl,
	SYS_fcntl,
	SYS_dup3,
	/* connections that come */
	SYS_accept4,
	SYS_getsockopt,
	SYS_setsockopt,
	SYS_getsockname,
	SYS_getpeername,
	SYS_socketpair,
	/* waiting, and the time */
	SYS_epoll_ctl,
	SYS_epoll_pwait,
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
#ifdef SYS_epoll_pwait2
	SYS_epoll_pwait2,
#endif
	SYS_clock_gettime,
	SYS_gettimeofday,
	SYS_clock_nanosleep,
	SYS_restart_syscall,
	/* memory, randomness for TLS */
	SYS_brk,
	SYS_mmap,
	SYS_munmap,
	SYS_mremap,
	SYS_mprotect,
	SYS_madvise,
	SYS_getrandom,
	SYS_futex,
	/* the end */
	SYS_rt_sigreturn,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_getpid,
	SYS_gettid,
	SYS_exit,
	SYS_exit_group,
};

#define N_ALLOWED ARRAY_SIZE(allowed)
_Static_assert(N_ALLOWED < 250, "a jump goes 255 instructions at most");

/*  0      the machine's own calls?     else: refuse
 *  2      number == allowed[0]?        then: allow
 *  ...
 *  n+3    refuse
 *  n+4    allow                                                                             */
static void write_program(struct sock_filter *program)
{
	size_t at = 0;
	program[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						     offsetof(struct seccomp_data, arch));
	program[at++] =
		(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCH, 0, N_ALLOWED + 1);
	program[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						     offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < N_ALLOWED; i++)
		program[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							     (unsigned)allowed[i],
							     (uint8_t)(N_ALLOWED - i), 0);
	program[at++] =
		(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (EPERM & 0xffff));
	program[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}

int confine(void)
{
	struct sock_filter program[N_ALLOWED + 5];
	const struct sock_fprog prog = {.len = N_ALLOWED + 5, .filter = program};
	write_program(program);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0 ? -errno : 0;
}

#else

int confine(void)
{
	return -ENOTSUP;
}

#endif

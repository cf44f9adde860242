/* Capabilities of this thread (capabilities(7)): kept as long as a step needs them, then gone. */
#ifndef BASE_PRIVILEGE_H
#define BASE_PRIVILEGE_H

#include <stdbool.h>
#include <stdint.h>

#define CAP(name) (UINT64_C(1) << CAP_##name)

/* What seeing needs where it may be had: descriptors of others, other namespaces, BPF. */
#define CAPS_SEE                                                                             \
	(CAP(SYS_PTRACE) | CAP(DAC_READ_SEARCH) | CAP(SYS_ADMIN) | CAP(BPF) | CAP(PERFMON) | \
	 CAP(NET_ADMIN))

/* Effective capability @number of this thread; false where it cannot be known. */
bool privilege_has(int number);

/* Keeps of what this process has only @wanted, for good: the inheritable and ambient sets are
 * emptied, and nothing that it starts gets more, as root neither (PR_SET_NO_NEW_PRIVS). Call before
 * any thread starts. 0 or negative errno. */
int privilege_keep(uint64_t wanted);

/* Where this program was given rights that its caller does not have (file capabilities), lays them
 * aside until privilege_keep, so that what the caller names is opened as the caller could. 0 or
 * negative errno. */
int privilege_lay_aside(void);

/* What was laid aside, and was not given up meanwhile, is there again. 0 or negative errno. */
int privilege_resume(void);

/* Gives up all. 0 or negative errno. */
int privilege_drop(void);

/* How to have what was not permitted: "run it with sudo"; NULL where root could not either. */
const char *privilege_hint(void);

/* Root, or a capability that shows other users' descriptors. */
bool privilege_sees_others(void);

#endif

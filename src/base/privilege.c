/* Capabilities of this thread, by the two system calls alone. */
#include <errno.h>
#include <linux/capability.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/privilege.h"

static int get(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	return syscall(SYS_capget, &header, data) < 0 ? -errno : 0;
}

static int set(const struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

bool privilege_has(int number)
{
	struct __user_cap_data_struct data[2] = {0};
	if (number < 0 || number >= 64 || get(data) < 0)
		return false;
	return data[number / 32].effective & 1u << number % 32;
}

int privilege_keep(uint64_t wanted)
{
	struct __user_cap_data_struct data[2] = {0};
	int r = get(data);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t kept = data[i].permitted & (uint32_t)(wanted >> 32 * i);
		data[i] = (struct __user_cap_data_struct){.effective = kept, .permitted = kept};
	}
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return set(data);
}

int privilege_lay_aside(void)
{
	struct __user_cap_data_struct data[2] = {0};
	if (!getauxval(AT_SECURE))
		return 0;
	int r = get(data);
	for (unsigned i = 0; i < 2; i++)
		data[i].effective = 0;
	return r < 0 ? r : set(data);
}

int privilege_resume(void)
{
	struct __user_cap_data_struct data[2] = {0};
	int r = get(data);
	for (unsigned i = 0; i < 2; i++)
		data[i].effective = data[i].permitted;
	return r < 0 ? r : set(data);
}

int privilege_drop(void)
{
	const struct __user_cap_data_struct none[2] = {0};
	return set(none);
}

bool privilege_sees_others(void)
{
	return privilege_has(CAP_SYS_PTRACE) && privilege_has(CAP_DAC_READ_SEARCH);
}

const char *privilege_hint(void)
{
	return geteuid() == 0 ? NULL : "run it with sudo";
}

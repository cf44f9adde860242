/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces: what mounts say of them, and (as root) the way into one and back. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "source/netns.h"

static void test_a_mount_of_a_namespace_is_known(void **state)
{
	(void)state;
	static const char line[] =
		"612 24 0:4 net:[4026532701] /run/netns/a\\040shop rw shared:301 - nsfs nsfs rw";
	uint64_t inode;
	const char *point;
	size_t length;
	assert_true(netns_parse_mount(line, strlen(line), &inode, &point, &length));
	assert_int_equal(inode, 4026532701);
	assert_int_equal(length, strlen("/run/netns/a\\040shop"));
	assert_memory_equal(point, "/run/netns/a\\040shop", length);
}

static void test_other_mounts_are_none(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"",
		"24 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw",
		"24 1 254:0 /net:[4026532701] /srv rw - ext4 /dev/vda rw",
		"612 24 0:4 mnt:[4026532701] /run/mnt rw - nsfs nsfs rw",
		"612 24 0:4 net:[] /run/netns/a rw - nsfs nsfs rw",
		"612 24 0:4 net:[12 /run/netns/a rw - nsfs nsfs rw",
		"612 24 0:4 net:[4026532701] /run/netns/a",
	};
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		uint64_t inode;
		const char *point;
		size_t length;
		assert_false(
			netns_parse_mount(lines[i], strlen(lines[i]), &inode, &point, &length));
	}
}

/* ---- the kernel's ---- */

static int ignore(struct sink *sink, const struct missing *missing)
{
	(void)sink;
	(void)missing;
	return 0;
}

static int find(const struct netns_scope *scope, struct vector *found, struct error *err)
{
	struct host host;
	struct sink sink = {.missing = ignore};
	assert_int_equal(host_open(NULL, &host, err), 0);
	vector_init(found, sizeof(struct found_netns));
	int r = netns_find(&host, scope, NULL, found, &sink, err);
	host_close(&host);
	return r;
}

static uint64_t inode_here(void)
{
	struct stat status;
	assert_int_equal(stat("/proc/thread-self/ns/net", &status), 0);
	return status.st_ino;
}

static void test_our_own_needs_no_entering(void **state)
{
	(void)state;
	struct vector found;
	struct error err = {0};
	assert_int_equal(find(&(struct netns_scope){.choice = NETNS_SELF}, &found, &err), 0);
	assert_int_equal(found.n, 1);
	const struct found_netns *own = vector_at(&found, 0);
	assert_true(own->is_self && own->fd == -1 && own->inode == inode_here());
	netns_list_done(&found);
}

static void test_a_name_that_is_none_is_told(void **state)
{
	(void)state;
	static const char *const names[] = {"no-such-namespace", "..", "a/b", ""};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct vector found;
		struct error err = {0};
		struct netns_scope scope = {.choice = NETNS_NAME, .name = names[i]};
		assert_int_equal(find(&scope, &found, &err), -EINVAL);
		assert_int_equal(err.code, -EINVAL);
		netns_list_done(&found);
	}
}

/* A process in a namespace of its own, until it is ended; 0: that is not allowed here. */
static pid_t start_apart(void)
{
	int ends[2];
	char ready = 0;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		ready = unshare(CLONE_NEWNET) == 0;
		if (write(ends[1], &ready, 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ends[0], &ready, 1), 1);
	close(ends[0]);
	close(ends[1]);
	if (!ready) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return 0;
	}
	return pid;
}

static int tell_inode(void *data)
{
	*(uint64_t *)data = inode_here();
	return 7;
}

static void test_a_call_is_made_inside_and_the_way_back_is_taken(void **state)
{
	(void)state;
	pid_t pid = start_apart();
	if (!pid)
		skip();
	struct vector found;
	struct error err = {0};
	uint64_t own = inode_here(), inside = 0;
	struct netns_scope scope = {.choice = NETNS_PID, .pid = pid};
	assert_int_equal(find(&scope, &found, &err), 0);
	assert_int_equal(found.n, 1);
	const struct found_netns *apart = vector_at(&found, 0);
	assert_true(apart->inode != own && apart->fd >= 0 && apart->pid == pid);
	assert_int_equal(netns_call(apart, tell_inode, &inside), 7);
	assert_true(inside == apart->inode && inode_here() == own);
	cleanup(closep) int fd = netns_socket(apart, 4);
	assert_true(fd >= 0);
	netns_list_done(&found);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_all_have_the_namespaces_of_processes(void **state)
{
	(void)state;
	pid_t pid = start_apart();
	if (!pid)
		skip();
	struct vector found;
	struct error err = {0};
	bool is_there = false;
	assert_int_equal(find(&(struct netns_scope){.choice = NETNS_ALL}, &found, &err), 0);
	assert_true(((const struct found_netns *)vector_at(&found, 0))->is_self);
	for (uint32_t i = 0; i < found.n; i++)
		is_there |= ((const struct found_netns *)vector_at(&found, i))->pid == pid;
	assert_true(is_there);
	netns_list_done(&found);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mount_of_a_namespace_is_known),
		cmocka_unit_test(test_other_mounts_are_none),
		cmocka_unit_test(test_our_own_needs_no_entering),
		cmocka_unit_test(test_a_name_that_is_none_is_told),
		cmocka_unit_test(test_a_call_is_made_inside_and_the_way_back_is_taken),
		cmocka_unit_test(test_all_have_the_namespaces_of_processes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

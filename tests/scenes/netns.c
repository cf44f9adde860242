/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces of a scene's own. */
#include "netns.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage.h"

uint64_t netns_inode(void)
{
	struct stat st;

	if (stat("/proc/thread-self/ns/net", &st) < 0)
		fail("look at the network namespace");
	return st.st_ino;
}

int netns_open(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail("open the network namespace");
	return fd;
}

static void lo_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		fail("bring lo up");
	close(fd);
}

/* The kernel chooses from the same ports as where the test runs (tests/system/lanes.py). */
static void ports_of_the_lane(void)
{
	const char *range = getenv("LANE_PORTS");
	FILE *file = range ? fopen("/proc/sys/net/ipv4/ip_local_port_range", "we") : NULL;

	if (range && (!file || fputs(range, file) < 0 || fclose(file) != 0))
		fail("choose from the ports of the lane");
}

void netns_new(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		fail("make a network namespace");
	lo_up();
	ports_of_the_lane();
}

void netns_enter(int fd)
{
	if (setns(fd, CLONE_NEWNET) < 0)
		fail("enter a network namespace");
}

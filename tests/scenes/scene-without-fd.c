/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets that a file keeps and no descriptor shows: registered with io_uring, in transit in a
 * message. */
#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sockets.h"
#include "stage.h"

static void say(struct stage *stage, const struct made *made, uint16_t port)
{
	stage_held(stage, made);
	json_uint(&stage->keys, "port", port);
	json_uint(&stage->keys, "inode", made->inode);
	json_uint(&stage->keys, "pid", (uint64_t)getpid());
}

static void run_registered(struct stage *stage)
{
	struct made made;
	struct io_uring_params params = {0};
	int fd = socket_listen("127.0.0.1", 0, 16);
	uint16_t port = socket_port(fd);
	int ring = (int)syscall(SYS_io_uring_setup, 4, &params);

	if (ring < 0)
		fail("make an io_uring");
	if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, &fd, 1) < 0)
		fail("register the socket");
	made_look(&made, "registered", fd);
	close(fd);
	made.fd = ring;
	json_uint(&stage->keys, "ring_fd", (uint64_t)ring);
	say(stage, &made, port);
}

static void send_away(int over, int fd)
{
	char byte = '!', control[CMSG_SPACE(sizeof(fd))] = "";
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	if (sendmsg(over, &message, 0) != 1)
		fail("send the descriptor");
	close(fd);
}

static void run_in_transit(struct stage *stage)
{
	struct made made;
	int ends[2], fd = socket_listen("127.0.0.1", 0, 16);
	uint16_t port = socket_port(fd);

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		fail("make a socket pair");
	made_look(&made, "in-transit", fd);
	made.pid = 0;
	made.fd = -1;
	send_away(ends[0], fd);
	say(stage, &made, port);
}

const struct scene scene_io_uring_registered = {
	.name = "io-uring-registered",
	.summary = "a listener that only an io_uring keeps",
	.run = run_registered,
};

const struct scene scene_in_transit = {
	.name = "in-transit",
	.summary = "a listener whose only reference is in an unread message",
	.run = run_in_transit,
};

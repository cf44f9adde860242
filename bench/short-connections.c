/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Short connections on loopback at the highest rate that one client and one server reach: connect,
 * a request, an answer, close. Prints how many a second there were.
 *
 * usage: short-connections SECONDS */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ADDRESSES 200 /* so that the ports in TIME_WAIT are never all of them */
#define SIZE 64

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void serve(int listener)
{
	char bytes[SIZE];
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			continue;
		if (read(fd, bytes, sizeof(bytes)) > 0 && write(fd, bytes, sizeof(bytes)) < 0)
			perror("write");
		close(fd);
	}
}

static int visit(struct sockaddr_in *server, unsigned turn)
{
	char bytes[SIZE] = "";
	server->sin_addr.s_addr = htonl(0x7f000001 + turn % ADDRESSES);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int r = connect(fd, (struct sockaddr *)server, sizeof(*server));
	if (r == 0 && (write(fd, bytes, sizeof(bytes)) < 0 || read(fd, bytes, sizeof(bytes)) <= 0))
		r = -1;
	close(fd);
	return r;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
	struct sockaddr_in server = {.sin_family = AF_INET};
	socklen_t length = sizeof(server);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&server, length) < 0 || listen(listener, 1024) < 0 ||
	    getsockname(listener, (struct sockaddr *)&server, &length) < 0) {
		perror("listen");
		return 1;
	}
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(listener);
	}
	unsigned n = 0, failed = 0;
	double began = now(), end = began + seconds, at = began;
	for (unsigned turn = 0; at < end; turn++) {
		if (visit(&server, turn) == 0)
			n++;
		else
			failed++;
		if (turn % 64 == 0)
			at = now();
	}
	kill(child, SIGKILL);
	printf("%.0f %u %u\n", n / (now() - began), n, failed);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listen [udp/]PORT...: opens each and stays. Linked statically, so that a container needs no more.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_port(const char *word)
{
	int is_udp = strncmp(word, "udp/", 4) == 0;
	struct sockaddr_in6 any = {
		.sin6_family = AF_INET6,
		.sin6_port = htons((unsigned short)strtoul(is_udp ? word + 4 : word, NULL, 10))};
	int fd = socket(AF_INET6, is_udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		return -1;
	return is_udp ? 0 : listen(fd, 16);
}

int main(int argc, char **argv)
{
	signal(SIGTERM, _exit); /* the first process of a container is not ended otherwise */
	for (int i = 1; i < argc; i++)
		if (open_port(argv[i]) < 0)
			return 1;
	for (;;)
		pause();
}

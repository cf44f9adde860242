/* The floor under a scan: the same SYN packets or connects, sent and counted, and nothing else.
 * bare-scan connect|syn ADDRESS: 65,535 ports by two threads; prints how many refused or answered.
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "scan/pending.h"
#include "scan/syn.h"

#define THREADS 2
#define BATCH 128

struct half {
	const struct scan_target *target;
	unsigned first;
	struct syn_sockets sockets;
	uint32_t n;
	pthread_t thread;
};

static void *connects(void *data)
{
	struct half *half = data;
	int fd = -1;
	for (unsigned port = half->first; port < 65536; port += THREADS) {
		union any_address to;
		socklen_t n = address_of(half->target, (uint16_t)port, &to);
		if (fd < 0)
			fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int error = connect(fd, &to.any, n) < 0 ? errno : 0;
		half->n += error == ECONNREFUSED;
		if (error == ECONNREFUSED)
			continue;
		close(fd);
		fd = -1;
	}
	closep(&fd);
	return NULL;
}

static void count(struct half *half, int fd, struct mmsghdr *in)
{
	int n;
	while (fd >= 0 && (n = recvmmsg(fd, in, BATCH, MSG_DONTWAIT, NULL)) > 0)
		half->n += (uint32_t)n;
}

static void *syns(void *data)
{
	struct half *half = data;
	struct mmsghdr out[BATCH] = {0}, in[BATCH] = {0};
	struct iovec parts[BATCH], in_parts[BATCH];
	uint8_t packets[BATCH][PACKET_SYN_MAX], received[BATCH][192];
	struct packet_form form;
	struct ip from;
	union any_address to;
	socklen_t length = address_of(half->target, 0, &to);
	syn_source(half->target, &from);
	packet_form(half->target->is_v4, &from, &half->target->ip, &form);
	for (unsigned i = 0; i < BATCH; i++) {
		parts[i].iov_base = packets[i];
		in_parts[i] = (struct iovec){received[i], sizeof(received[i])};
		out[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i],
						 .msg_iovlen = 1,
						 .msg_name = &to,
						 .msg_namelen = length};
		in[i].msg_hdr = (struct msghdr){.msg_iov = &in_parts[i], .msg_iovlen = 1};
	}
	for (unsigned port = half->first; port < 65536;) {
		unsigned n = 0;
		for (; n < BATCH && port < 65536; n++, port += THREADS) {
			const struct packet_ends ends = {half->target->ip, from, (uint16_t)port,
							 half->sockets.base};
			parts[n].iov_len = packet_syn(&form, &ends, port, packets[n]);
		}
		for (unsigned sent = 0; sent < n;) {
			int r = sendmmsg(half->sockets.send, out + sent, n - sent, 0);
			sent += r > 0 ? (unsigned)r : 1;
		}
		count(half, half->sockets.receive, in);
		count(half, half->sockets.translated, in);
	}
	count(half, half->sockets.receive, in);
	count(half, half->sockets.translated, in);
	return NULL;
}

int main(int argc, char **argv)
{
	struct scan_target target = {0};
	struct half halves[THREADS] = {0};
	uint32_t n = 0;
	bool is_syn = argc == 3 && strcmp(argv[1], "syn") == 0;
	if (argc != 3 || ip_parse(argv[2], strlen(argv[2]), &target.ip, &target.is_v4) < 0) {
		fprintf(stderr, "usage: bare-scan connect|syn ADDRESS\n");
		return 2;
	}
	for (unsigned i = 0; i < THREADS; i++) {
		halves[i].target = &target;
		halves[i].first = i ? i : THREADS;
		if (is_syn && syn_open(&halves[i].sockets, target.is_v4,
				       ip_reach(&target.ip) == REACH_LOOPBACK) < 0)
			return 3;
		pthread_create(&halves[i].thread, NULL, is_syn ? syns : connects, &halves[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(halves[i].thread, NULL);
		n += halves[i].n;
	}
	printf("%u\n", n);
	return 0;
}

/* The floor under a scan: the same SYN packets or connects, sent and counted, and nothing else.
 * bare-scan connect|syn ADDRESS: 65,535 ports by two threads; prints how many refused or answered.
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scan/link-way.h"
#include "scan/outbox.h"
#include "scan/syn.h"

#define THREADS 2

struct half {
	const struct scan_target *target;
	unsigned first;
	struct syn_sockets sockets;
	struct outbox packets, frames;
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

static void count(struct half *half)
{
	uint8_t bytes[192];
	size_t n;
	for (; ring_packet(&half->sockets.ring, &n); half->n++)
		ring_free(&half->sockets.ring);
	while (half->sockets.translated >= 0 &&
	       recv(half->sockets.translated, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		half->n++;
}

/* One packet has the kernel ask for the neighbour. */
static bool find_way(struct half *half, const struct ip *from, const union any_address *to,
		     socklen_t n_to, struct link_way *ret)
{
	struct outbox *first = &half->packets;
	int fd = half->sockets.ways;
	if (fd < 0)
		return false;
	if (link_way_find(fd, half->target, from, true, ret) >= 0)
		return true;
	const struct packet_ends ends = {half->target->ip, *from, 1, half->sockets.base};
	struct packet_form form;
	packet_form(half->target->is_v4, from, &half->target->ip, &form);
	outbox_add_packet(first, 0, packet_syn(&form, &ends, 1, outbox_room(first)), to, n_to);
	outbox_send(first);
	usleep(2000);
	return link_way_find(fd, half->target, from, true, ret) >= 0;
}

static void *syns(void *data)
{
	struct half *half = data;
	struct packet_form form;
	struct link_way way;
	struct ip from;
	union any_address to;
	socklen_t length = address_of(half->target, 0, &to);
	syn_source(half->target, &from);
	packet_form(half->target->is_v4, &from, &half->target->ip, &form);
	outbox_init(&half->packets, half->sockets.send, false);
	outbox_init(&half->frames, half->sockets.send_frames, true);
	bool has_way = find_way(half, &from, &to, length, &way);
	struct outbox *outbox = has_way ? &half->frames : &half->packets;
	for (unsigned port = half->first; port < 65536;) {
		for (unsigned i = 0; i < OUTBOX_BATCH && port < 65536; i++, port += THREADS) {
			const struct packet_ends ends = {half->target->ip, from, (uint16_t)port,
							 half->sockets.base};
			size_t n = packet_syn(&form, &ends, port, outbox_room(outbox));
			if (has_way)
				outbox_add_frame(outbox, port, n, &way);
			else
				outbox_add_packet(outbox, port, n, &to, length);
		}
		while (outbox_send(outbox) != 0)
			outbox->sent++;
		count(half);
	}
	count(half);
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

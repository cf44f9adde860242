/* A scan of UDP: a real request where the service is well known, an empty datagram elsewhere. A
 * door answers (open), is told to be closed by ICMP, or is silent, which is both (open|filtered).
 */
#ifndef SCAN_UDP_H
#define SCAN_UDP_H

#include "scan/finder.h"
#include "scan/job.h"
#include "scan/pending.h"

#define UDP_MAX_TIME_MS 30000 /* of a scan of others, where nobody says another */
#define UDP_REQUEST_MAX 1200

/* 0 or negative errno with @err told. */
int udp_scan(const struct job *job, struct error *err);

/* What is sent to @port, at @to; the length, 0 for an empty datagram. */
size_t udp_request(uint16_t port, uint8_t to[UDP_REQUEST_MAX]);
/* The service answers from another port than it was asked at (TFTP, RFC 1350). */
bool udp_answers_elsewhere(uint16_t port);

/* A socket pair; each thread has one. */
struct udp_channel {
	const struct job *job;
	int fd, elsewhere; /* the second for services that answer from another port */
	uint16_t own[2];   /* their ports: what comes back from there is our own */
	struct finder finder;
	const struct udp_channel *all; /* of the scan, this one among them */
	unsigned n_all;
	uint64_t echo_sent_us, echo_took_us; /* of the last that came back; 0: none yet */
};

int udp_open(struct udp_channel *channel, const struct job *job);
void udp_close(struct udp_channel *channel);

/* Asks one door. False: nothing can be sent now; try again. */
bool udp_ask(struct udp_channel *channel, uint32_t probe);
/* Takes what has come; each answer for a door that is unknown is kept and told to @tell. */
void udp_receive(struct udp_channel *channel,
		 void (*tell)(void *data, uint32_t probe, const struct answer *answer), void *data);
/* A datagram to ourselves, behind what was sent until now: the processor that hands packets within
 * this host hands them in turn. When it is back channel->echo_sent_us is this moment's or later. */
void udp_echo(struct udp_channel *channel);
/* Until something comes or @until. */
void udp_wait(const struct udp_channel *channel, uint64_t now, uint64_t until);

/* Hosts that say without limit what is closed (this one over loopback), and those that do not. */
int udp_free(struct udp_channel *channel);
int udp_limited(struct udp_channel *channel);

#endif

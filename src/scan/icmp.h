/* What an ICMP error means for a door, and where a socket keeps it. */
#ifndef SCAN_ICMP_H
#define SCAN_ICMP_H

#include "model/scan.h"

/* The state that an error of @type and @code tells of, for a probe of @proto; DOOR_UNKNOWN: it is
 * no answer (as "fragmentation needed"). Types are those of @is_v4's protocol. */
enum door_state icmp_state(bool is_v4, uint8_t proto, uint8_t type, uint8_t code);

/* The error queue of @fd (IP_RECVERR, ip(7)) has an answer: *@ret. False: it is empty. @ret_to: the
 * port that the probe went to; may be NULL. */
bool icmp_queue(int fd, bool is_v4, uint8_t proto, struct answer *ret, uint16_t *ret_to,
		struct ip *ret_ip);

/* Asks for it. */
void icmp_want(int fd, bool is_v4);

#endif

/* What an ICMP error means for a door, and where a socket keeps it. */
#ifndef SCAN_ICMP_H
#define SCAN_ICMP_H

#include <sys/socket.h>

#include "model/scan.h"

/* The state that an error of @type and @code tells of, for a probe of @proto; DOOR_UNKNOWN: it is
 * no answer (as "fragmentation needed"). Types are those of @is_v4's protocol. */
enum door_state icmp_state(bool is_v4, uint8_t proto, uint8_t type, uint8_t code);

#define ICMP_CONTROL 256 /* bytes that a message of the error queue has of them, at most */

/* What a message of an error queue (IP_RECVERR, ip(7)) answers; DOOR_UNKNOWN: nothing. Its name is
 * where the probe went. */
void icmp_read(struct msghdr *message, bool is_v4, uint8_t proto, struct answer *ret);

/* The oldest of @fd's queue, and at @to where its probe went. False: it is empty. */
union any_address;
bool icmp_queue(int fd, bool is_v4, uint8_t proto, struct answer *ret, union any_address *to);

/* Asks for it. */
void icmp_want(int fd, bool is_v4);

#endif

/* Every family of causes there is. */
#include "why/cause.h"

extern const struct cause_family cause_limit, cause_permission, cause_cgroup, cause_address,
	cause_socket, cause_connection, cause_elsewhere, cause_firewall, cause_reach, cause_way,
	cause_from;

const struct cause_family *const cause_families[] = {
	&cause_limit,	 &cause_permission, &cause_cgroup,     &cause_address,
	&cause_from,	 &cause_socket,	    &cause_connection, &cause_elsewhere,
	&cause_firewall, &cause_reach,	    &cause_way,	       NULL,
};

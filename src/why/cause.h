/* A family of causes: looks whether one of them stands in the way, and adds what it finds. */
#ifndef WHY_CAUSE_H
#define WHY_CAUSE_H

#include "why/why.h"

struct cause_family {
	const char *name;
	uint32_t attempts; /* 1 << enum attempt */
	/* 0, or -ENOMEM. What may not be looked at is a note, no error. */
	int (*find)(struct inquiry *inquiry);
};

#define AT_BIND (1u << ATTEMPT_SOCKET | 1u << ATTEMPT_BIND | 1u << ATTEMPT_LISTEN)
#define AT_CONNECT (1u << ATTEMPT_CONNECT)

extern const struct cause_family *const cause_families[]; /* of causes.c, NULL ends */

#endif

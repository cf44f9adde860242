/* The fail2ban of a host: whether it runs, and for what it lies in wait. */
#ifndef SOURCE_FAIL2BAN_H
#define SOURCE_FAIL2BAN_H

#include "base/arena.h"
#include "base/vector.h"
#include "source/host.h"

#define FAIL2BAN_JAILS_MAX 256
#define FAIL2BAN_NAME_MAX 64

struct fail2ban {
	bool is_running;
	bool ignores_self;   /* its own host's addresses are never banned: the default */
	bool enables;	     /* what a jail is that says nothing of itself */
	struct vector jails; /* struct fail2ban_jail, as read */
};

struct fail2ban_jail {
	char name[FAIL2BAN_NAME_MAX];
	enum { JAIL_DEFAULT, JAIL_ON, JAIL_OFF } state;
};

/* Looks. What cannot be read is as if it were not there. */
void fail2ban_read(struct host *host, struct fail2ban *ret);
void fail2ban_done(struct fail2ban *fail2ban);

/* One file of its configuration (jail.conf(5)): adds to @ret, over what earlier files said. */
void fail2ban_parse(const char *text, struct fail2ban *ret);

bool fail2ban_is_enabled(const struct fail2ban *fail2ban, const struct fail2ban_jail *jail);

#endif

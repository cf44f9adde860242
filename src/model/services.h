/* What a number means: the host's /etc/services first, then the IANA registry that is compiled in.
 */
#ifndef MODEL_SERVICES_H
#define MODEL_SERVICES_H

#include <stdint.h>

#include "model/socket.h"

enum port_class { CLASS_WELL_KNOWN, CLASS_REGISTERED, CLASS_DYNAMIC, CLASS_MAX };
extern const char *const class_words[CLASS_MAX + 1]; /* "well-known", "registered", "dynamic" */
enum port_class port_class(uint16_t port);

/* One line of the compiled registry (generated from data/iana-ports.tsv by tools/). */
struct registry_entry {
	uint16_t port;
	uint8_t proto;		    /* enum proto; what is neither tcp, udp nor sctp is left out */
	uint32_t name, description; /* offsets into registry_strings; 0 is "" */
};
extern const char registry_strings[];
extern const struct registry_entry registry_entries[]; /* sorted by port, then proto */
extern const uint32_t registry_n_entries;

struct service_name {
	uint16_t port;
	uint8_t proto;
	const char *name;
};

struct services { /* of the host; sorted by port, then proto */
	const struct service_name *names;
	uint32_t n;
};

/* The first name of @port or NULL. @services may be NULL. UDP-Lite is asked as UDP. */
const char *service_name(const struct services *services, enum proto proto, uint16_t port);
const char *service_description(enum proto proto, uint16_t port); /* IANA's, or NULL */
/* The port of a service name or alias; 0 when there is none. @proto PROTO_MAX: any (tcp before
 * udp). */
uint16_t service_port(const struct services *services, const char *name, enum proto proto);
/* The name nearest to @typed that begins with the same letter, or NULL. */
const char *service_nearest(const struct services *services, const char *typed);

#endif

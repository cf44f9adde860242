/* What a port's number means, before anybody is looked for behind it. TCP and UDP are two doors. */
#ifndef MODEL_EXPLANATION_H
#define MODEL_EXPLANATION_H

#include "model/netns.h"
#include "model/services.h"

#define EXPLANATION_USES_MAX 4

struct explained_proto {
	uint8_t proto;
	const char *service;	 /* the host's name for it, else the registry's; NULL */
	const char *iana;	 /* the registry's name; NULL: not assigned */
	const char *description; /* the registry's; NULL */
	const char *uses[EXPLANATION_USES_MAX], *risks[EXPLANATION_USES_MAX];
	uint8_t n_uses, n_risks;
};

struct explanation {
	uint16_t port;
	enum port_class class;
	bool is_range_known, is_ephemeral, is_reserved; /* here: in the namespace asked about */
	bool is_privileged; /* binding it needs a right (ip_unprivileged_port_start) */
	struct port_range ephemeral;
	uint16_t unprivileged_start;
	struct explained_proto protos[2]; /* tcp, udp */
	uint32_t asked; /* 1 << enum proto: of which it is told to a person; all at first */
};

/* @services and @netns may be NULL: then what they would say is unknown. */
void explain_port(uint16_t port, const struct services *services, const struct netns *netns,
		  struct explanation *ret);

#endif

/* What a port's number means. */
#include "model/explanation.h"
#include "model/port-uses.h"

/* The next entry for @port and @proto from *@at on, which starts at 0 and is moved behind it; NULL
 * at the end. */
static const struct port_use *next_use(uint32_t *at, enum proto proto, uint16_t port)
{
	for (uint32_t i = *at; i < port_n_uses && port_uses[i].port <= port; i++) {
		if (port_uses[i].port != port || port_uses[i].proto != proto)
			continue;
		*at = i + 1;
		return port_uses + i;
	}
	*at = port_n_uses;
	return NULL;
}

static const char *registry_name(enum proto proto, uint16_t port)
{
	return service_name(NULL, proto, port);
}

static void explain_proto(enum proto proto, uint16_t port, const struct services *services,
			  struct explained_proto *ret)
{
	*ret = (struct explained_proto){
		.proto = (uint8_t)proto,
		.service = service_name(services, proto, port),
		.iana = registry_name(proto, port),
		.description = service_description(proto, port),
	};
	uint32_t at = 0;
	for (const struct port_use *use; (use = next_use(&at, proto, port));) {
		if (use->is_risk && ret->n_risks < EXPLANATION_USES_MAX)
			ret->risks[ret->n_risks++] = use->text;
		else if (!use->is_risk && ret->n_uses < EXPLANATION_USES_MAX)
			ret->uses[ret->n_uses++] = use->text;
	}
}

void explain_port(uint16_t port, const struct services *services, const struct netns *netns,
		  struct explanation *ret)
{
	*ret = (struct explanation){.port = port, .class = port_class(port), .asked = UINT32_MAX};
	if (netns && netns->is_detailed) {
		ret->is_range_known = netns->ephemeral.last != 0;
		ret->ephemeral = netns->ephemeral;
		ret->is_ephemeral = netns_port_is_ephemeral(netns, port);
		ret->is_reserved = netns_port_is_reserved(netns, port);
		ret->unprivileged_start = netns->unprivileged_start;
		ret->is_privileged = port && port < netns->unprivileged_start;
	}
	explain_proto(PROTO_TCP, port, services, &ret->protos[0]);
	explain_proto(PROTO_UDP, port, services, &ret->protos[1]);
}

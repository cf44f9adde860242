/* Which targets are this host's although not this place's. */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include "base/attributes.h"
#include "scan/near.h"
#include "scan/syn.h"
#include "source/interfaces.h"
#include "source/netns.h"

void near_collect(struct host *host, struct targets *ret, struct arena *arena)
{
	const struct netns_scope all = {.choice = NETNS_ALL};
	struct vector places;
	struct error err = {0};
	vector_init(&places, sizeof(struct found_netns));
	if (netns_find(host, &all, NULL, &places, NULL, &err) < 0)
		places.n = 0;
	for (uint32_t i = 0; i < places.n; i++) {
		struct netns its = {0};
		if (interfaces_read(host, vector_at(&places, i), arena, &its, &err) >= 0)
			targets_add_own(ret, &its, true, &err);
	}
	netns_list_done(&places);
}

/* The interface is one end of a veth pair, or a bridge of such: nothing that leaves the host by
 * itself (ethtool(8) -i). */
static bool is_inside(const char *name)
{
	struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request = {.ifr_data = (char *)&driver};
	cleanup(closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request) < 0)
		return false;
	return strcmp(driver.driver, "veth") == 0 || strcmp(driver.driver, "bridge") == 0;
}

static bool goes_inside(const struct netns *place, const struct scan_target *target)
{
	struct ip from;
	if (syn_source(target, &from) < 0)
		return false;
	for (uint32_t i = 0; i < place->n_addresses; i++) {
		if (!ip_equal(&place->addresses[i].ip, &from))
			continue;
		const char *name = netns_interface_name(place, place->addresses[i].interface);
		return name && is_inside(name);
	}
	return false;
}

void near_mark(const struct netns *place, const struct targets *others, struct targets *targets)
{
	for (uint32_t i = 0; i < targets->list.n; i++) {
		struct scan_target *target = vector_at(&targets->list, i);
		struct ip from;
		/* a route of type local makes whole networks own; who goes there comes from there
		 */
		if (!target->is_own && syn_source(target, &from) >= 0 &&
		    ip_equal(&from, &target->ip)) {
			target->is_own = true;
			targets->n_foreign--;
		}
		for (uint32_t k = 0; !target->is_own && k < others->list.n; k++) {
			const struct scan_target *other = vector_at(&others->list, k);
			if (!ip_equal(&other->ip, &target->ip))
				continue;
			target->is_near = goes_inside(place, target);
			targets->n_foreign -= target->is_near;
			break;
		}
	}
}

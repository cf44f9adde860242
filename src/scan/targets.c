/* Whom a scan is for. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/socket.h>

#include "base/numbers.h"
#include "scan/targets.h"

struct range {
	struct ip first;
	unsigned bits; /* of 128 that are fixed */
	bool is_v4;
};

void targets_init(struct targets *targets)
{
	vector_init(&targets->list, sizeof(struct scan_target));
	targets->n_foreign = 0;
}

void targets_done(struct targets *targets)
{
	vector_done(&targets->list);
}

/* The address of a subnet that means all of it (RFC 919), of @place's own networks. */
static bool is_subnet_broadcast(const struct netns *place, const struct ip *ip)
{
	for (uint32_t i = 0; place && i < place->n_addresses; i++) {
		const struct interface_address *own = &place->addresses[i];
		if (!own->is_v4 || own->prefix >= 31 || own->prefix == 0)
			continue;
		struct ip last = own->ip;
		for (unsigned bit = 96u + own->prefix; bit < 128; bit++)
			last.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		/* 127.255.255.255 is an address of lo's broadcast, too */
		if (ip_equal(&last, ip) && !ip_equal(&own->ip, ip))
			return true;
	}
	return false;
}

/* Of an address that nobody should send to: why not, and what to type in its place. */
struct refusal {
	const char *why, *hint;
};

static const struct refusal refused_any = {
	"the unspecified address is no host's",
	"without a target every address of this host is scanned; 127.0.0.1 is its loopback"};
static const struct refusal refused_multicast = {
	"a multicast address is many hosts', each of which would get what is sent",
	"name the addresses of the hosts, or their network as 192.0.2.0/24"};
static const struct refusal refused_broadcast = {
	"the broadcast address is every host's, each of which would get what is sent",
	"name the addresses of the hosts, or their network as 192.0.2.0/24"};

/* NULL: it may be sent to. */
static const struct refusal *refusal(const struct netns *place, const struct ip *ip)
{
	switch (ip_reach(ip)) {
	case REACH_ANY:
		return &refused_any;
	case REACH_MULTICAST:
		return &refused_multicast;
	case REACH_BROADCAST:
		return &refused_broadcast;
	default:
		return is_subnet_broadcast(place, ip) ? &refused_broadcast : NULL;
	}
}

/* -EINVAL. */
static int too_many(const char *text, struct error *err)
{
	error_text(err, -EINVAL, "%.80s: more than %u addresses", text, TARGETS_MAX);
	error_hint(err, "part of them at a time; with --yes where all of them are yours to scan");
	return -EINVAL;
}

static bool has_target(const struct targets *targets, const struct ip *ip, uint32_t interface)
{
	for (uint32_t i = 0; i < targets->list.n; i++) {
		const struct scan_target *target = vector_at(&targets->list, i);
		if (ip_equal(&target->ip, ip) && target->interface == interface)
			return true;
	}
	return false;
}

static int add(struct targets *targets, const struct scan_target *target, bool may_repeat,
	       struct error *err)
{
	if (!may_repeat && has_target(targets, &target->ip, target->interface))
		return 0;
	if (targets->list.n >= TARGETS_MAX)
		return too_many("all targets together", err);
	struct scan_target *added = vector_add(&targets->list);
	if (!added)
		return error_set(err, -ENOMEM, "keep the targets");
	*added = *target;
	targets->n_foreign += !target->is_own;
	return 0;
}

static int check_and_add(struct targets *targets, struct scan_target target,
			 const struct netns *place, const char *text, struct error *err)
{
	const struct refusal *refused = refusal(place, &target.ip);
	if (refused) {
		error_text(err, -EINVAL, "%.80s: %s", text, refused->why);
		error_hint(err, "%s", refused->hint);
		return -EINVAL;
	}
	target.is_own = place && netns_has_address(place, &target.ip);
	return add(targets, &target, false, err);
}

static void next_address(struct ip *ip)
{
	for (int i = 15; i >= 0 && ++ip->bytes[i] == 0; i--)
		;
}

static int no_host(const char *text, struct error *err)
{
	error_text(err, -EINVAL, "%.80s: no address that may be sent to", text);
	error_hint(err, "%s", refused_multicast.hint);
	return -EINVAL;
}

/* Every address of a network but those that mean all of it. */
static int add_range(struct targets *targets, const struct range *range, const struct netns *place,
		     const char *text, struct error *err)
{
	unsigned free = 128 - range->bits;
	if (free > 20)
		return too_many(text, err);
	struct ip ip = range->first;
	uint64_t n = UINT64_C(1) << free;
	uint32_t before = targets->list.n;
	int r = vector_reserve(&targets->list, before + (uint32_t)n);
	for (uint64_t i = 0; r >= 0 && i < n; i++, next_address(&ip)) {
		if (range->is_v4 && free > 1 && (i == 0 || i == n - 1))
			continue;
		if (refusal(place, &ip)) {
			if (n > 1)
				continue;
			return check_and_add(targets, (struct scan_target){.ip = ip}, place, text,
					     err);
		}
		struct scan_target target = {.ip = ip, .is_v4 = range->is_v4};
		target.is_own = place && netns_has_address(place, &ip);
		/* a long list is not searched for each of a network: only what was typed before */
		r = add(targets, &target, before == 0 || n == 1, err);
	}
	if (r >= 0 && targets->list.n == before && n > 1)
		return no_host(text, err);
	return r;
}

static int no_network(const char *text, struct error *err)
{
	error_text(err, -EINVAL, "%.80s is no network", text);
	error_hint(err, "ADDRESS/PREFIX, as 192.0.2.0/28 or 2001:db8::/120");
	return -EINVAL;
}

static int parse_range(const char *text, struct range *ret, struct error *err)
{
	const char *slash = strchr(text, '/');
	uint32_t prefix;
	if (ip_parse(text, (size_t)(slash - text), &ret->first, &ret->is_v4) < 0 ||
	    number_u32(slash + 1, 0, ret->is_v4 ? 32 : 128, &prefix) < 0)
		return no_network(text, err);
	ret->bits = prefix + (ret->is_v4 ? 96 : 0);
	ret->is_v4 |= ip_is_mapped(&ret->first) && ret->bits >= 96;
	for (unsigned bit = ret->bits; bit < 128; bit++)
		ret->first.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return 0;
}

static bool from_sockaddr(const struct sockaddr *address, struct scan_target *ret)
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, address, sizeof(in));
		ret->ip = ip_from_v4((const uint8_t *)&in.sin_addr);
		ret->is_v4 = true;
		return true;
	}
	struct sockaddr_in6 in6;
	if (address->sa_family != AF_INET6)
		return false;
	memcpy(&in6, address, sizeof(in6));
	ret->ip = ip_from_v6((const uint8_t *)&in6.sin6_addr);
	ret->interface = in6.sin6_scope_id;
	ret->is_v4 = ip_is_mapped(&ret->ip);
	return true;
}

/* inet_aton(3) takes "10.1" for 10.0.0.1 and "1.2.3" for 1.2.0.3: who types that means another, or
 * does not know whom he asks. */
static int check_short(const char *text, struct error *err)
{
	struct in_addr address;
	char whole[INET_ADDRSTRLEN];
	if (!text[strspn(text, " \t\r\n")]) {
		error_text(err, -EINVAL, "a target is empty");
		error_hint(err, "without a target every address of this host is scanned");
		return -EINVAL;
	}
	if (!inet_aton(text, &address) || !inet_ntop(AF_INET, &address, whole, sizeof(whole)))
		return 0;
	error_text(err, -EINVAL, "%.80s is no whole address", text);
	error_hint(err, "four numbers: %s, where that is meant", whole);
	return -EINVAL;
}

static int add_name(struct targets *targets, const char *text, const struct netns *place,
		    struct arena *arena, int flags, struct error *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
	struct addrinfo *found = NULL;
	if (check_short(text, err) < 0)
		return -EINVAL;
	int failed = getaddrinfo(text, NULL, &hints, &found);
	if (failed == EAI_SYSTEM)
		return error_set(err, -errno, "look %.80s up", text);
	if (failed == EAI_MEMORY)
		return error_set(err, -ENOMEM, "look %.80s up", text);
	if (failed) {
		error_text(err, -EINVAL, "%.80s: %s", text, gai_strerror(failed));
		error_hint(err,
			   "an address, a network (192.0.2.0/28) or a name that is known here");
		return -EINVAL;
	}
	int r = 0;
	const char *name = arena_intern_string(arena, text);
	for (const struct addrinfo *at = found; at && r >= 0; at = at->ai_next) {
		struct scan_target target = {.name = name};
		if (from_sockaddr(at->ai_addr, &target))
			r = check_and_add(targets, target, place, text, err);
	}
	freeaddrinfo(found);
	return r;
}

static uint32_t interface_of(const struct netns *place, const char *name)
{
	uint32_t index;
	for (uint32_t i = 0; place && i < place->n_interfaces; i++)
		if (place->interfaces[i].name && strcmp(place->interfaces[i].name, name) == 0)
			return place->interfaces[i].index;
	if (number_u32(name, 1, INT32_MAX, &index) < 0)
		return 0;
	for (uint32_t i = 0; place && i < place->n_interfaces; i++)
		if (place->interfaces[i].index == index)
			return index;
	return 0;
}

/* The one interface that has the own link-local address @ip. */
static uint32_t own_interface(const struct netns *place, const struct ip *ip)
{
	for (uint32_t i = 0; place && i < place->n_addresses; i++)
		if (ip_equal(&place->addresses[i].ip, ip))
			return place->addresses[i].interface;
	return 0;
}

int targets_add(struct targets *targets, const char *text, const struct netns *place,
		struct arena *arena, struct error *err)
{
	struct range range;
	struct scan_target target = {0};
	size_t n = strlen(text);
	if (strchr(text, '/')) {
		int r = parse_range(text, &range, err);
		return r < 0 ? r : add_range(targets, &range, place, text, err);
	}
	if (n > 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	const char *percent = memchr(text, '%', n);
	size_t length = percent ? (size_t)(percent - text) : n;
	if (ip_parse(text, length, &target.ip, &target.is_v4) < 0)
		return add_name(targets, text, place, arena, AI_ADDRCONFIG, err);
	target.is_v4 |= ip_is_mapped(&target.ip); /* that is how the kernel writes it, too */
	if (percent && !interface_of(place, percent + 1)) {
		error_text(err, -EINVAL, "%.80s: there is no interface %.20s", text, percent + 1);
		error_hint(err, "`ip link` names those that there are");
		return -EINVAL;
	}
	if (ip_reach(&target.ip) == REACH_LINK_LOCAL && !target.is_v4) {
		target.interface = percent ? interface_of(place, percent + 1)
					   : own_interface(place, &target.ip);
		if (!target.interface) {
			error_text(err, -EINVAL, "%.80s: that is on a link, which may be any",
				   text);
			error_hint(err, "name the interface: ADDRESS%%NAME, as fe80::1%%eth0");
			return -EINVAL;
		}
	}
	return check_and_add(targets, target, place, text, err);
}

int targets_add_own(struct targets *targets, const struct netns *place, bool from_outside,
		    struct error *err)
{
	int r = 0;
	for (uint32_t i = 0; i < place->n_addresses && r >= 0; i++) {
		const struct interface_address *own = &place->addresses[i];
		bool is_up = false, is_loopback = ip_reach(&own->ip) == REACH_LOOPBACK;
		const bool is_link = ip_reach(&own->ip) == REACH_LINK_LOCAL && !own->is_v4;
		for (uint32_t k = 0; k < place->n_interfaces; k++)
			if (place->interfaces[k].index == own->interface)
				is_up = place->interfaces[k].is_up;
		if (!is_up || own->is_tentative || (from_outside && (is_loopback || is_link)))
			continue;
		const struct scan_target target = {.ip = own->ip,
						   .is_v4 = own->is_v4,
						   .is_own = true,
						   .interface = is_link ? own->interface : 0};
		r = add(targets, &target, false, err);
	}
	return r;
}

int targets_add_list(struct targets *targets, const char *text, const struct netns *place,
		     struct arena *arena, struct error *err)
{
	cleanup(freep) char *copy = strdup(text);
	if (!copy)
		return error_set(err, -ENOMEM, "read the targets");
	char *next = copy;
	for (char *line; (line = strsep(&next, "\n"));) {
		line[strcspn(line, "#")] = '\0';
		char *rest = NULL;
		for (char *word = strtok_r(line, " \t\r,", &rest); word;
		     word = strtok_r(NULL, " \t\r,", &rest)) {
			int r = targets_add(targets, word, place, arena, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static bool is_excluded(const struct scan_target *target, const struct targets *others)
{
	for (uint32_t i = 0; others && i < others->list.n; i++) {
		const struct scan_target *other = vector_at(&others->list, i);
		if (ip_equal(&target->ip, &other->ip))
			return true;
	}
	return false;
}

static void take_out(struct targets *targets, const struct range *range,
		     const struct targets *others)
{
	uint32_t kept = 0;
	targets->n_foreign = 0;
	for (uint32_t i = 0; i < targets->list.n; i++) {
		const struct scan_target target =
			*(struct scan_target *)vector_at(&targets->list, i);
		if (range ? ip_in_prefix(&target.ip, &range->first, range->bits)
			  : is_excluded(&target, others))
			continue;
		*(struct scan_target *)vector_at(&targets->list, kept++) = target;
		targets->n_foreign += !target.is_own;
	}
	targets->list.n = kept;
}

static int exclude_one(struct targets *targets, const char *word, struct arena *arena,
		       struct error *err)
{
	struct range range;
	struct ip ip;
	bool is_v4;
	if (strchr(word, '/')) {
		int r = parse_range(word, &range, err);
		if (r >= 0)
			take_out(targets, &range, NULL);
		return r;
	}
	if (ip_parse(word, strlen(word), &ip, &is_v4) >= 0) {
		range = (struct range){.first = ip, .bits = 128};
		take_out(targets, &range, NULL);
		return 0;
	}
	struct targets others;
	targets_init(&others);
	int r = add_name(&others, word, NULL, arena, 0, err); /* all that it may mean */
	if (r >= 0)
		take_out(targets, NULL, &others);
	targets_done(&others);
	return r;
}

int targets_exclude(struct targets *targets, const char *text, struct arena *arena,
		    struct error *err)
{
	cleanup(freep) char *copy = strdup(text);
	char *rest = NULL;
	if (!copy)
		return error_set(err, -ENOMEM, "read --exclude");
	for (char *word = strtok_r(copy, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest)) {
		int r = exclude_one(targets, word, arena, err);
		if (r < 0)
			return r;
	}
	return 0;
}

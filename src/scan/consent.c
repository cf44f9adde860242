/* Before anything is sent: how much it is, whether that was allowed, and who may mind. */
#include <errno.h>

#include "scan/consent.h"
#include "source/fail2ban.h"

#define PROBES_MAX (64u << 20) /* of a place: what is kept of each is 8 bytes */

uint64_t consent_each(const struct scan_request *request, uint32_t n_ports)
{
	uint64_t n_protos = 0;
	for (unsigned i = 0; i < PROTO_MAX; i++)
		n_protos += request->protos[i];
	return n_ports * n_protos;
}

int consent_to_doors(uint64_t each, const struct targets *targets, struct error *err)
{
	if (each * targets->list.n <= PROBES_MAX)
		return 0;
	error_text(err, -EINVAL, "%llu doors are more than fit in memory",
		   (unsigned long long)(each * targets->list.n));
	error_hint(err, "fewer ports with -p, or part of the addresses at a time");
	return -EINVAL;
}

int consent_to_foreign(const struct scan_request *request, uint64_t each, uint64_t n_foreign,
		       uint32_t n_places, struct error *err)
{
	char from[64] = "";
	if (n_foreign <= TARGETS_UNASKED_MAX || request->is_sure)
		return 0;
	if (n_places > 1)
		snprintf(from, sizeof(from), ", from %u network namespaces together,", n_places);
	error_text(err, -EINVAL,
		   "%llu addresses that are not this host's%s would get %llu probes or more",
		   (unsigned long long)n_foreign, from, (unsigned long long)(each * n_foreign));
	error_hint(err, "--yes where all of them are yours to scan");
	return -EINVAL;
}

/* Whom a name means is said before anything is sent to him: all of them. */
static void say_names(const struct scan_request *request, const struct targets *targets)
{
	const char *last = NULL;
	char text[512] = "", address[64];
	size_t used = 0;
	for (uint32_t i = 0; i <= targets->list.n; i++) {
		const struct scan_target *target =
			i < targets->list.n ? vector_at(&targets->list, i) : NULL;
		bool is_named = target && target->name && !target->is_own;
		bool goes_on = is_named && last && strcmp(last, target->name) == 0;
		if (used && (!goes_on || used > sizeof(text) - sizeof(address) - 4)) {
			request->warn(text, request->data);
			used = 0;
		}
		last = is_named ? target->name : NULL;
		if (!is_named)
			continue;
		size_t n = ip_format(address, &target->ip, target->is_v4);
		used += (size_t)(used ? snprintf(text + used, sizeof(text) - used, ", %.*s", (int)n,
						 address)
				      : snprintf(text, sizeof(text), "%.255s is %.*s", last, (int)n,
						 address));
	}
}

void consent_announce(const struct scan_request *request, uint64_t each,
		      const struct targets *targets)
{
	if (targets->n_foreign && request->warn)
		say_names(request, targets);
	if (targets->n_foreign && request->announce)
		request->announce(targets->n_foreign, each * targets->n_foreign, request->data);
}

void consent_warn_of_guard(struct host *host, const struct scan_request *request,
			   const struct targets *targets)
{
	struct fail2ban guard;
	char names[256] = "", text[512];
	size_t n = 0;
	if (targets->n_foreign == targets->list.n || !request->warn)
		return;
	fail2ban_read(host, &guard);
	for (uint32_t i = 0; i < guard.jails.n && n < sizeof(names); i++) {
		const struct fail2ban_jail *jail = vector_at(&guard.jails, i);
		if (fail2ban_is_enabled(&guard, jail))
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", n ? ", " : "",
					      jail->name);
	}
	bool spares_us = guard.ignores_self && !request->from;
	snprintf(text, sizeof(text), "fail2ban watches this host (%s%s): %s%s",
		 n ? "jails " : "no jail of it is known", names,
		 spares_us ? "it may write down what is asked, but its ignoreself spares own "
			     "addresses"
			   : "what is asked may count as an attack, and shut out who asks",
		 request->identifies ? "; --no-identify asks no server anything" : "");
	if (guard.is_running)
		request->warn(text, request->data);
	fail2ban_done(&guard);
}

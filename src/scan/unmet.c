/* Rules that name the real interface: one who comes in by another does not meet them. */
#include <fcntl.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/module.h"
#include "nft/nft.h"
#include "scan/unmet.h"

#define TOLD_MAX 10

struct telling {
	struct scan *scan;
	uint32_t n;
};

static void tell(void *data, const struct nft_rule *rule)
{
	struct telling *telling = data;
	if (telling->n++ < TOLD_MAX)
		scan_note(telling->scan, "not met: %s (chain %s, table %s %s)", rule->text,
			  rule->chain, rule->family, rule->table);
}

/* iptables' own tables, of before nf_tables. */
static bool has_legacy(void)
{
	static const char *const names[] = {"/proc/thread-self/net/ip_tables_names",
					    "/proc/thread-self/net/ip6_tables_names"};
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		char byte;
		cleanup(closep) int fd = open(names[i], O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && read(fd, &byte, 1) == 1)
			return true;
	}
	return false;
}

int unmet_note(struct scan *scan, const char *link)
{
	struct error err = {0};
	struct telling telling = {.scan = scan};
	const struct nft *nft = module_get("nft", NFT_VERSION, &err);
	int r = scan_note(scan,
			  "the stranger came in by %s: rules that name another interface were not "
			  "met as from there",
			  link);
	if (!nft || nft->find_interfaces(tell, &telling, &err) < 0)
		r = scan_note(scan, "which rules those are is not known: %s", err.what);
	if (telling.n > TOLD_MAX)
		r = scan_note(scan, "not met: %u more rules", telling.n - TOLD_MAX);
	if (has_legacy())
		r = scan_note(scan, "rules of iptables' own tables (legacy) were not looked at");
	return r;
}

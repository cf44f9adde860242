/* Servers of HTTP that are something else than a web server: by their Server header. */
#include <string.h>

#include "scan/identify/http.h"

bool http_read_printer(const struct http_answer *answer, struct identified *seen)
{
	const char *version = strstr(answer->server, "IPP/");
	if (!version || answer->ask != ASK_ROOT) /* "CUPS/2.4 IPP/2.1" */
		return false;
	keep_service(seen, "ipp");
	KEEP(seen->protocol_version, version + 4, strcspn(version + 4, " "));
	return true;
}

bool http_read_proxy(const struct http_answer *answer, struct identified *seen)
{
	static const char *const proxies[] = {"squid", "tinyproxy", "Privoxy", "polipo", NULL};
	for (unsigned i = 0; proxies[i] && answer->ask == ASK_ROOT; i++) {
		if (strncmp(answer->server, proxies[i], strlen(proxies[i])) == 0) {
			keep_service(seen, "http-proxy");
			return true;
		}
	}
	return false;
}

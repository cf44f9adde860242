/* The Docker Engine API, and Podman's that is made like it (Engine API reference: /version). */
#include <string.h>

#include "scan/identify/http.h"

bool http_read_docker(const struct http_answer *answer, struct identified *seen)
{
	char api[IDENTIFIED_WORD_MAX];
	if (answer->ask == ASK_ROOT) {
		if (strncmp(answer->server, "Docker/", 7) != 0 &&
		    strncmp(answer->server, "Libpod/", 7) != 0)
			return false;
		keep_service(seen, "docker");
		return true;
	}
	if (answer->ask != ASK_VERSION || answer->status != 200 ||
	    !keep_json(answer->body, answer->n, "ApiVersion", api, sizeof(api)))
		return false;
	keep_service(seen, "docker");
	seen->product[0] = '\0';
	if (find_text(answer->body, answer->n, "\"Podman Engine\""))
		KEEP(seen->product, "Podman", 6);
	else if (find_text(answer->body, answer->n, "\"Docker Engine") ||
		 strncmp(answer->server, "Docker/", 7) == 0)
		KEEP(seen->product, "Docker", 6);
	keep_json(answer->body, answer->n, "Version", seen->version, sizeof(seen->version));
	KEEP(seen->protocol_version, api, strlen(api));
	seen->findings |= FINDING(NO_PASSWORD);
	return true;
}

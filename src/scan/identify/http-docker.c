/* The Docker Engine API, and Podman's that is made like it (Engine API reference): /_ping answers
 * at once and names server and API; /version starts other programs first, which takes Podman
 * seconds, and is asked only where that failed. */
#include <string.h>

#include "scan/identify/http.h"

static bool is_engine(const char *server)
{
	return strncmp(server, "Docker/", 7) == 0 || strncmp(server, "Libpod/", 7) == 0;
}

/* "Docker/20.10.24 (linux)", "Libpod/4.3.1 (linux)" */
static bool read_ping(const struct http_answer *answer, struct identified *seen)
{
	if (answer->status != 200 || !is_engine(answer->server))
		return false;
	keep_service(seen, "docker");
	const char *product = answer->server[0] == 'L' ? "Podman" : "Docker";
	KEEP(seen->product, product, strlen(product));
	KEEP(seen->version, answer->server + 7, strcspn(answer->server + 7, " "));
	KEEP(seen->protocol_version, answer->api, strlen(answer->api));
	return true;
}

static bool read_version(const struct http_answer *answer, struct identified *seen)
{
	char api[IDENTIFIED_WORD_MAX];
	if (answer->status != 200 ||
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

bool http_read_docker(const struct http_answer *answer, struct identified *seen)
{
	switch (answer->ask) {
	case ASK_ROOT:
		if (!is_engine(answer->server))
			return false;
		keep_service(seen, "docker");
		return true;
	case ASK_PING:
		return read_ping(answer, seen);
	case ASK_VERSION:
		return read_version(answer, seen);
	case ASK_CONTAINERS: /* only asked of one that is known */
		if (answer->status == 200 && answer->n > 0 && answer->body[0] == '[')
			seen->findings |= FINDING(NO_PASSWORD);
		return true;
	default:
		return false;
	}
}

bool http_may_be_engine(const struct http_answer *answer)
{
	return answer->ask == ASK_ROOT && answer->status == 404 &&
	       (is_engine(answer->server) || begins(answer->body, answer->n, "Not Found"));
}

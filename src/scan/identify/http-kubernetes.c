/* The Kubernetes API server and the kubelet (Kubernetes API reference; kubelet authorization). */
#include <string.h>

#include "scan/identify/http.h"

static bool read_kubelet(const struct http_answer *answer, struct identified *seen)
{
	bool gives = answer->ask == ASK_PODS && answer->status == 200 &&
		     find_text(answer->body, answer->n, "\"PodList\"");
	bool refuses = answer->status == 403 &&
		       find_text(answer->body, answer->n, "resource=nodes") &&
		       find_text(answer->body, answer->n, "subresource=");
	if (!gives && !refuses)
		return false;
	keep_service(seen, "kubelet");
	if (gives)
		seen->findings |= FINDING(NO_PASSWORD);
	return true;
}

bool http_read_kubernetes(const struct http_answer *answer, struct identified *seen)
{
	char word[IDENTIFIED_TEXT_MAX];
	if (read_kubelet(answer, seen))
		return true;
	if (answer->ask == ASK_VERSION && answer->status == 200 &&
	    keep_json(answer->body, answer->n, "gitVersion", word, sizeof(word)) &&
	    find_text(answer->body, answer->n, "\"gitTreeState\"")) {
		keep_service(seen, "kubernetes");
		KEEP(seen->product, "Kubernetes", 10);
		KEEP(seen->version, word, strlen(word));
		return true;
	}
	if (answer->ask != ASK_ROOT)
		return false;
	bool is_status = keep_json(answer->body, answer->n, "kind", word, sizeof(word)) &&
			 strcmp(word, "Status") == 0 &&
			 keep_json(answer->body, answer->n, "apiVersion", word, sizeof(word)) &&
			 strcmp(word, "v1") == 0;
	bool is_list = answer->status == 200 && find_text(answer->body, answer->n, "\"paths\"") &&
		       find_text(answer->body, answer->n, "\"/api/v1\"");
	if (!is_status && !is_list)
		return false;
	keep_service(seen, "kubernetes");
	if (is_list)
		seen->findings |= FINDING(NO_PASSWORD);
	return true;
}

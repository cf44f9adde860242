/* Elasticsearch and OpenSearch name themselves at the root (REST API reference: /). */
#include <string.h>

#include "scan/identify/http.h"

bool http_read_elasticsearch(const struct http_answer *answer, struct identified *seen)
{
	char word[IDENTIFIED_WORD_MAX];
	if (answer->ask != ASK_ROOT)
		return false;
	if (answer->status == 401 && find_text(answer->body, answer->n, "\"security_exception\"")) {
		keep_service(seen, "elasticsearch");
		return true;
	}
	if (!keep_json(answer->body, answer->n, "tagline", word, sizeof(word)) ||
	    !find_text(answer->body, answer->n, "\"cluster_name\""))
		return false;
	keep_service(seen, "elasticsearch");
	if (keep_json(answer->body, answer->n, "distribution", word, sizeof(word)))
		KEEP(seen->product, "OpenSearch", 10);
	else
		KEEP(seen->product, "Elasticsearch", 13);
	keep_json(answer->body, answer->n, "number", seen->version, sizeof(seen->version));
	seen->findings |= FINDING(NO_PASSWORD);
	return true;
}

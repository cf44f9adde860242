/* etcd: its versions at /version; and whether a stranger may read keys. */
#include <string.h>

#include "scan/identify/http.h"

bool http_read_etcd(const struct http_answer *answer, struct identified *seen)
{
	if (answer->ask == ASK_KEYS) { /* only asked of an etcd */
		if (answer->status == 200)
			seen->findings |= FINDING(NO_PASSWORD);
		return true;
	}
	if (answer->ask != ASK_VERSION || answer->status != 200 ||
	    !keep_json(answer->body, answer->n, "etcdserver", seen->version, sizeof(seen->version)))
		return false;
	keep_service(seen, "etcd");
	KEEP(seen->product, "etcd", 4);
	return true;
}

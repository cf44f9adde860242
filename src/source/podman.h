/* What Podman keeps of its containers: to which of their ports one of the host leads. */
#ifndef SOURCE_PODMAN_H
#define SOURCE_PODMAN_H

#include "model/socket.h"
#include "source/host.h"

/* The database that was read last: mostly there is one. */
struct podman {
	const struct host *host;
	char storage[512]; /* its folder, beneath the host's root */
	char *text;
	size_t n;
};

void podman_init(struct podman *podman, const struct host *host);
void podman_done(struct podman *podman);

/* The port of container @id that the host's @port of @proto leads to, 0 where that is not known.
 * @bundle is conmon's word (-b) for the container's folder, as process @pid sees it. */
uint16_t podman_port(struct podman *podman, int32_t pid, const char *bundle, const char *id,
		     enum proto proto, uint16_t port);

/* The same in a database's text, where nothing stands between the parts of a long value. Pure. */
uint16_t podman_parse_port(const char *text, size_t n, const char *id, enum proto proto,
			   uint16_t port);

/* Takes what SQLite puts between the pages of a long value out of the @n bytes of its file; the
 * length of what stays. A file of another kind stays as it is. Pure. */
size_t podman_join_pages(char *bytes, size_t n);

#endif

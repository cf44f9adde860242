/* Which units a systemd timer of their own name starts. */
#include <errno.h>
#include <fcntl.h>

#include "source/timers.h"

#define SUFFIX ".service"

static bool has_timer(const struct host *host, const char *unit)
{
	static const char *const places[] = {"etc/systemd/system",    "run/systemd/system",
					     "run/systemd/transient", "usr/lib/systemd/system",
					     "lib/systemd/system",    "etc/systemd/user",
					     "run/systemd/user",      "usr/lib/systemd/user"};
	size_t n = strlen(unit);
	if (n <= strlen(SUFFIX) || strcmp(unit + n - strlen(SUFFIX), SUFFIX) != 0 ||
	    strchr(unit, '/'))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		cleanup(closep) int fd = host_openat(host, O_PATH, "%s/%.*s.timer", places[i],
						     (int)(n - strlen(SUFFIX)), unit);
		if (fd >= 0)
			return true;
	}
	return false;
}

static bool is_there(const struct vector *units, const char *unit)
{
	for (uint32_t i = 0; i < units->n; i++)
		if (*(const char **)vector_at(units, i) == unit)
			return true;
	return false;
}

static int add(struct vector *ret, const char *unit)
{
	const char **added = vector_add(ret);
	if (!added)
		return -ENOMEM;
	*added = unit;
	return 0;
}

int timers_find(const struct host *host, const struct snapshot *snapshot, struct vector *ret)
{
	for (uint32_t i = 0; i < snapshot->processes.n; i++) {
		const char *unit = snapshot_process(snapshot, i)->unit;
		if (!unit || is_there(ret, unit) || !has_timer(host, unit))
			continue;
		int r = add(ret, unit);
		if (r < 0)
			return r;
	}
	return add(ret, NULL);
}

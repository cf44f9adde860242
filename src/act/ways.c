/* Every way of closing. */
#include "act/way.h"

extern const struct way_to_close way_unit, way_container, way_process, way_socket, way_release;

static const struct way_to_close *const ways[WAY_MAX] = {
	[WAY_UNIT] = &way_unit,	    [WAY_CONTAINER] = &way_container, [WAY_PROCESS] = &way_process,
	[WAY_SOCKET] = &way_socket, [WAY_RELEASE] = &way_release,
};

const struct way_to_close *way_find(enum way way)
{
	return way < WAY_MAX ? ways[way] : NULL;
}

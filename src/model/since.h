/* What became of the sockets of a snapshot since the one before, where that is kept no longer. */
#ifndef MODEL_SINCE_H
#define MODEL_SINCE_H

#include <stdint.h>

struct since {
	uint64_t gone[2]
		     [1024]; /* a bit for each door of TCP and of UDP of which a socket is gone */
	uint32_t n_new, n_changed, n_gone;
	uint8_t change[]; /* enum change of each socket: none, changed or new */
};

void since_free(struct since *since); /* NULL is fine */

#endif

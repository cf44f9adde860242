/* How a snapshot is put together again from a saved file. Only for source/saved*.c. */
#ifndef SOURCE_SAVED_RESTORE_H
#define SOURCE_SAVED_RESTORE_H

#include <jansson.h>

#include "base/error.h"
#include "base/table.h"
#include "model/services.h"
#include "model/snapshot.h"

/* What a snapshot works out at its sealing, unless the file tells it. */
enum restore_told {
	TOLD_ROLE = 1 << 0,
	TOLD_TWO_OWNERS = 1 << 1,
	TOLD_PEERS = 1 << 2,
	TOLD_NAMESPACES = 1 << 3, /* which of them is our own */
};

struct restore {
	struct snapshot *snapshot;
	const char *name; /* of the file, for messages */
	struct vector
		interfaces;	/* struct restore_interface: names whose number is not yet known */
	struct vector services; /* struct service_name */
	struct vector peers;	/* struct restore_peer */
	struct vector ranges;	/* struct restore_range, of the namespace of that index */
	struct table by_netns, by_pid, by_uid, by_service, by_container, by_inode;
	uint32_t told;	     /* enum restore_told */
	bool is_cut;	     /* the file ends early */
	bool has_broken_end; /* a dump's mark carries an error */
	bool has_absent;     /* or says that the kernel cannot list such sockets */
	/* Of the object being read: the first key that is wrong, and no memory. */
	const char *wrong;
	bool has_no_memory;
};

struct restore_interface {
	uint32_t netns; /* index */
	const char *name;
};

/* What the sockets' `ephemeral` says of a namespace's range, where nothing else tells it. */
struct restore_range {
	uint16_t first, last;	  /* of the ports that are in it; 0: none */
	bool is_told, is_unusual; /* not the kernel's own default */
};

struct restore_peer {
	uint32_t socket, process; /* indexes */
};

int restore_init(struct restore *restore, const char *name);
void restore_done(struct restore *restore);
/* Seals and gives it away. 0 or -ENOMEM. */
int restore_finish(struct restore *restore, struct snapshot **ret);

/* The JSON and JSON lines that view/json.c writes; the dumps of `ss -D` (or of our recorder, whose
 * requests have RESTORE_SEQUENCE + the protocol's number as nlmsg_seq). 0; -EINVAL with @err told.
 */
int restore_json(struct restore *restore, const char *bytes, size_t n, struct error *err);
int restore_dumps(struct restore *restore, const char *bytes, size_t n, struct error *err);

/* One socket, one entry of `namespaces`, and what stands around them. 0 or -ENOMEM;
 * restore->wrong is the key that cannot be. */
int restore_socket(struct restore *restore, json_t *object);
int restore_namespace(struct restore *restore, json_t *object);
int restore_envelope(struct restore *restore, json_t *object);

/* Values by key. Absent and null are unknown; another type or range is told in restore->wrong. */
bool restore_number(struct restore *restore, json_t *object, const char *key, uint64_t max,
		    uint64_t *ret);
bool restore_real(struct restore *restore, json_t *object, const char *key, double *ret);
int restore_bool(struct restore *restore, json_t *object, const char *key);	    /* or -1 */
const char *restore_text(struct restore *restore, json_t *object, const char *key); /* or NULL */
int restore_word(struct restore *restore, json_t *object, const char *key, const char *const *words,
		 int n); /* its index, or -1 */

/* Indexes of things that are known by a number, added where they are new. NONE: no memory. */
uint32_t restore_netns(struct restore *restore, uint64_t inode);
uint32_t restore_process(struct restore *restore, int32_t pid, double start_time);
void restore_user(struct restore *restore, uint32_t uid, const char *name);
/* Of a socket with a namespace. */
void restore_ephemeral(struct restore *restore, const struct socket *socket, bool is_ephemeral);
uint32_t restore_container(struct restore *restore, json_t *object, const char *key);

#define RESTORE_SEQUENCE 0x646f6f00u

#endif

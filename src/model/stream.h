/* The sockets of a host one after another, each whole as in a snapshot while it is looked at and
 * forgotten with the next. What they share (processes, namespaces, users) stands in a sealed
 * snapshot; they themselves wait packed (model/packed.h). */
#ifndef MODEL_STREAM_H
#define MODEL_STREAM_H

#include "base/slots.h"
#include "model/packed.h"

struct stream {
	struct snapshot *snapshot; /* of its sockets only those in `whole`, and the current one */
	struct packed *packed;
	struct vector whole;	  /* uint32_t: records whose socket is in the snapshot, in order */
	struct vector peers;	  /* uint32_t: for each record that of its other end, or NONE */
	struct slots listeners;	  /* records of servers, by address and port */
	struct packed_one one;	  /* the current one */
	uint32_t n_whole, n_told; /* of `whole`; those that were current already */
	uint32_t n_holders;	  /* of the snapshot without the current socket's */
};

struct stream *stream_new(void); /* NULL: no memory */
void stream_free(struct stream *stream);

/* The socket of @record is put into the snapshot with its holders, to be looked up there. In the
 * order of records; before the seal. 0 or -ENOMEM. */
int stream_add_whole(struct stream *stream, const struct packed_one *one);

/* Works out what follows from the whole, as snapshot_seal() does, once the packed sockets are
 * settled and the snapshot is sealed. 0 or -ENOMEM. */
int stream_seal(struct stream *stream);

/* The holders of @one to @socket of the snapshot, after those that it has. 0 or -ENOMEM. */
int stream_hold(struct snapshot *snapshot, uint32_t socket, const struct packed_one *one);

/* The next socket, at *@ret_index of the snapshot until the next call. 1, 0: there are no more, or
 * -ENOMEM. */
int stream_next(struct stream *stream, uint32_t *ret_index);

/* It was broken off: what has not come is missing. 0 or -ENOMEM. */
int stream_break(struct stream *stream);

#endif

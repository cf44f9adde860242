/* What stream.c and stream-seal.c have in common. Only for them. */
#ifndef MODEL_STREAM_SEAL_H
#define MODEL_STREAM_SEAL_H

#include "model/stream.h"

/* The index of a record's socket in the snapshot, or NONE. */
uint32_t stream_whole(const struct stream *stream, uint32_t record);
/* Somebody takes what comes to this end of the connection. */
bool stream_has_listener(const struct stream *stream, const struct socket *connection);

#endif

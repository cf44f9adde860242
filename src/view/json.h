/* JSON: one object with all that a snapshot says, or a line a socket. Keys come from the field
 * registry. */
#ifndef VIEW_JSON_H
#define VIEW_JSON_H

#include "model/rows.h"

#define JSON_SCHEMA "doorward/1"

/* The fields that an object shows, made once, for the sockets of one snapshot: it remembers what it
 * wrote last. */
struct json_shape;
/* @fields NULL: all that JSON has without being asked; else those. NULL: no memory. */
struct json_shape *json_shape_new(const struct field *const *fields);
/* What every JSON has of a socket; @has_parents: and who started its holders. NULL: no memory. */
struct json_shape *json_shape_all(bool has_parents);
void json_shape_free(struct json_shape *shape);

/* {"proto":...,"holders":[...]} */
void json_socket(struct out *out, struct json_shape *shape, const struct snapshot *snapshot,
		 uint32_t socket);
/* The same keys of the socket alone, without braces and without holders. */
void json_socket_keys(struct out *out, const struct json_shape *shape,
		      const struct snapshot *snapshot, uint32_t socket);
/* The keys of a holder, without braces: what stands before its descriptor, and what behind it, a
 * comma first. */
void json_holder_keys(struct out *before, struct out *behind, const struct json_shape *shape,
		      const struct record *record);
/* "schema":...,"host":...,...,"missing":[...] without the braces around. */
void json_envelope(struct out *out, const struct snapshot *snapshot);
void json_missing(struct out *out, const struct snapshot *snapshot);
/* The same of a list of struct missing; NULL: an empty one. */
void json_missing_list(struct out *out, const struct vector *missing);
/* [{"netns":...,"addresses":[...]},...] */
void json_namespaces(struct out *out, const struct snapshot *snapshot);
/* The whole object. */
void json_print(struct out *out, const struct rows *rows, struct json_shape *shape);
/* The last line of jsonl. */
void json_end(struct out *out, const struct snapshot *snapshot);
/* "text" or null. */
void json_text(struct out *out, const char *text);

#endif

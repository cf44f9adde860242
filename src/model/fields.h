/* The tables that the registry is made of, and what they share. Only for model/field*.c. */
#ifndef MODEL_FIELDS_H
#define MODEL_FIELDS_H

#include "model/field.h"

/* A NULL name ends each. */
extern const struct field fields_socket[], fields_process[], fields_tcp[];

/* "docker web" or "docker 0123456789ab"; NULL for none. @scratch of 256 bytes. */
const char *field_container_text(const struct container *container, char *scratch);
/* {"engine":...,"id":...,"name":...} or null. */
void field_container_json(const struct container *container, struct out *out);

#endif

/* The tables that the registry is made of, and what they share. Only for model/field*.c. */
#ifndef MODEL_FIELDS_H
#define MODEL_FIELDS_H

#include "model/field.h"

/* A NULL name ends each. */
extern const struct field fields_socket[], fields_process[], fields_tcp[], fields_event[];

/* "docker web" or "docker 0123456789ab"; NULL for none. @scratch of 256 bytes. */
const char *field_container_text(const struct container *container, char *scratch);
/* @text is its engine, its name or the beginning of its id. @container may be NULL. */
bool field_container_is(const struct container *container, const char *text);
/* @text is its name, or what it runs. @process may be NULL. */
bool field_process_is(const struct process *process, const char *text);
/* @text is the unit, with or without ".service" and the like. @unit may be NULL. */
bool field_unit_is(const char *unit, const char *text);
bool field_is_number(uint64_t number, const char *text);
/* {"engine":...,"id":...,"name":...} or null. */
void field_container_json(const struct container *container, struct out *out);

/* {"pid":...,"name":...,"exe":...} or null. */
void field_process_json(const struct process *process, struct out *out);

#endif

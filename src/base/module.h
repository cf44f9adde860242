/* Heavy libraries stand behind modules that are loaded at first use (docs/architecture.md). A
 * module is a folder that shows one table of functions under its name, as the one symbol
 * `const struct module doorward_module`. With -Dmodules=builtin they are linked in instead, and
 * stand in `const struct module *const modules_builtin[]`, NULL-terminated. */
#ifndef BASE_MODULE_H
#define BASE_MODULE_H

#include "base/error.h"

struct module {
	const char *name;      /* "history" */
	unsigned version;      /* of its table; one that differs is refused */
	const void *functions; /* the table that the folder's header declares */
};

/* The functions of @name, loaded from $libdir/doorward at first use (or built in); NULL and @err
 * told -ENOTSUP with the package as hint where it is absent. */
const void *module_get(const char *name, unsigned version, struct error *err);

/* NULL, or why module_get would fail; for `version`. */
const char *module_absent(const char *name);

#endif

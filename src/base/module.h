/* Heavy libraries stand behind modules that are loaded at first use (docs/architecture.md). A
 * module is a folder that shows one table of functions under its name, by MODULE_DEFINE. With
 * -Dmodules=builtin they are linked in instead, and stand in
 * `const struct module *const modules_builtin[]` (cmd/modules.c), NULL-terminated. */
#ifndef BASE_MODULE_H
#define BASE_MODULE_H

#include "base/error.h"

struct module {
	const char *name;      /* "history" */
	unsigned version;      /* of its table; one that differs is refused */
	const void *functions; /* the table that the folder's header declares */
};

/* `MODULE_DEFINE(nft) = {.name = "nft", ...};` in one file of the folder: the one symbol that a
 * loaded module shows. */
#ifdef MODULES_BUILTIN
#define MODULE_DEFINE(folder)                       \
	extern const struct module module_##folder; \
	const struct module module_##folder
#else
#define MODULE_DEFINE(folder)                                                              \
	extern const struct module doorward_module __attribute__((visibility("default"))); \
	const struct module doorward_module
#endif

/* The functions of @name: built in, or loaded at first use, from beside the program (a build
 * tree) or from $libdir/doorward. NULL and @err told -ENOTSUP, with the package as hint, where it
 * is absent. */
const void *module_get(const char *name, unsigned version, struct error *err);

/* NULL, or why module_get would fail; for `version`. */
const char *module_absent(const char *name);

#endif

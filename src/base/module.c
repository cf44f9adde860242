/* Modules, loaded at first use. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/module.h"

#ifndef MODULE_DIRECTORY
#define MODULE_DIRECTORY "/usr/local/lib/doorward"
#endif
#define MODULES_MAX 16

static const struct module *loaded[MODULES_MAX];

const void *module_get(const char *name, unsigned version, struct error *err)
{
	unsigned i = 0;
	for (; i < MODULES_MAX && loaded[i]; i++)
		if (strcmp(loaded[i]->name, name) == 0)
			return loaded[i]->functions;

	char path[256];
	snprintf(path, sizeof(path), "%s/%s.so", MODULE_DIRECTORY, name);
	void *library = i < MODULES_MAX ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
	const struct module *module = library ? dlsym(library, "doorward_module") : NULL;
	if (!module || strcmp(module->name, name) != 0 || module->version != version) {
		error_text(err, -ENOTSUP, "the module %s is %s", name,
			   module ? "of another version" : "not installed");
		error_hint(err, "install the package doorward-%s of this version", name);
		if (library)
			dlclose(library);
		return NULL;
	}
	loaded[i] = module;
	return module->functions;
}

const char *module_absent(const char *name)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s.so", MODULE_DIRECTORY, name);
	return access(path, R_OK) == 0 ? NULL : "not installed";
}

/* Modules, loaded at first use or linked in. */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/module.h"

#ifndef MODULE_DIRECTORY
#define MODULE_DIRECTORY "/usr/local/lib/doorward"
#endif
#define MODULES_MAX 16

/* Nobody need define it: then nothing is linked in. */
extern const struct module *const modules_builtin[] __attribute__((__weak__));

static const struct module *loaded[MODULES_MAX];

/* The one that is here already; NULL: none. */
static const struct module *find(const char *name)
{
	for (unsigned i = 0; modules_builtin && modules_builtin[i]; i++)
		if (strcmp(modules_builtin[i]->name, name) == 0)
			return modules_builtin[i];
	for (unsigned i = 0; i < MODULES_MAX && loaded[i]; i++)
		if (strcmp(loaded[i]->name, name) == 0)
			return loaded[i];
	return NULL;
}

/* Its file; false for a name that is none. */
static bool path_of(const char *name, char *to, size_t size)
{
	int n = snprintf(to, size, "%s/%s.so", MODULE_DIRECTORY, name);
	return !strchr(name, '/') && n > 0 && (size_t)n < size;
}

static const struct module *load(const char *name, unsigned version, bool *is_other)
{
	unsigned n = 0;
	char path[256];
	while (n < MODULES_MAX && loaded[n])
		n++;
	void *library = n < MODULES_MAX && path_of(name, path, sizeof(path))
				? dlopen(path, RTLD_NOW | RTLD_LOCAL)
				: NULL;
	if (!library)
		return NULL;
	const struct module *module = dlsym(library, "doorward_module");
	if (module && strcmp(module->name, name) == 0 && module->version == version)
		return loaded[n] = module;
	*is_other = true;
	dlclose(library);
	return NULL;
}

const void *module_get(const char *name, unsigned version, struct error *err)
{
	const struct module *module = find(name);
	bool is_other = module && module->version != version;
	if (!module)
		module = load(name, version, &is_other);
	if (module && !is_other)
		return module->functions;
	error_text(err, -ENOTSUP, "the module %s is %s", name,
		   is_other ? "of another version" : "not installed");
	error_hint(err, "install the package doorward-%s of this version", name);
	return NULL;
}

const char *module_absent(const char *name)
{
	char path[256];
	return find(name) || (path_of(name, path, sizeof(path)) && access(path, R_OK) == 0)
		       ? NULL
		       : "not installed";
}

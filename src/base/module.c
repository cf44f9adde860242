/* Modules, loaded at first use or linked in. */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/module.h"

#ifndef MODULE_DIRECTORY
#include "module-directory.h" /* made by the build; a header, so that another one compiles this file alone */
#endif
#define MODULES_MAX 16

/* Nobody need define it: then nothing is linked in. */
extern const struct module *const modules_builtin[] __attribute__((__weak__));

static const struct module *loaded[MODULES_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of loaded: any thread may need one */

/* What a module stands before, as Debian names its packages. */
static const struct {
	const char *name, *runs_with, *built_with;
} libraries[] = {
	{"nft", "libnftables1", "libnftables-dev"},    {"bus", "libsystemd0", "libsystemd-dev"},
	{"screen", "libncursesw6", "libncurses-dev"},  {"web", "libevent-2.1-7", "libevent-dev"},
	{"history", "libsqlite3-0", "libsqlite3-dev"}, {"tls", "libssl3", "libssl-dev"},
};

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

/* The directory of this program; empty where it has rights that its caller does not have: then
 * nothing is loaded from a place that the caller chose (a link to the program). */
static void own_directory(char *to, size_t size)
{
	ssize_t n = getauxval(AT_SECURE) ? 0 : readlink("/proc/self/exe", to, size - 1);
	to[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(to, '/');
	if (slash)
		*slash = '\0';
}

/* Its file, beside the program or where it is installed; false: there is none. */
static bool find_file(const char *name, char *to, size_t size)
{
	char own[PATH_MAX];
	const char *const places[] = {own, MODULE_DIRECTORY};
	if (strchr(name, '/'))
		return false;
	own_directory(own, sizeof(own));
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		int n = snprintf(to, size, "%s/%s.so", places[i], name);
		if (places[i][0] && n > 0 && (size_t)n < size && access(to, R_OK) == 0)
			return true;
	}
	return false;
}

enum absence { NOT_INSTALLED, NOT_LOADABLE, OTHER_VERSION };

static const struct module *load(const char *name, unsigned version, enum absence *why)
{
	unsigned n = 0;
	char path[PATH_MAX + 64];
	while (n < MODULES_MAX && loaded[n])
		n++;
	if (n == MODULES_MAX || !find_file(name, path, sizeof(path)))
		return NULL;
	*why = NOT_LOADABLE;
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return NULL;
	*why = OTHER_VERSION;
	const struct module *module = dlsym(library, "doorward_module");
	if (module && strcmp(module->name, name) == 0 && module->version == version)
		return loaded[n] = module;
	dlclose(library);
	return NULL;
}

/* Where it was looked for. */
static void tell_places(const char *name, struct error *err)
{
	char own[PATH_MAX];
	own_directory(own, sizeof(own));
	error_text(err, -ENOTSUP, "the module %s is not installed: %s.so is not in %s%s%s", name,
		   name, own, own[0] ? " or " : "", MODULE_DIRECTORY);
}

/* One hint: an error has room for no more. */
static void tell_remedy(const char *name, enum absence why, struct error *err)
{
	size_t i = 0;
	while (i < ARRAY_SIZE(libraries) && strcmp(libraries[i].name, name) != 0)
		i++;
	if (i == ARRAY_SIZE(libraries) || why == OTHER_VERSION)
		error_hint(err, "run `make install` in the tree that this program is of");
	else if (why == NOT_LOADABLE)
		error_hint(err, "install the package %s", libraries[i].runs_with);
	else
		error_hint(err,
			   "run `make install` in the tree that it is of; to be built the module "
			   "wants %s",
			   libraries[i].built_with);
}

static void tell_absence(const char *name, enum absence why, struct error *err)
{
	static const char *const words[] = {"", "there, but cannot be loaded",
					    "of another version"};
	if (why == NOT_INSTALLED)
		tell_places(name, err);
	else
		error_text(err, -ENOTSUP, "the module %s is %s", name, words[why]);
	tell_remedy(name, why, err);
}

const void *module_get(const char *name, unsigned version, struct error *err)
{
	enum absence why = NOT_INSTALLED;
	pthread_mutex_lock(&lock);
	const struct module *module = find(name);
	if (!module)
		module = load(name, version, &why);
	pthread_mutex_unlock(&lock);
	if (!module) {
		tell_absence(name, why, err);
		return NULL;
	}
	if (module->version == version)
		return module->functions;
	tell_absence(name, OTHER_VERSION, err);
	return NULL;
}

const char *module_absent(const char *name)
{
	char path[PATH_MAX + 64];
	pthread_mutex_lock(&lock);
	bool is_here = find(name) != NULL;
	pthread_mutex_unlock(&lock);
	return is_here || find_file(name, path, sizeof(path)) ? NULL : "not installed";
}

/* The modules that are linked in; where none is, base/module.c loads them. */
#include <stddef.h>

#include "base/module.h"

#ifdef MODULES_BUILTIN
extern const struct module module_nft, module_bus, module_screen, module_web, module_tls,
	module_history;

extern const struct module *const modules_builtin[];
const struct module *const modules_builtin[] = {
#ifdef HAVE_NFT
	&module_nft,
#endif
#ifdef HAVE_BUS
	&module_bus,
#endif
#ifdef HAVE_SCREEN
	&module_screen,
#endif
#ifdef HAVE_WEB
	&module_web,
#endif
#ifdef HAVE_TLS
	&module_tls,
#endif
#ifdef HAVE_HISTORY
	&module_history,
#endif
	NULL};
#endif

/* A way of the kernel or the system that is used where it works, and the reason where it does not.
 */
#ifndef MODEL_FACILITY_H
#define MODEL_FACILITY_H

#include <stdbool.h>

struct facility {
	const char *name;  /* "bpf task_file" */
	const char *gives; /* what it is for, in words */
	bool is_built_in;  /* what uses it is compiled in: of a module, what calls it */
	bool works;	   /* here and now, with these rights */
	char reason[128];  /* why not; empty where it works */
};

#endif

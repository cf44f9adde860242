/* What an interpreter runs: `python3 app.py` is told apart from every other python3. */
#ifndef SOURCE_INTERPRETER_H
#define SOURCE_INTERPRETER_H

#include <stdbool.h>
#include <stddef.h>

/* The script, module, jar or main class, of @n bytes of NUL-terminated arguments; NULL: @exe (a
 * path) is no interpreter, or what it runs has no name (-c, standard input). A script is given
 * without its folder. Pure; points into @arguments. */
const char *interpreter_runs(const char *exe, const char *arguments, size_t n);

/* Is the program at this path one that interpreter_runs() knows? Pure. */
bool interpreter_is(const char *exe);

#endif

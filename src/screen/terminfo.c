/* What terminfo has. */
#include <curses.h>
#include <term.h>
#include <unistd.h>

#include "screen/terminfo.h"

bool terminfo_has(const char *name)
{
	int status;
	if (setupterm(name, STDOUT_FILENO, &status) != OK)
		return false;
	del_curterm(cur_term);
	return true;
}

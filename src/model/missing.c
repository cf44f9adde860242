/* Words of what is missing. */
#include "model/missing.h"

const char *const what_words[WHAT_MAX + 1] = {"sockets",   "holders",	"network namespaces",
					      "processes", "addresses", "names"};
const char *const why_words[WHY_MAX + 1] = {"permission", "unsupported", "interrupted", "cut",
					    "gone",	  "unseen",	 "init",	"error"};

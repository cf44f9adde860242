/* What a snapshot lacks, in words. */
#include <string.h>

#include "base/text.h"
#include "view/missing.h"

/* In words, for one and for many. */
static const char *what_of(const struct missing *missing)
{
	static const char *const words[WHAT_MAX][2] = {
		[WHAT_SOCKETS] = {"socket is missing", "sockets are missing"},
		[WHAT_HOLDERS] = {"socket belongs to a process that may not be inspected",
				  "sockets belong to processes that may not be inspected"},
		[WHAT_NETNS] = {"network namespace may not be entered",
				"network namespaces may not be entered"},
		[WHAT_PROCESSES] = {"process may not be inspected",
				    "processes may not be inspected"},
		[WHAT_ADDRESSES] = {"namespace did not tell its addresses",
				    "namespaces did not tell their addresses"},
		[WHAT_NAMES] = {"name is missing", "names are missing"},
	};
	bool is_many = missing->count != 1;
	if (missing->what == WHAT_HOLDERS && missing->why == WHY_UNSEEN)
		return is_many ? "sockets are held by no process that can be seen"
			       : "socket is held by no process that can be seen";
	return words[missing->what][is_many];
}

/* How many sockets are missing is not known, only why: that alone is said. */
static bool is_sentence(const struct missing *missing)
{
	return missing->what == WHAT_SOCKETS && !missing->count && missing->hint &&
	       (missing->why == WHY_UNSUPPORTED || missing->why == WHY_UNSEEN ||
		missing->why == WHY_GONE);
}

static void tell_one(struct out *out, const struct missing *missing)
{
	if (missing->why == WHY_CUT) {
		out_string(out, "the listing is incomplete: what was read ends early");
		return;
	}
	if (missing->why == WHY_INTERRUPTED) {
		out_string(out,
			   "the listing is incomplete: it changed under way, or was broken off");
		return;
	}
	if (is_sentence(missing)) {
		text_show(out, missing->hint, strlen(missing->hint));
		return;
	}
	if (missing->count)
		out_u64(out, missing->count);
	else
		out_string(out, "some");
	out_char(out, ' ');
	out_string(out, what_of(missing));
}

static bool is_told(const struct vector *list, const struct missing *missing)
{
	for (uint32_t i = 0; i < list->n; i++)
		if (((const struct missing *)vector_at(list, i))->what == WHAT_HOLDERS)
			return missing->what != WHAT_PROCESSES; /* sockets say it best */
	return missing->why != WHY_INIT;
}

void missing_text(struct out *out, const struct snapshot *snapshot)
{
	missing_list_text(out, &snapshot->missing);
}

void missing_list_text(struct out *out, const struct vector *list)
{
	const char *hint = NULL, *between = "";
	for (uint32_t i = 0; i < list->n; i++) {
		const struct missing *missing = vector_at(list, i);
		if (!is_told(list, missing))
			continue;
		out_string(out, between);
		tell_one(out, missing);
		between = "; ";
		/* what helps is said once, behind the first that it helps */
		if (!missing->hint || missing->why == WHY_CUT || is_sentence(missing) ||
		    (hint && strcmp(hint, missing->hint) == 0))
			continue;
		hint = missing->hint;
		out_string(out, ": ");
		text_show(out, hint, strlen(hint)); /* a saved file's is foreign */
	}
}

/* What a page wishes to see: parsed, checked, and kept only as a whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "serve/state.h"

struct parsed {
	struct filter *filter;
	const struct field **columns, **sort;
	bool *descending;
};

static void parsed_done(struct parsed *parsed)
{
	filter_free(parsed->filter);
	free(parsed->columns);
	free(parsed->sort);
	free(parsed->descending);
}

/* What was not said stays as it was; of a new tab it is as usual there. */
static struct wish merge(const struct wish *was, const struct wish *now)
{
	struct wish wish = *was;
	if (now->parts & WISH_TAB && now->tab != was->tab) {
		wish.sort[0] = wish.columns[0] = '\0';
		wish.tab = now->tab;
		wish.from = 0;
		wish.group = now->tab == TAB_DOORS ? GROUP_SERVICE : GROUP_NONE;
	}
	if (now->parts & WISH_FILTER)
		memcpy(wish.filter, now->filter, sizeof(wish.filter));
	if (now->parts & WISH_SORT)
		memcpy(wish.sort, now->sort, sizeof(wish.sort));
	if (now->parts & WISH_COLUMNS)
		memcpy(wish.columns, now->columns, sizeof(wish.columns));
	if (now->parts & WISH_GROUP)
		wish.group = now->group;
	if (now->parts & WISH_FROM)
		wish.from = now->from;
	if (now->parts & WISH_COUNT)
		wish.count = now->count;
	if (now->parts & WISH_PAUSED)
		wish.is_paused = now->is_paused;
	if (now->parts & WISH_MOMENT)
		wish.moment_ms = now->moment_ms;
	wish.has_map |= now->has_map;
	return wish;
}

static int parse(struct desk *desk, const struct wish *wish, struct parsed *ret, struct error *err)
{
	int r = filter_parse(wish->filter, desk->settings->services, &ret->filter, err);
	__typeof__(&fields_parse) parse_fields =
		wish->tab == TAB_EVENTS ? fields_parse_events : fields_parse;
	if (r >= 0 && wish->columns[0])
		r = parse_fields(wish->columns, &ret->columns, NULL, err);
	if (r >= 0 && wish->sort[0])
		r = parse_fields(wish->sort, &ret->sort, &ret->descending, err);
	return r;
}

/* Other rows, or the same in another place. */
static bool is_elsewhere_only(const struct wish *wish)
{
	return !(wish->parts & ~(uint32_t)(WISH_FROM | WISH_COUNT | WISH_PAUSED));
}

int viewer_wish(struct desk *desk, struct viewer *viewer, const struct wish *wish,
		struct error *err)
{
	cleanup(parsed_done) struct parsed parsed = {0};
	struct wish merged = merge(&viewer->wish, wish);
	if (!is_elsewhere_only(wish)) {
		int r = parse(desk, &merged, &parsed, err);
		if (r < 0)
			return r;
		struct parsed was = {viewer->filter, viewer->columns, viewer->sort,
				     viewer->descending};
		viewer->filter = parsed.filter;
		viewer->columns = parsed.columns;
		viewer->sort = parsed.sort;
		viewer->descending = parsed.descending;
		parsed = was;
		viewer_forget_rows(viewer);
	}
	if (merged.has_map && !viewer->map)
		viewer->map = calloc(1, sizeof(*viewer->map));
	if (merged.has_map && !viewer->map)
		return error_set(err, -ENOMEM, "keep the map");
	viewer->wish = merged;
	viewer->wants_window = true;
	return 0;
}

uint32_t viewer_needs(const struct viewer *viewer)
{
	return filter_needs(viewer->filter) |
	       (viewer->columns ? fields_needs(viewer->columns) : 0) |
	       (viewer->sort ? fields_needs(viewer->sort) : 0) |
	       rows_by_needs((enum rows_by)viewer->wish.group);
}

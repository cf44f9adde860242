/* The tabs. */
#include "top/state.h"

#define DOOR_STATES (STATES_OPEN | 1u << STATE_BOUND)
/* What the keys need to know of a row, whichever its columns are. */
#define NEEDS_ROW (NEED_HOLDERS | NEED_STAT | NEED_COOKIE | NEED_V6ONLY | NEED_NETNS_NAMES)

const char *const top_tab_words[] = {"doors", "connections", "map", "events", NULL};

const char *const top_list_names[CHOICE_LISTS] = {"doors", "connections", CHOICE_EVENTS};

const struct tab tabs[TAB_MAX] = {
	[TAB_DOORS] = {.name = "doors",
		       .title = "Doors",
		       .states = STATES_OPEN,
		       .looked_at = DOOR_STATES,
		       .needs = NEEDS_ROW,
		       .draw = list_draw,
		       .input = list_input},
	[TAB_CONNECTIONS] = {.name = "connections",
			     .title = "Connections",
			     .list = 1,
			     .has_peers = true,
			     .states = STATES_ALL & ~(1u << STATE_LISTEN | 1u << STATE_BOUND),
			     .looked_at = STATES_ALL,
			     .needs = NEEDS_ROW | NEED_ROLE | NEED_PEERS,
			     .draw = list_draw,
			     .input = list_input},
	[TAB_MAP] = {.name = "map",
		     .title = "Map",
		     .is_map = true,
		     .states = STATES_ALL,
		     .looked_at = STATES_ALL,
		     .needs = NEEDS_ROW | NEED_ADDRESSES | NEED_SERVICES | NEED_RUNS,
		     .draw = map_draw,
		     .input = map_input},
	[TAB_EVENTS] = {.name = "events",
			.title = "Events",
			.is_events = true,
			.list = 2,
			.states = STATES_ALL,
			.looked_at = DOOR_STATES,
			.needs = NEEDS_ROW,
			.draw = list_draw,
			.input = list_input},
};

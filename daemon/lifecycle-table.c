/* SPDX-License-Identifier: MIT */
/* The table of states and events; a unit test walks every cell. */
#include "daemon/lifecycle.h"

/* Cells hold state + 1, so that an empty one is "not allowed". */
#define TO(s) ((s) + 1)

static const unsigned char table[SANDBOX_STATE_MAX][LIFE_EVENT_MAX] = {
	[SANDBOX_CREATING] = {
		[LIFE_READY] = TO(SANDBOX_RUNNING),
		[LIFE_FAILED] = TO(SANDBOX_DESTROYED),
		[LIFE_DESTROY] = TO(SANDBOX_DESTROYING),
		[LIFE_EXPIRE] = TO(SANDBOX_EXPIRED),
	},
	[SANDBOX_RUNNING] = {
		[LIFE_SILENT] = TO(SANDBOX_UNHEALTHY),
		[LIFE_GONE] = TO(SANDBOX_ERROR),
		[LIFE_EXPIRE] = TO(SANDBOX_EXPIRED),
		[LIFE_DESTROY] = TO(SANDBOX_DESTROYING),
	},
	[SANDBOX_PAUSED] = {
		[LIFE_GONE] = TO(SANDBOX_ERROR),
		[LIFE_EXPIRE] = TO(SANDBOX_EXPIRED),
		[LIFE_DESTROY] = TO(SANDBOX_DESTROYING),
	},
	[SANDBOX_STOPPED] = {
		[LIFE_EXPIRE] = TO(SANDBOX_EXPIRED),
		[LIFE_DESTROY] = TO(SANDBOX_DESTROYING),
	},
	[SANDBOX_UNHEALTHY] = {
		[LIFE_ANSWERED] = TO(SANDBOX_RUNNING),
		[LIFE_GONE] = TO(SANDBOX_ERROR),
		[LIFE_EXPIRE] = TO(SANDBOX_EXPIRED),
		[LIFE_DESTROY] = TO(SANDBOX_DESTROYING),
	},
	[SANDBOX_EXPIRED] = {
		[LIFE_DESTROY] = TO(SANDBOX_DESTROYING),
	},
	[SANDBOX_DESTROYING] = {
		[LIFE_DESTROY] = TO(SANDBOX_DESTROYING),
		[LIFE_REMOVED] = TO(SANDBOX_DESTROYED),
		[LIFE_REMOVE_FAILED] = TO(SANDBOX_ERROR),
	},
	[SANDBOX_ERROR] = {
		[LIFE_EXPIRE] = TO(SANDBOX_EXPIRED),
		[LIFE_DESTROY] = TO(SANDBOX_DESTROYING),
	},
};

static const char *const event_names[] = {
	[LIFE_READY] = "ready",
	[LIFE_FAILED] = "failed",
	[LIFE_SILENT] = "silent",
	[LIFE_ANSWERED] = "answered",
	[LIFE_GONE] = "gone",
	[LIFE_EXPIRE] = "expire",
	[LIFE_DESTROY] = "destroy",
	[LIFE_REMOVED] = "removed",
	[LIFE_REMOVE_FAILED] = "remove-failed",
};
_Static_assert(ARRAY_SIZE(event_names) == LIFE_EVENT_MAX, "a name per event");

int life_next(enum sandbox_state state, enum life_event event)
{
	return (int)table[state][event] - 1;
}

const char *life_event_name(enum life_event event)
{
	return event_names[event];
}

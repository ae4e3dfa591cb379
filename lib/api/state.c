/* SPDX-License-Identifier: MIT */
/* Names of the states.  See state.h. */
#include "lib/api/state.h"

#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/defs.h"

static const char *const names[] = {
	[SANDBOX_CREATING] = "creating",
	[SANDBOX_RUNNING] = "running",
	[SANDBOX_PAUSED] = "paused",
	[SANDBOX_STOPPED] = "stopped",
	[SANDBOX_UNHEALTHY] = "unhealthy",
	[SANDBOX_EXPIRED] = "expired",
	[SANDBOX_DESTROYING] = "destroying",
	[SANDBOX_DESTROYED] = "destroyed",
	[SANDBOX_ERROR] = "error",
};
_Static_assert(ARRAY_SIZE(names) == SANDBOX_STATE_MAX, "a name per state");

const char *sandbox_state_name(enum sandbox_state s)
{
	return (unsigned)s < SANDBOX_STATE_MAX ? names[s] : "unknown";
}

bool sandbox_state_parse(const char *name, enum sandbox_state *ret)
{
	for (unsigned i = 0; i < SANDBOX_STATE_MAX; i++) {
		if (strcmp(names[i], name) == 0) {
			*ret = (enum sandbox_state)i;
			return true;
		}
	}
	return false;
}

bool sandbox_is_full_id(const char *s)
{
	return strlen(s) == LIMIT_ID && strncmp(s, "sb-", 3) == 0 &&
	       strspn(s + 3, "0123456789abcdef") == LIMIT_ID - 3;
}

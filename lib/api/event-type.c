/* SPDX-License-Identifier: MIT */
/* Names of event types.  See event-type.h. */
#include "lib/api/event-type.h"

#include <string.h>

#include "lib/base/defs.h"

static const char *const names[] = {
	[EVENT_NONE] = "",
#define EVENT_TYPE(NAME, name, what) [EVENT_##NAME] = name,
#include "lib/api/event-type.def"
#undef EVENT_TYPE
};
_Static_assert(ARRAY_SIZE(names) == EVENT_TYPE_MAX, "a name per type");

const char *event_type_name(enum event_type t)
{
	return names[t];
}

bool event_type_parse(const char *name, enum event_type *ret)
{
	for (unsigned i = EVENT_NONE + 1; i < EVENT_TYPE_MAX; i++) {
		if (strcmp(names[i], name) == 0) {
			*ret = (enum event_type)i;
			return true;
		}
	}
	return false;
}

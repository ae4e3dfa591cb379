/* SPDX-License-Identifier: MIT */
/* Types of events, as the wire names them: event-type.def. */
#ifndef SVM_API_EVENT_TYPE_H
#define SVM_API_EVENT_TYPE_H

#include <stdbool.h>

enum event_type {
	EVENT_NONE, /* nothing to tell */
#define EVENT_TYPE(NAME, name, what) EVENT_##NAME,
#include "lib/api/event-type.def"
#undef EVENT_TYPE
	EVENT_TYPE_MAX
};

/* "sandbox.created"; "" for EVENT_NONE. */
const char *event_type_name(enum event_type t);
bool event_type_parse(const char *name, enum event_type *ret);

#endif

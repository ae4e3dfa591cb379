/* SPDX-License-Identifier: MIT */
/* States of a sandbox, as the wire names them, and its id. */
#ifndef SVM_API_STATE_H
#define SVM_API_STATE_H

#include <stdbool.h>

enum sandbox_state {
	SANDBOX_CREATING,
	SANDBOX_RUNNING,
	SANDBOX_PAUSED,
	SANDBOX_STOPPED,
	SANDBOX_UNHEALTHY,
	SANDBOX_EXPIRED,
	SANDBOX_DESTROYING,
	SANDBOX_DESTROYED,
	SANDBOX_ERROR,
	SANDBOX_STATE_MAX
};

const char *sandbox_state_name(enum sandbox_state s);
bool sandbox_state_parse(const char *name, enum sandbox_state *ret);

/* A full id: "sb-" and 8 lower-case hex digits. */
bool sandbox_is_full_id(const char *s);

#endif

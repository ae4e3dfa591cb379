/* SPDX-License-Identifier: MIT */
/*
 * The clone between clone3() and the agent's exec.  Runs in its own copy of
 * the launcher's memory, single-threaded, never returns.
 */
#ifndef SVM_PROVIDERS_NATIVE_CHILD_H
#define SVM_PROVIDERS_NATIVE_CHILD_H

#include "lib/base/defs.h"
#include "providers/native/launch.h"
#include "providers/native/native.h"

struct child {
	enum native_mode mode;
	const struct launch_request *req;
	int setup;   /* becomes AGENT_SETUP_FD */
	int release; /* a byte when the id maps are written, with the tree if
		      * there is one; end of file when the launcher died */
	int agent;   /* memfd */
	const char *name; /* the agent's second argument: "ID@INSTANCE" */
	int tree;    /* the scratch tmpfs with the overlay in it, or -1 */
	int layers[LIMIT_IMAGE_LAYERS + 1]; /* rootless: opened layers */
	unsigned nlayers;
	int tasks[LAUNCH_TASKS_MAX]; /* v1 */
	unsigned ntasks;
};

NORETURN void child_main(struct child *c);

/* For the steps: report what failed to whoever waits for the agent, end. */
NORETURN void child_fail(const struct child *c, int e, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* rootfs.c: build the root file system and move into it.  Afterwards the
 * working directory is the new "/", and the host's tree is out of reach. */
void child_enter_rootfs(const struct child *c);

#endif
